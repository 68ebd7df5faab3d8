/**
 * Reads a log from its end, in chunks of bytes, in bounded memory: the newest lines come first,
 * and the caller stops when it knows. Lines are decoded only when they hold one of the needles.
 */
import { createLineFinder, mayHold, rareParts, type LineFinder, type Sought, type Wanted } from '../formats/byte-search.ts'
import { searchableMemory } from '../formats/simd-search.ts'
import { clock, turn } from './async-fs.ts'
import { worthSecondThread } from './large-log.ts'
import type { SecondReader } from './second-reader.ts'
import type { OpenFile } from './system.ts'

export interface RawLine {
  offset: number
  text: string
  /** The line has no end yet: it is being written, or was cut off. */
  unterminated: boolean
}

export interface BackwardOptions {
  /** Only lines that hold one of these; absent: all lines. */
  needles?: readonly Wanted[]
  /** How far back to go, in bytes. */
  maxBytes: number
  /** Milliseconds since 1970 at which to give up. */
  deadline: number
  bound?: Bound
  /** From how many bytes on a second thread looks through a file, where that can be. Default: where it pays. */
  secondFrom?: number
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

/** Small at first, because what is looked for mostly lies near the end, then large, because each read has its price. */
const firstChunk = 256 * 1024
const chunkSize = 1024 * 1024
/** Room behind a chunk for the beginning of the line that goes on in the chunk after it. */
const spare = 64 * 1024
const newline = 0x0a
/** Of a longer line only its beginning is kept: enough to see what it is, too little to fill memory. */
export const longestLine = 4 * 1024 * 1024

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

/** Lines of a span that hold a text, newest first. False: it could not be searched to its beginning. */
async function* linesIn(file: OpenFile, { begin, end }: Span, text: string, deadline: number): AsyncGenerator<RawLine, boolean> {
  const room = Buffer.allocUnsafeSlow(readSize + pageSize + edge)
  for (let stop = end; stop > begin;) {
    await turn()
    if (Date.now() > deadline) return false
    const start = Math.max(begin, chunkStart(stop, readSize))
    // With what a text could go on with behind it.
    const length = Math.min(file.size, stop + edge) - start
    const chunk = file.readNow ? file.readNow(start, length, room) : await file.read(start, length, room)
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
    const piece = await file.read(start, stop - start)
    const at = piece.lastIndexOf(newline)
    if (at >= 0) return start + at + 1
    stop = start
  }
  return Math.max(0, place - longestLine)
}

/** From there to the end of the line, or what is kept of it. */
async function lineRest(file: OpenFile, offset: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let at = offset; at - offset < longestLine;) {
    const length = pieces.length === 0 ? pageSize : spare
    const piece = file.readNow ? file.readNow(at, length, Buffer.allocUnsafe(length)) : await file.read(at, length)
    const end = piece.indexOf(newline) + 1
    pieces.push(end > 0 ? piece.subarray(0, end) : piece)
    if (end > 0 || piece.length === 0) break
    at += piece.length
  }
  return Buffer.concat(pieces)
}

/** What is looked for, chosen by this chunk if it is not yet; `others`: without the bound, once it is known. Null: nothing may be passed over now. */
type SoughtNow = (chunk?: Buffer) => { all: readonly Sought[]; others: readonly Sought[] } | null

/** Of a file, in bytes. */
interface Span {
  begin: number
  end: number
}

interface Chunk {
  start: number
  /** The chunk that stands directly behind it in the file was passed over, because nothing that is wanted is there. */
  passedOver?: boolean
  chunk: Buffer
  /** The buffer that begins with `chunk` and is free behind it; null: there is none. */
  room: Buffer | null
}

/** After so many chunks read at once others get their turn (signals, timers). */
const turnAfter = 8
/** So much is read at once from a file that needs no waiting. Each read and search has its price, and more than this gains nothing. */
const readSize = 2 * 1024 * 1024
/** So much behind a chunk is looked at with it: parts that go on there, which are shorter, and lines that end there. */
const edge = 64
/** Where chunks begin: a copy to the beginning of a page is fast from the beginning of a page. */
const pageSize = 4096
const chunkStart = (end: number, size: number): number => Math.max(0, Math.floor((end - size) / pageSize) * pageSize)

/** Chunk after chunk, from the end of a file to its beginning. */
interface Chunks {
  next(): Promise<Chunk | 'start' | 'stopped'>
  /** Where chunks were passed over since this was asked that were not searched for the bound. */
  unchecked(): Span | null
  stop(): void
}

