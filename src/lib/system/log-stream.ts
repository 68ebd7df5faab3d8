/**
 * Reads a log from any place to its end, in blocks of whole lines, in bounded memory. What is in memory is used again for the
 * next block: a block is good until the next one is asked for.
 */
import { eachLine, type LineFinder } from '../formats/byte-search.ts'
import type { OpenFile } from './system.ts'

export interface Block {
  /** Whole lines with their line feeds; the last line of the log may have none. */
  bytes: Buffer
  /** Where it begins in the log. */
  offset: number
}

const newline = 0x0a
/** Small enough to stay in the processor's cache while it is searched. */
const readSize = 256 * 1024
/** Of a longer line only its beginning is kept. */
export const longestShown = 4 * 1024 * 1024
const turnAfter = 16

/** Gives the next bytes, at the beginning of `room` or anywhere else; empty: there are no more. */
type Fill = (room: Buffer) => Buffer | Promise<Buffer>

/** From the line that begins at `from` (or holds it) on; a line that begins at `to` or later is left to others. */
export async function* blocksForward(file: OpenFile, from = 0, to: number = file.size): AsyncGenerator<Block> {
  // The line that holds the byte before `from` belongs to those before.
  let at = Math.max(0, from - 1)
  let reads = 0
  const fill: Fill = async (room) => {
    const length = Math.min(room.length, file.size - at)
    if (length <= 0) return room.subarray(0, 0)
    if (file.readNow && reads > 0 && reads % turnAfter === 0) await new Promise((resolve) => setImmediate(resolve))
    const bytes = file.readNow && reads++ > 0 ? file.readNow(at, length, room) : await file.read(at, length, room)
    reads++
    at += bytes.length
    return bytes
  }
  for await (const block of wholeLines(fill, at, from > 0)) {
    if (block.offset >= to) return
    const past = block.offset + block.bytes.length - to
    if (past <= 0) {
      yield block
      continue
    }
    // The line that holds the byte before `to` is the last one.
    const stop = block.bytes.indexOf(newline, block.bytes.length - past - 1)
    yield stop < 0 ? block : { bytes: block.bytes.subarray(0, stop + 1), offset: block.offset }
    return
  }
}

/** Of chunks as they come, e.g. from a file that is being unpacked. */
export async function* blocksOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Block> {
  const source = chunks[Symbol.asyncIterator]()
  let left: Buffer = Buffer.alloc(0)
  try {
    yield* wholeLines(
      async (room) => {
        if (left.length === 0) {
          const next = await source.next()
          left = next.done === true ? Buffer.alloc(0) : next.value
        }
        const piece = left.subarray(0, room.length)
        left = left.subarray(piece.length)
        return piece
      },
      0,
      false,
    )
  } finally {
    await source.return?.()
  }
}

/** `skip`: the first line is the rest of one that belongs to others. */
async function* wholeLines(fill: Fill, offset: number, skip: boolean): AsyncGenerator<Block> {
  let room = Buffer.allocUnsafeSlow(readSize)
  let kept = 0
  let skipping = skip
  // Bytes of the line at the beginning of `room` that were dropped, because it is longer than anybody wants to see.
  let dropped = 0
  for (;;) {
    if (kept === room.length) {
      if (room.length < longestShown) {
        const larger = Buffer.allocUnsafeSlow(room.length * 2)
        room.copy(larger, 0, 0, kept)
        room = larger
      } else {
        // One byte less, so that the line feed has its place.
        dropped += readSize
        kept -= readSize
      }
    }
    const target = room.subarray(kept)
    const bytes = await fill(target)
    if (bytes.length === 0) {
      if (kept > 0 && !skipping) yield { bytes: room.subarray(0, kept), offset }
      return
    }
    if (bytes.buffer !== target.buffer || bytes.byteOffset !== target.byteOffset) bytes.copy(target)
    const end = kept + bytes.length
    // There is none in what was kept: that is the beginning of a line.
    const whole = room.lastIndexOf(newline, end - 1) + 1
    if (whole === 0) {
      kept = end
      continue
    }
    let first = 0
    if (skipping || dropped > 0) {
      first = room.indexOf(newline) + 1
      // Of the long line, its beginning and the end that was just read.
      if (!skipping) yield { bytes: room.subarray(0, first), offset }
      skipping = false
      offset += dropped
      dropped = 0
    }
    if (whole > first) yield { bytes: room.subarray(first, whole), offset: offset + first }
    room.copyWithin(0, whole, end)
    kept = end - whole
    offset += whole
    if (kept === 0 && room.length > readSize) room = Buffer.allocUnsafeSlow(readSize)
  }
}

/** The lines of a block that are wanted; without a finder all of them. */
export function linesIn(block: Buffer, find: LineFinder | null, hit: (start: number, stop: number) => void): void {
  if (find) find(block, hit)
  else eachLine(block, hit)
}
