/** A text from a file or a pipe: its end, in bounded memory, whatever its encoding. */
import type { Readable } from 'node:stream'
import { UserError } from '../errors.ts'
import { createFiles } from './files.ts'

const longest = 1024 * 1024

/** The end of a file; a UserError when there is no such text. */
export async function readTextFile(path: string): Promise<string> {
  const files = createFiles()
  try {
    const opened = await files.open(path)
    if (!opened.ok) throw new UserError(`The text cannot be read: ${opened.error.message}`)
    if (opened.value === null) throw new UserError(`There is no file ${path}.`)
    return decoded(await opened.value.read(Math.max(0, opened.value.size - longest), longest))
  } finally {
    await files.close()
  }
}

/** The end of a stream, when it has come to its end; a UserError when it cannot be read. */
export async function readTextStream(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      size += chunk.length
      while (chunks.length > 1 && size - (chunks[0]?.length ?? 0) >= longest) size -= chunks.shift()?.length ?? 0
    }
  } catch (error) {
    throw new UserError(`The text cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return decoded(Buffer.concat(chunks).subarray(-longest))
}

/** PowerShell writes UTF-16 where others write UTF-8: every second byte of Latin text is zero then. */
function decoded(bytes: Buffer): string {
  const head = bytes.subarray(0, 1000)
  const zeros = [0, 0]
  head.forEach((byte, i) => {
    if (byte === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1
  })
  const [even = 0, odd = 0] = zeros
  if (odd > head.length / 4) return new TextDecoder('utf-16le').decode(bytes)
  if (even > head.length / 4) return new TextDecoder('utf-16be').decode(bytes)
  return new TextDecoder().decode(bytes)
}
