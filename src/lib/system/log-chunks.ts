/** Reads a file from its end, chunk after chunk; chunks of which nothing is wanted are passed over, a second thread helps with large files. */
import { mayHold, type Sought } from '../formats/byte-search.ts'
import { searchableMemory } from '../formats/simd-search.ts'
import { clock, isTurnDue, turn } from './async-fs.ts'
import { worthSecondThread } from './large-log.ts'
import type { SecondReader } from './second-reader.ts'
import type { OpenFile } from './system.ts'

/** Small at first, because what is looked for mostly lies near the end, then large, because each read has its price. */
const firstChunk = 256 * 1024
export const chunkSize = 1024 * 1024
/** Room behind a chunk for the beginning of the line that goes on in the chunk after it. */
const spare = 64 * 1024

export interface ChunkOptions {
  /** Milliseconds since 1970 at which to give up. */
  deadline: number
  /** From how many bytes on a second thread looks through a file, where that can be. Default: where it pays. */
  secondFrom?: number
}

/** What is looked for, chosen by this chunk if it is not yet; `others`: without the bound, once it is known. Null: nothing may be passed over now. */
type SoughtNow = (chunk?: Buffer) => { all: readonly Sought[]; others: readonly Sought[] } | null

/** Of a file, in bytes. */
export interface Span {
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

/** So much is read at once from a file that needs no waiting. Each read and search has its price, and more than this gains nothing. */
export const readSize = 2 * 1024 * 1024
/** So much behind a chunk is looked at with it: parts that go on there, which are shorter, and lines that end there. */
export const edge = 64
/** Where chunks begin: a copy to the beginning of a page is fast from the beginning of a page. */
export const pageSize = 4096
export const chunkStart = (end: number, size: number): number => Math.max(0, Math.floor((end - size) / pageSize) * pageSize)

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
export function chunksBackward(file: OpenFile, limit: number, options: ChunkOptions, sought: SoughtNow): Chunks {
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
  { deadline, secondFrom = worthSecondThread }: ChunkOptions,
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
  /** How much this thread has passed over without a look for the bound, in bytes. */
  let unlooked = 0
  // A bound is mostly near the end. Further ahead a look for it costs more than to go on, as long as it is not too far.
  const isFar = (place: number): boolean => file.size - place > secondFrom / 8 && unlooked < secondFrom
  /** `forAll`: it was looked at for the bound too. In front of what was not it is searched again: a line may begin in one and be told by its text in the other. */
  const passOver = (start: number, forAll: boolean): void => {
    if (!forAll || unchecked !== null) unchecked = { begin: start, end: unchecked?.end ?? end }
    end = start
  }
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
          passOver(start, secondLooksForAll)
          continue
        }
        // What can be searched in place is worth its price only when the first chunk did not have it.
        if (reads === 0) room = Buffer.allocUnsafeSlow(length + spare)
        else if (reads === 1) room = searchableMemory(readSize + pageSize + spare)
        const into = room as Buffer
        if (isTurnDue()) await turn()
        // With what a part could go on with in the chunk behind it.
        const read = reads === 0 ? await file.read(start, length, into) : timed(start, length + edge, into)
        if (read.length < length) return 'stopped'
        // Not by the first chunk, which is small, and holds what other ones do not.
        now ??= reads > 0 ? sought(read) : null
        reads++
        const wanted = now && (second && isFar(end) ? now.others : now.all)
        if (wanted === null || mayHold(read, wanted)) {
          end = start
          return { start, chunk: read.subarray(0, length), room: into, passedOver }
        }
        const forAll = wanted === now?.all
        if (!forAll) unlooked += length
        passOver(start, forAll)
      }
    },
  }
}

function chunksAhead(file: OpenFile, limit: number, deadline: number): Chunks {
  const buffers: Buffer[] = []
  let filling = 0
  let end = file.size
  let size = firstChunk
  const begin = (): Promise<Chunk | 'start' | 'stopped'> => {
    if (end === 0) return Promise.resolve('start')
    if (end <= limit) return Promise.resolve('stopped')
    const start = chunkStart(end, size)
    const length = end - start
    end = start
    size = chunkSize
    const into = (buffers[filling] ??=
      start === 0 ? Buffer.allocUnsafeSlow(length + spare) : searchableMemory(chunkSize + pageSize + spare))
    // Two in turn: one is searched while the other is filled.
    filling = 1 - filling
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
