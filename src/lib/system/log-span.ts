/** Lines of a log at known places. */
import { turn } from './async-fs.ts'
import { chunkStart, edge, pageSize, readSize, type Span } from './log-chunks.ts'
import type { OpenFile } from './system.ts'

export interface RawLine {
  offset: number
  text: string
  /** The line has no end yet: it is being written, or was cut off. */
  unterminated: boolean
}

/** Of a longer line only its beginning is kept: enough to see what it is, too little to fill memory. */
export const longestLine = 4 * 1024 * 1024
/** Most lines are shorter than a page; of others so much is read at once. */
const furtherSize = 64 * 1024
const newline = 0x0a

const readAt = (file: OpenFile, offset: number, length: number, room = Buffer.allocUnsafe(length)): Buffer | Promise<Buffer> =>
  file.readNow ? file.readNow(offset, length, room) : file.read(offset, length, room)

/** Lines of a span that hold a text, newest first. False: it could not be searched to its beginning. */
export async function* linesIn(file: OpenFile, { begin, end }: Span, text: string, deadline: number): AsyncGenerator<RawLine, boolean> {
  const room = Buffer.allocUnsafeSlow(readSize + pageSize + edge)
  for (let stop = end; stop > begin;) {
    await turn()
    if (Date.now() > deadline) return false
    const start = Math.max(begin, chunkStart(stop, readSize))
    // With what a text could go on with behind it.
    const length = Math.min(file.size, stop + edge) - start
    const chunk = await readAt(file, start, length, room)
    if (chunk.length < length) return false
    const places: number[] = []
    for (let at = chunk.indexOf(text); at >= 0 && start + at < stop; at = chunk.indexOf(text, at + 1)) places.push(start + at)
    let last = -1
    for (const place of places.reverse()) {
      const offset = await lineStart(file, place)
      // Of a line that begins in front of all this the other chunk has the whole.
      if (offset < begin || offset === last) continue
      last = offset
      const line = (await lineRest(file, offset)).toString('utf8')
      yield { offset, text: line.replace(/\n$/, ''), unterminated: !line.endsWith('\n') }
    }
    stop = start
  }
  return true
}

/** Where the line begins that a place is in, or what is kept of it. */
async function lineStart(file: OpenFile, place: number): Promise<number> {
  for (let stop = place; stop > 0 && place - stop < longestLine;) {
    const start = Math.max(0, stop - pageSize)
    const piece = await readAt(file, start, stop - start)
    const at = piece.lastIndexOf(newline)
    if (at >= 0) return start + at + 1
    stop = start
  }
  return Math.max(0, place - longestLine)
}

/** From there to the end of the line, or what is kept of it. */
export async function lineRest(file: OpenFile, offset: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let at = offset; at - offset < longestLine;) {
    const length = pieces.length === 0 ? pageSize : furtherSize
    const piece = await readAt(file, at, length)
    const end = piece.indexOf(newline) + 1
    pieces.push(end > 0 ? piece.subarray(0, end) : piece)
    if (end > 0 || piece.length === 0) break
    at += piece.length
  }
  return Buffer.concat(pieces)
}
