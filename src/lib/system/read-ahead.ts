/**
 * Passes over the pieces of a large file in which nothing is that is wanted, from its end to its beginning. One of Node's threads reads
 * some of them while this one reads and searches others: to copy a log from the page cache is most of the work.
 *
 * Without promises, and in large pieces: what is called a thousand times is compiled anew by V8, in threads of its own, on the processors that
 * this needs.
 */
import { mayHold, type Sought } from '../formats/byte-search.ts'
import { alignedMemory } from '../formats/simd-search.ts'
import type { OpenFile } from './system.ts'

export interface ReadAhead {
  /**
   * Where the next piece ends that something may be in, at or before this end of a piece; or how far it came until the deadline. At or before the
   * limit: there is none.
   */
  next(end: number): Promise<number>
  stop(): void
}

/** Bytes of a piece. They are counted from where reading begins. */
export const pieceSize = 2 * 1024 * 1024
/** Pieces that may be read before the one that was asked for: that may hold all that was wanted. */
const mostAhead = 8

interface Piece {
  start: number
  end: number
}

export interface Range {
  /** Where the last piece ends. */
  from: number
  /** Of what is before this nobody wants to know. */
  limit: number
  /** What is looked at behind a piece together with it. */
  edge: number
}

/** `deadline`: milliseconds since 1970. */
export function readAhead(
  { readNow, readAside }: Required<Pick<OpenFile, 'readNow' | 'readAside'>>,
  sought: readonly Sought[],
  { from, limit, edge }: Range,
  deadline: number,
): ReadAhead {
  /** By the end of the piece. */
  const isEmpty = new Map<number, boolean>()
  const startOf = (end: number): number => Math.max(0, end - pieceSize)
  let untaken = from
  let asked = from
  let stopped = false
  const take = (): Piece | null => {
    if (stopped || untaken <= limit || asked - untaken > mostAhead * pieceSize) return null
    const end = untaken
    untaken = startOf(end)
    return { start: untaken, end }
  }
  const search = ({ start, end }: Piece, bytes: Buffer): void =>
    void isEmpty.set(end, bytes.length >= end - start && !mayHold(bytes, sought))

  // One is read while the other is searched.
  const rooms = [alignedMemory(pieceSize + edge), alignedMemory(pieceSize + edge)]
  let reading = false
  const readSome = (): void => {
    const piece = reading || rooms.length === 0 ? null : take()
    const room = piece && rooms.pop()
    if (!piece || !room) return
    reading = true
    const done = (bytes: Buffer): void => {
      reading = false
      readSome()
      search(piece, bytes)
      rooms.push(room)
      readSome()
    }
    readAside(piece.start, piece.end - piece.start + edge, room).then(done, () => done(room.subarray(0, 0)))
  }
  readSome()

  const own = alignedMemory(pieceSize + edge)
  return {
    next: (end) =>
      new Promise((resolve, reject) => {
        asked = end
        untaken = Math.min(untaken, end)
        const turn = (): void => {
          while (isEmpty.get(asked) === true) {
            isEmpty.delete(asked)
            asked = startOf(asked)
          }
          if (asked <= limit || isEmpty.get(asked) === false || Date.now() > deadline) return resolve(asked)
          readSome()
          try {
            const piece = take()
            if (piece) search(piece, readNow(piece.start, piece.end - piece.start + edge, own))
          } catch (error) {
            return reject(error as Error)
          }
          setImmediate(turn)
        }
        turn()
      }),
    stop: () => void (stopped = true),
  }
}
