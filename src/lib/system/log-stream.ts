/**
 * Reads a log from any place to its end, in blocks of whole lines, in bounded memory. What is in memory is used again for the
 * next block: a block is good until the next one is asked for.
 */
import { eachLine, type LineFinder } from '../formats/byte-search.ts'
import { searchableMemory } from '../formats/simd-search.ts'
import { isTurnDue, turn } from './async-fs.ts'
import type { OpenFile } from './system.ts'

export interface Block {
  /** Whole lines with their line feeds; the last line of the log may have none. */
  bytes: Buffer
  /** Where it begins in the log. */
  offset: number
}

const newline = 0x0a
/** Each read and search has its price; more at once gains nothing. */
const readSize = 512 * 1024
/** A copy to the beginning of a page is fast from the beginning of a page. */
const pageSize = 4096
/** Smaller files are not worth memory that can be searched fast. */
const largeFile = 1024 * 1024
const smallMemory = (size: number): Buffer => Buffer.allocUnsafeSlow(size)
/** Of a longer line only its beginning is kept. */
export const longestShown = 4 * 1024 * 1024

/** Gives the next bytes, at the beginning of `room` or anywhere else; empty: there are no more. */
type Fill = (room: Buffer) => Buffer | Promise<Buffer>

/** From the line that begins at `from` (or holds it) on; a line that begins at `to` or later is left to others. */
export async function* blocksForward(file: OpenFile, from = 0, to: number = file.size): AsyncGenerator<Block> {
  // The line that holds the byte before `from` belongs to those before.
  let at = Math.max(0, from - 1)
  let reads = 0
  const fill: Fill = async (room) => {
    const length = Math.min(room.length - (at % pageSize), file.size - at)
    if (length <= 0) return room.subarray(0, 0)
    if (file.readNow && reads > 0 && isTurnDue()) await turn()
    const bytes = file.readNow && reads++ > 0 ? file.readNow(at, length, room) : await file.read(at, length, room)
    reads++
    at += bytes.length
    return bytes
  }
  for await (const block of wholeLines(fill, at, from > 0, file.size < largeFile ? smallMemory : searchableMemory)) {
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
      searchableMemory,
    )
  } finally {
    await source.return?.()
  }
}

/** `skip`: the first line is the rest of one that belongs to others. */
async function* wholeLines(fill: Fill, offset: number, skip: boolean, memory: (size: number) => Buffer): AsyncGenerator<Block> {
  // What was read of a line that goes on stands right before `lead`, where the next bytes are read to.
  let lead = readSize
  let room = memory(lead + readSize)
  let kept = 0
  let skipping = skip
  // Bytes of that line that were dropped, because it is longer than anybody wants to see.
  let dropped = 0
  const keep = (from: Buffer): void => {
    let wanted = readSize
    while (wanted < from.length) wanted *= 2
    if (wanted !== lead) room = memory(wanted + readSize)
    lead = wanted
    kept = from.length
    from.copy(room, lead - kept)
  }
  for (;;) {
    const target = room.subarray(lead)
    const bytes = await fill(target)
    const begin = lead - kept
    if (bytes.length === 0) {
      if (kept > 0 && !skipping) yield { bytes: room.subarray(begin, lead), offset }
      return
    }
    if (bytes.buffer !== target.buffer || bytes.byteOffset !== target.byteOffset) bytes.copy(target)
    const end = lead + bytes.length
    const whole = target.lastIndexOf(newline, bytes.length - 1) + 1
    if (whole === 0) {
      // Of a line that is too long, its beginning and the end that is read last.
      if (kept + bytes.length > longestShown) dropped += bytes.length
      else keep(room.subarray(begin, end))
      continue
    }
    const stop = lead + whole
    let first = begin
    if (skipping || dropped > 0) {
      first = room.indexOf(newline, lead) + 1
      if (!skipping) yield { bytes: room.subarray(begin, first), offset }
      skipping = false
      offset += dropped
      dropped = 0
    }
    if (stop > first) yield { bytes: room.subarray(first, stop), offset: offset + first - begin }
    offset += stop - begin
    keep(room.subarray(stop, end))
  }
}

/** The lines of a block that are wanted; without a finder all of them. */
export function linesIn(block: Buffer, find: LineFinder | null, hit: (start: number, stop: number) => void): void {
  if (find) find(block, hit)
  else eachLine(block, hit)
}
