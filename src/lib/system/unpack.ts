/** Rotated logs that are packed (gzip), unpacked in bounded memory, whatever is in them. */
import type { FileHandle } from './async-fs.ts'

/** Of packed bytes: below, all is unpacked by one call, which is twice as fast. MCPProxy packs 10 MB into less than two. */
const smallPacked = 8 * 1024 ** 2
const smallUnpacked = 32 * 1024 ** 2
/** Of one file. Nobody has such a log, and a few megabytes of zeros can be packed into almost nothing. */
const largestStreamed = 1024 ** 3
/** Node's default is 16 KiB: each chunk has its price. */
const outputChunk = 1024 ** 2
const inputChunk = 256 * 1024

/**
 * How large it is unpacked, as it says itself in its last four bytes (RFC 1952, 2.3.1): room for all of it at once saves putting chunks
 * together, which takes as long as unpacking. When that is not true there are more chunks, up to the limit.
 */
function roomFor(packed: Buffer, most: number): number {
  const said = packed.length < 4 ? 0 : packed.readUInt32LE(packed.length - 4)
  // With less than it needs to see the end, zlib would ask for a second chunk.
  return Math.max(outputChunk, Math.min(said + 1024, most, smallUnpacked))
}

/** In a thread of the pool. Throws `ERR_BUFFER_TOO_LARGE`, or what zlib says of damage. */
export async function gunzipped(packed: Buffer, maxOutputLength: number): Promise<Buffer> {
  const { gunzip } = await import('node:zlib')
  return new Promise((resolve, reject) => {
    gunzip(packed, { maxOutputLength, chunkSize: roomFor(packed, maxOutputLength) }, (error, unpacked) => {
      if (error === null) resolve(unpacked)
      else reject(error)
    })
  })
}

/** `done` is called once, at the end of the last chunk or when nobody wants more. */
export function unpackedChunks(handle: FileHandle, path: string, done: () => Promise<void>): AsyncIterable<Buffer> {
  // Begins at once: who asks for several files gets them unpacked side by side.
  const small = unpackSmall(handle)
  small.catch(() => undefined)
  return {
    async *[Symbol.asyncIterator]() {
      try {
        const whole = await small
        if (whole !== null) yield whole
        else yield* streamed(handle, path)
      } finally {
        await done()
      }
    },
  }
}

/** Null: too large for this, or damaged: then what comes before the damage is wanted. */
async function unpackSmall(handle: FileHandle): Promise<Buffer | null> {
  const { size } = await handle.stat()
  if (size > smallPacked) return null
  const packed = Buffer.allocUnsafe(size)
  let have = 0
  while (have < size) {
    const { bytesRead } = await handle.read(packed, have, size - have, have)
    if (bytesRead === 0) break
    have += bytesRead
  }
  return gunzipped(packed.subarray(0, have), smallUnpacked).catch(() => null)
}

async function* streamed(handle: FileHandle, path: string): AsyncGenerator<Buffer> {
  const { createGunzip } = await import('node:zlib')
  const { pipeline, Readable } = await import('node:stream')
  const unpacking = createGunzip({ chunkSize: outputChunk })
  let failure: unknown = null
  pipeline(Readable.from(packedChunks(handle)), unpacking, (error) => {
    failure = error ?? null
  })
  let total = 0
  try {
    for await (const chunk of unpacking as AsyncIterable<Buffer>) {
      total += chunk.length
      if (total > largestStreamed) throw new Error(`unpacked it is larger than ${largestStreamed / 1024 ** 2} MiB`)
      yield chunk
    }
  } catch (error) {
    // The pipeline knows of the reading side too.
    const why = failure ?? error
    const reason = why instanceof Error ? why.message : String(why)
    throw new Error(`${path}: only the first ${total} bytes could be read (${reason}).`, { cause: error })
  } finally {
    unpacking.destroy()
  }
}

async function* packedChunks(handle: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ;) {
    const chunk = Buffer.allocUnsafe(inputChunk)
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield chunk.subarray(0, bytesRead)
  }
}
