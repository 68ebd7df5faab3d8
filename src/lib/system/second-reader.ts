/**
 * A second thread for a large log. It goes through the file from its beginning, piece by piece, while the first thread comes from the end, and
 * tells of each piece whether anything that is wanted may be in it. All else is the work of the first, which finds the same without it.
 */
import type fs from 'node:fs'
import { availableParallelism } from 'node:os'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import { mayHold, type Sought } from '../formats/byte-search.ts'
import { sharedMemory } from '../formats/simd-search.ts'
import type { SharedFile } from './system.ts'

/** How the file is cut, in bytes. The first piece may be shorter; pieces are counted from there. */
export interface Pieces {
  size: number
  /** What is looked at behind a piece together with it. */
  edge: number
  /** Of what is before this nobody wants to know. */
  begin: number
  /** Where the last piece ends. */
  end: number
}

export interface SecondReader {
  /**
   * Whether nothing that is wanted is in the piece that ends there; null: this thread has to look. While the other one looks at it, this one
   * waits. What was asked for is left to this thread.
   */
  isEmpty(end: number): boolean | null
  stop(): void
}

/** What is known of a piece. */
const states = { free: 0, taken: 1, empty: 2, open: 3 }
/** A piece takes less than a millisecond. After so much more the other thread is not waited for again. */
const longestWaitMs = 200

/** Null: there is no second processor, or no thread to be had. */
export function startSecondReader(file: SharedFile, pieces: Pieces, sought: readonly Sought[]): SecondReader | null {
  if (availableParallelism() < 2) return null
  const { size, end } = pieces
  const count = Math.ceil(end / size)
  const roomForPiece = Math.ceil((size + pieces.edge) / 8) * 8
  const latin1 = (bytes: Buffer): string => bytes.toString('latin1')
  const { buffer, byteOffset } = sharedMemory(roomForPiece + count * Int32Array.BYTES_PER_ELEMENT)
  const known = new Int32Array(buffer, byteOffset + roomForPiece, count)
  const task: Task = {
    file,
    pieces,
    states,
    piece: new Uint8Array(buffer, byteOffset, size + pieces.edge),
    known,
    sought: sought.map(({ part, texts }) => ({ part: latin1(part), texts: texts.map(latin1) })),
  }
  // As text: then it is the same in the shipped file and needs none of its own.
  const program = `(${readPieces.toString()})(require('node:worker_threads').workerData, require('node:fs'), ${mayHold.toString()})`
  let worker: Worker
  try {
    worker = new Worker(program, { eval: true, workerData: task, env: SHARE_ENV, execArgv: [] })
  } catch {
    return null
  }
  // What it does not do, the first thread does.
  worker.on('error', () => undefined)
  worker.unref()
  let waits = true
  return {
    isEmpty(pieceEnd) {
      const piece = count - 1 - (end - pieceEnd) / size
      const before = Atomics.compareExchange(known, piece, states.free, states.taken)
      if (before === states.free) return null
      if (before === states.taken && waits) waits = Atomics.wait(known, piece, states.taken, longestWaitMs) !== 'timed-out'
      const now = Atomics.load(known, piece)
      return now === states.taken ? null : now === states.empty
    },
    stop: () => void worker.terminate(),
  }
}

interface Task {
  file: SharedFile
  pieces: Pieces
  states: typeof states
  /** Room for a piece. */
  piece: Uint8Array
  /** Of each piece its state. */
  known: Int32Array
  /** Bytes as characters. */
  sought: { part: string; texts: string[] }[]
}

/** What the other thread does. It uses nothing from around it, because only its text gets there. */
function readPieces(
  { file, pieces, states, piece, known, sought }: Task,
  { openSync, fstatSync, readSync, closeSync, constants }: typeof fs,
  holds: typeof mayHold,
): void {
  // A file of its own: the first thread may close its one at any time.
  const handle = openSync(`/proc/self/fd/${file.descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { dev, ino } = fstatSync(handle)
    // By now the number may be that of another file.
    if (dev !== file.dev || ino !== file.ino) return
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    const wanted = sought.map(({ part, texts }) => ({
      part: Buffer.from(part, 'latin1'),
      texts: texts.map((text) => Buffer.from(text, 'latin1')),
    }))
    const { size, edge, begin, end } = pieces
    const count = known.length
    for (let i = count - Math.ceil((end - begin) / size); i < count; i++) {
      // Here the first thread has been.
      if (Atomics.compareExchange(known, i, states.free, states.taken) !== states.free) return
      const stop = end - (count - 1 - i) * size
      const start = Math.max(0, stop - size)
      let state = states.open
      try {
        const length = stop + edge - start
        let have = 0
        for (let n = -1; n !== 0 && have < length; have += n) n = readSync(handle, bytes, have, length - have, start + have)
        if (have === length && !holds(length === bytes.length ? bytes : bytes.subarray(0, length), wanted)) state = states.empty
      } finally {
        Atomics.store(known, i, state)
        Atomics.notify(known, i)
      }
    }
  } finally {
    closeSync(handle)
  }
}
