/**
 * What is written to a log from now on. It may be renamed and begun anew (lumberjack), or emptied in its place (copytruncate of
 * logrotate): the end of the old one is read before the new one is begun.
 */
import { stat, type FileHandle } from './async-fs.ts'
import { observed, type FileFollower, type Observed, type OpenFile } from './system.ts'

interface Ways {
  /** Null: it cannot be opened now. */
  open(): Promise<FileHandle | null>
  asFile(handle: FileHandle, size: number): OpenFile
}

const newline = 0x0a
const mostAtOnce = 4 * 1024 * 1024
/** So many bytes before the place that was reached tell whether it is still the same log. */
const markLength = 64

export async function followFile(path: string, ways: Ways): Promise<Observed<FileFollower>> {
  let handle = await ways.open()
  let offset = handle ? (await handle.stat()).size : 0
  let mark = handle ? await bytesAt(handle, Math.max(0, offset - markLength), offset) : Buffer.alloc(0)
  let rest: Buffer = Buffer.alloc(0)
  const file = handle ? ways.asFile(handle, offset) : null
  // A last line without its end is shown when it has one.
  if (handle && offset > 0 && mark.at(-1) !== newline) rest = await lastPiece(handle, offset)

  const advance = async (from: FileHandle): Promise<Buffer> => {
    const { size } = await from.stat()
    const before = await bytesAt(from, offset - mark.length, offset)
    if (size < offset || !before.equals(mark)) {
      offset = 0
      rest = Buffer.alloc(0)
    }
    const bytes = await bytesAt(from, offset, Math.min(size, offset + mostAtOnce))
    offset += bytes.length
    if (bytes.length > 0) mark = Buffer.from(Buffer.concat([mark, bytes.subarray(-markLength)]).subarray(-Math.min(markLength, offset)))
    return bytes
  }
  const replaced = async (by: FileHandle): Promise<boolean> => {
    const [ours, there] = await Promise.all([by.stat(), stat(path).catch(() => null)])
    return there !== null && (there.ino !== ours.ino || there.dev !== ours.dev)
  }
  return observed({
    path,
    file: file && { ...file, close: () => Promise.resolve() },
    async poll() {
      const parts: Buffer[] = []
      if (handle) {
        const gone = await replaced(handle)
        // After the look: what was written before the exchange is all there.
        parts.push(await advance(handle))
        if (gone && parts[0]?.length === 0) {
          await handle.close()
          handle = null
          if (rest.length > 0) parts.push(Buffer.from('\n'))
        }
      }
      if (!handle) {
        handle = await ways.open()
        offset = 0
        mark = Buffer.alloc(0)
        if (handle) parts.push(await advance(handle))
      }
      const bytes = Buffer.concat([rest, ...parts])
      const end = bytes.lastIndexOf(newline) + 1
      rest = Buffer.from(bytes.subarray(end).subarray(0, mostAtOnce))
      return bytes.subarray(0, end)
    },
    async close() {
      await handle?.close()
      handle = null
    },
  })
}

async function bytesAt(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, to - from))
  let have = 0
  while (have < buffer.length) {
    const { bytesRead } = await handle.read(buffer, have, buffer.length - have, from + have)
    if (bytesRead === 0) break
    have += bytesRead
  }
  return buffer.subarray(0, have)
}

async function lastPiece(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = await bytesAt(handle, Math.max(0, size - mostAtOnce), size)
  return Buffer.from(bytes.subarray(bytes.lastIndexOf(newline) + 1))
}
