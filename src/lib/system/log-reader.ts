/**
 * Reads a log from its end, in chunks of bytes, in bounded memory: the newest lines come first,
 * and the caller stops when it knows. Lines are decoded only when they hold one of the needles.
 */
import type { OpenFile } from './system.ts'

export interface RawLine {
  offset: number
  text: string
  /** The line has no end yet: it is being written, or was cut off. */
  unterminated: boolean
}

export interface BackwardOptions {
  /** Only lines that hold one of these; absent: all lines. */
  needles?: readonly string[]
  /** How far back to go, in bytes. */
  maxBytes: number
  /** Milliseconds since 1970 at which to give up. */
  deadline: number
}

export interface BackwardEnd {
  /** True: the beginning of the file was reached. */
  reachedStart: boolean
}

const chunkSize = 256 * 1024
const newline = 0x0a
/** Of a longer line only its beginning is kept: enough to see what it is, too little to fill memory. */
export const longestLine = 4 * 1024 * 1024

/** Lines newest first. The return value tells whether the beginning of the file was reached. */
export async function* linesBackward(file: OpenFile, options: BackwardOptions): AsyncGenerator<RawLine, BackwardEnd> {
  const needles = options.needles?.map((n) => Buffer.from(n))
  const limit = Math.max(0, file.size - options.maxBytes)
  let end = file.size
  // What was read of a line whose beginning is further ahead in the file, in pieces, the earliest first.
  let rest: Buffer[] = []
  let atEnd = true
  while (end > 0) {
    if (end <= limit || Date.now() > options.deadline) return { reachedStart: false }
    const start = Math.max(0, end - chunkSize)
    const chunk = await file.read(start, end - start)
    // Somebody cut the file short (logrotate's copytruncate): what is there now is another log.
    if (chunk.length < end - start) return { reachedStart: false }
    const first = start === 0 ? 0 : chunk.indexOf(newline) + 1
    if (start > 0 && first === 0) {
      rest.unshift(chunk)
      while (rest.length * chunkSize > longestLine + chunkSize) rest.pop()
      end = start
      continue
    }
    const block = rest.length > 0 ? Buffer.concat([chunk, ...rest]) : chunk
    yield* hits(block.subarray(first), start + first, needles, atEnd)
    atEnd = false
    rest = first > 0 ? [Buffer.from(block.subarray(0, first))] : []
    end = start
  }
  return { reachedStart: file.cut !== true }
}

function* hits(block: Buffer, offset: number, needles: readonly Buffer[] | undefined, atEnd: boolean): Generator<RawLine> {
  const starts = needles ? lineStarts(block, needles) : allStarts(block)
  for (const start of starts) {
    const stop = block.indexOf(newline, start)
    const line = block.subarray(start, stop < 0 ? block.length : stop)
    if (line.length === 0) continue
    yield { offset: offset + start, text: line.subarray(0, longestLine).toString('utf8'), unterminated: atEnd && stop < 0 }
  }
}

function allStarts(block: Buffer): number[] {
  const starts = block.length > 0 ? [0] : []
  for (let at = block.indexOf(newline); at >= 0 && at + 1 < block.length; at = block.indexOf(newline, at + 1)) starts.push(at + 1)
  return starts.reverse()
}

function lineStarts(block: Buffer, needles: readonly Buffer[]): number[] {
  const starts = new Set<number>()
  for (const needle of needles) {
    for (let at = block.indexOf(needle); at >= 0;) {
      starts.add(block.lastIndexOf(newline, at) + 1)
      const stop = block.indexOf(newline, at)
      at = stop < 0 ? -1 : block.indexOf(needle, stop + 1)
    }
  }
  return [...starts].sort((a, b) => b - a)
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
