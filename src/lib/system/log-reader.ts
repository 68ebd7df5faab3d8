/**
 * Reads a log from its end, in chunks of bytes, in bounded memory: the newest lines come first,
 * and the caller stops when it knows. Lines are decoded only when they hold one of the needles.
 */
import { createLineFinder, rareParts, type LineFinder, type Sought, type Wanted } from '../formats/byte-search.ts'
import { chunksBackward, chunkSize, type ChunkOptions } from './log-chunks.ts'
import { lineRest, linesIn, longestLine, type RawLine } from './log-span.ts'
import type { OpenFile } from './system.ts'

export interface BackwardOptions extends ChunkOptions {
  /** Only lines that hold one of these; absent: all lines. */
  needles?: readonly Wanted[]
  /** How far back to go, in bytes. */
  maxBytes: number
  bound?: Bound
}

/**
 * One of the needles: lines that end the search, and so matter only to lines in front of them. The second thread does not look for them, which
 * takes a pass over each piece; where something else is found, what was passed over until then is searched for them first.
 */
export interface Bound {
  text: string
  /** Whether lines of its are of no other interest by now. */
  isKnown(): boolean
}

export interface BackwardEnd {
  /** True: the beginning of the file was reached. */
  reachedStart: boolean
}

const newline = 0x0a

/** Parts are chosen so many times. */
const mostChoices = 4
/** So many chunks in a row may have been looked at for nothing: also lines that go on from one to the other are a reason to look. */
const mostMisses = 2

/**
 * Lines newest first. The return value tells whether the beginning of the file was reached. Whoever stops before it ends closes it (`return`), as
 * `for await` does: another thread may be reading for it.
 */
export async function* linesBackward(file: OpenFile, options: BackwardOptions): AsyncGenerator<RawLine, BackwardEnd> {
  const limit = Math.max(0, file.size - options.maxBytes)
  // Of chunks without any such line nobody needs to know more. Undefined: not chosen yet.
  let sought: Sought[] | null | undefined
  let choices = 0
  let misses = 0
  const { needles, bound } = options
  const chunks = chunksBackward(file, limit, options, (chunk) => {
    // Rare where they were chosen, common here: chosen again.
    if (chunk && needles && sought === undefined) {
      sought = choices++ < mostChoices ? rareParts(needles, chunk) : null
      misses = 0
    }
    if (!sought || rest.length > 1 || sought.some(({ part }) => rest[0]?.includes(part) === true)) return null
    const others = bound?.isKnown() === true ? sought.filter((_, i) => needles?.[i] !== bound.text) : sought
    return { all: sought, others: others.length > 0 ? others : sought }
  })
  /** Those in what was passed over without a look for them. False: not all of that could be searched. */
  async function* boundLines(): AsyncGenerator<RawLine, boolean> {
    const span = chunks.unchecked()
    return span === null || (yield* linesIn(file, span, bound?.text ?? '', options.deadline))
  }
  let find: LineFinder | undefined
  // What was read of a line whose beginning is further ahead in the file, in pieces, the earliest first.
  let rest: Buffer[] = []
  let atEnd = true
  try {
    for (;;) {
      const next = await chunks.next()
      if (next === 'start') return { reachedStart: file.cut !== true }
      if (next === 'stopped') {
        yield* boundLines()
        return { reachedStart: false }
      }
      const { start, chunk, room } = next
      if (options.needles) find ??= createLineFinder(options.needles, chunk)
      // What follows was passed over, but for the end of the line that goes on there.
      if (next.passedOver === true) {
        rest = [await lineRest(file, start + chunk.length)]
        misses = 0
      }
      const first = start === 0 ? 0 : chunk.indexOf(newline) + 1
      if (start > 0 && first === 0) {
        rest.unshift(Buffer.from(chunk))
        let length = rest.reduce((sum, piece) => sum + piece.length, 0)
        while (length - (rest.at(-1)?.length ?? 0) > longestLine) length -= rest.pop()?.length ?? 0
        continue
      }
      const block = joined(chunk, rest, room)
      let found = false
      for (const line of hits(block.subarray(first), start + first, find, atEnd)) {
        if (!found && !(yield* boundLines())) return { reachedStart: false }
        found = true
        yield line
      }
      atEnd = false
      if (sought && !found && ++misses > mostMisses) sought = undefined
      rest = first > 0 ? [Buffer.from(block.subarray(0, first))] : []
    }
  } finally {
    chunks.stop()
  }
}

function joined(chunk: Buffer, rest: readonly Buffer[], room: Buffer | null): Buffer {
  const [piece] = rest
  if (piece === undefined) return chunk
  if (rest.length > 1 || room === null || chunk.length + piece.length > room.length) return Buffer.concat([chunk, ...rest])
  piece.copy(room, chunk.length)
  return room.subarray(0, chunk.length + piece.length)
}

function* hits(block: Buffer, offset: number, find: LineFinder | undefined, atEnd: boolean): Generator<RawLine> {
  const starts = find ? startsOf(find, block) : allStarts(block)
  for (const start of starts) {
    const stop = block.indexOf(newline, start)
    const line = block.subarray(start, stop < 0 ? block.length : stop)
    if (line.length === 0) continue
    yield { offset: offset + start, text: line.subarray(0, longestLine).toString('utf8'), unterminated: atEnd && stop < 0 }
  }
}

function startsOf(find: LineFinder, block: Buffer): number[] {
  const starts: number[] = []
  find(block, (start) => starts.push(start))
  return starts.reverse()
}

function allStarts(block: Buffer): number[] {
  const starts = block.length > 0 ? [0] : []
  for (let at = block.indexOf(newline); at >= 0 && at + 1 < block.length; at = block.indexOf(newline, at + 1)) starts.push(at + 1)
  return starts.reverse()
}

/** Counting lines means reading everything before them; above this size they stay unnumbered. */
const largestCounted = 64 * 1024 * 1024

/** Line numbers (from 1) of these offsets, as far as they are known; null when the file is too large to count. */
export async function lineNumbers(file: OpenFile, offsets: readonly number[]): Promise<Map<number, number> | null> {
  const sorted = [...new Set(offsets)].sort((a, b) => a - b)
  const last = sorted.at(-1)
  if (last === undefined || last > largestCounted) return last === undefined ? new Map() : null
  const numbers = new Map<number, number>()
  let line = 1
  let next = 0
  for (let start = 0; start <= last; start += chunkSize) {
    const chunk = await file.read(start, Math.min(chunkSize, last + 1 - start))
    let from = 0
    while (next < sorted.length) {
      const local = (sorted[next] as number) - start
      if (local > chunk.length) break
      line += count(chunk, from, local)
      from = local
      const original = file.originalLine ? file.originalLine(line) : line
      if (original !== null) numbers.set(sorted[next] as number, original)
      next++
    }
    line += count(chunk, from, chunk.length)
  }
  return numbers
}

function count(chunk: Buffer, from: number, to: number): number {
  let n = 0
  for (let at = chunk.indexOf(newline, from); at >= 0 && at < to; at = chunk.indexOf(newline, at + 1)) n++
  return n
}
