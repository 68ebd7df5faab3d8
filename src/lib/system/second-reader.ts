/**
 * A second thread for a large log. It goes through the file from its beginning, piece by piece, while the first thread comes from the end, and
 * tells of each piece whether it can be passed over. All else is the work of the first, which finds the same without it.
 */
import type fs from 'node:fs'
import { mayHold, type Sought } from '../formats/byte-search.ts'
import { sharedMemory } from '../formats/simd-search.ts'
import { takeThread } from './spare-thread.ts'
import type { SharedFile } from './system.ts'

/** How the file is cut, in bytes. Pieces are counted from the last one; the one at the beginning of the file may be shorter. */
export interface Pieces {
  size: number
  /** What is looked at behind a piece together with it. */
  edge: number
  /** Pieces that end here or before are not looked at. */
  begin: number
  /** Where the last piece ends. */
  end: number
}

export interface SecondReader {
  /**
   * Whether it is known that nothing that is wanted is in the piece that ends there. While the other thread looks at it, this one waits. What was
   * asked for the other thread leaves alone.
   */
  isEmpty(pieceEnd: number): boolean
  stop(): void
}

/** What is known of a piece. */
const states = { free: 0, taken: 1, empty: 2, uncertain: 3 }
/** A piece takes less than a millisecond. Where one takes so much longer, no other is waited for. */
const longestWaitMs = 200

/** Null: there is no second processor, no room for a thread, or none to be had. */
export function startSecondReader(file: SharedFile, pieces: Pieces, sought: readonly Sought[]): SecondReader | null {
  const thread = takeThread()
  if (thread === null) return null
  const { size, edge, begin, end } = pieces
  const count = Math.ceil((end - begin) / size)
  let known: Int32Array
  try {
    known = new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT))
    const task: Task = { file, pieces, states, known, sought, bytes: sharedMemory(size + edge) }
    thread.run(`(task, fs) => (${readPieces.toString()})(task, fs, ${mayHold.toString()})`, task)
  } catch {
    thread.stop()
    return null
  }
  let waits = true
  return {
    isEmpty(pieceEnd) {
      const piece = (end - pieceEnd) / size
      const before = Atomics.compareExchange(known, piece, states.free, states.taken)
      if (before === states.taken && waits) waits = Atomics.wait(known, piece, states.taken, longestWaitMs) !== 'timed-out'
      return Atomics.load(known, piece) === states.empty
    },
    // It ends by itself where it finds nothing left to do. To be ended from here takes this thread two milliseconds.
    stop() {
      for (let piece = 0; piece < count; piece++) Atomics.compareExchange(known, piece, states.free, states.taken)
    },
  }
}

interface Task {
  file: SharedFile
  pieces: Pieces
  states: typeof states
  /** Of each piece its state. */
  known: Int32Array
  /** There these are no Buffers any more. */
  sought: readonly { part: Uint8Array; texts: readonly Uint8Array[] }[]
  /** Room for a piece. */
  bytes: Uint8Array
}

/** What the other thread does. It uses nothing from around it, because only its text gets there. */
function readPieces(
  { file, pieces, states, known, sought, bytes }: Task,
  { constants, statSync, openSync, fstatSync, readSync, closeSync }: typeof fs,
  holds: typeof mayHold,
): void {
  // A file of its own: the first thread may close its one at any time, and then the number is that of another.
  const path = `/proc/self/fd/${file.descriptor}`
  const isSame = ({ dev, ino }: fs.Stats): boolean => dev === file.dev && ino === file.ino
  if (!isSame(statSync(path))) return
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    if (!isSame(fstatSync(handle))) return
    const room = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const wanted = sought.map(({ part, texts }) => ({ part: Buffer.from(part), texts: texts.map((text) => Buffer.from(text)) }))
    const { size, edge, end } = pieces
    for (let piece = known.length - 1; piece >= 0; piece--) {
      // Here the first thread has been.
      if (Atomics.compareExchange(known, piece, states.free, states.taken) !== states.free) return
      const pieceEnd = end - piece * size
      const start = Math.max(0, pieceEnd - size)
      let state = states.uncertain
      try {
        const length = pieceEnd + edge - start
        let have = 0
        for (let n = -1; n !== 0 && have < length; have += n) n = readSync(handle, room, have, length - have, start + have)
        if (have === length && !holds(room.subarray(0, length), wanted)) state = states.empty
      } finally {
        Atomics.store(known, piece, state)
        Atomics.notify(known, piece)
      }
    }
  } finally {
    closeSync(handle)
  }
}