/**
 * From the page cache of a local file, at once into one buffer: that is twice as fast as any waiting. From elsewhere, one chunk is read while the one behind it is searched.
 */
function chunksBackward(file: OpenFile, limit: number, options: BackwardOptions, sought: SoughtNow): Chunks {
  const { readNow } = file
  return readNow ? chunksAtOnce(file, readNow, limit, options, sought) : chunksAhead(file, limit, options.deadline)
}

/** From a disk that needs so long for a chunk, two threads would only be in each other's way. */
const slowMs = 10
const mostSlow = 8

function chunksAtOnce(
  file: OpenFile,
  readNow: NonNullable<OpenFile['readNow']>,
  limit: number,
  { deadline, secondFrom = worthSecondThread }: BackwardOptions,
  sought: SoughtNow,
): Chunks {
  let end = file.size
  let room: Buffer | undefined
  let reads = 0
  let slow = 0
  /** Null: there is none. */
  let second: SecondReader | null | undefined
  let secondLooksForAll = true
  let unchecked: Span | null = null
  const startSecond = async (now: readonly Sought[]): Promise<SecondReader | null> => {
    if (!file.shared || end - limit < secondFrom) return null
    const { startSecondReader } = await import('./second-reader.ts')
    return startSecondReader(file.shared, { size: readSize, edge, begin: limit, end }, now)
  }
  const timed = (start: number, length: number, into: Buffer): Buffer => {
    const begun = clock()
    const read = readNow(start, length, into)
    if (second && clock() - begun > slowMs && ++slow > mostSlow) {
      second.stop()
      second = null
    }
    return read
  }
  return {
    stop: () => second?.stop(),
    unchecked() {
      const taken = unchecked
      unchecked = null
      return taken
    },
    next: async () => {
      // Where nothing is found there is nothing else to do: this is the loop that reads whole logs.
      let now = sought()
      for (let passedOver = false; ; passedOver = true) {
        if (end === 0) return 'start'
        if (end <= limit || Date.now() > deadline) return 'stopped'
        const start = chunkStart(end, reads === 0 ? firstChunk : readSize)
        const length = end - start
        if (second === undefined && now !== null) {
          second = await startSecond(now.others)
          secondLooksForAll = now.others === now.all
        }
        if (second?.isEmpty(end) === true && now !== null) {
          if (!secondLooksForAll) unchecked = { begin: start, end: unchecked?.end ?? end }
          end = start
          continue
        }
        // What can be searched in place is worth its price only when the first chunk did not have it.
        if (reads === 0) room = Buffer.allocUnsafeSlow(length + spare)
        else if (reads === 1) room = searchableMemory(readSize + pageSize + spare)
        const into = room as Buffer
        if (reads > 0 && reads % turnAfter === 0) await turn()
        // With what a part could go on with in the chunk behind it.
        const read = reads === 0 ? await file.read(start, length, into) : timed(start, length + edge, into)
        if (read.length < length) return 'stopped'
        // Not by the first chunk, which is small, and holds what other ones do not.
        now ??= reads > 0 ? sought(read) : null
        reads++
        end = start
        if (now === null || mayHold(read, now.all)) return { start, chunk: read.subarray(0, length), room: into, passedOver }
      }
    },
  }
}

function chunksAhead(file: OpenFile, limit: number, deadline: number): Chunks {
  const buffers: Buffer[] = []
  let turn = 0
  let end = file.size
  let size = firstChunk
  const begin = (): Promise<Chunk | 'start' | 'stopped'> => {
    if (end === 0) return Promise.resolve('start')
    if (end <= limit) return Promise.resolve('stopped')
    const start = chunkStart(end, size)
    const length = end - start
    end = start
    size = chunkSize
    const into = (buffers[turn] ??= start === 0 ? Buffer.allocUnsafeSlow(length + spare) : searchableMemory(chunkSize + pageSize + spare))
    // Two in turn: one is searched while the other is filled.
    turn = 1 - turn
    const chunk = file.read(start, length, into).then((read): Chunk | 'stopped' =>
      // Somebody cut the file short (logrotate's copytruncate): what is there now is another log.
      read.length < length
        ? 'stopped'
        : { start, chunk: read, room: read.buffer === into.buffer && read.byteOffset === into.byteOffset ? into : null },
    )
    // A caller who has found what it wanted never asks for it.
    chunk.catch(() => undefined)
    return chunk
  }
  let ahead = begin()
  return {
    stop: () => undefined,
    unchecked: () => null,
    next: async () => {
      const next = await ahead
      if (next === 'start' || next === 'stopped') return next
      if (Date.now() > deadline) return 'stopped'
      ahead = begin()
      return next
    },
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
