/** A thread that is begun before it is known what for, because to begin takes it forty milliseconds (second-reader.ts). */
import fs from 'node:fs'
import { availableParallelism } from 'node:os'
import threads from 'node:worker_threads'

export interface Thread {
  /** `program`: the text of a function of this task and of `node:fs`. It uses nothing from around it. */
  run: (program: string, task: object) => void
  stop: () => void
}

/** Begun for work that is expected; whoever needs one takes it. */
let spare: Thread | null = null

/** False: there is none. */
export function prepareThread(): boolean {
  spare ??= beginThread()
  return spare !== null
}

/** Null: there is no second processor, no room for a thread, or none to be had. */
export function takeThread(): Thread | null {
  const thread = spare ?? beginThread()
  spare = null
  return thread
}

/** As text: then it is the same in the shipped file and needs none of its own. It waits without a turn of its event loop, which would take longer. */
const waiting = `
  const { workerData, parentPort, receiveMessageOnPort } = require('node:worker_threads')
  Atomics.wait(workerData, 0, 0)
  const { program, task } = receiveMessageOnPort(parentPort).message
  ;(0, eval)(program)(task, require('node:fs'))`

function beginThread(): Thread | null {
  if (availableParallelism() < 2 || hasLimitedMemory()) return null
  let worker: threads.Worker
  let called: Int32Array
  try {
    called = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    // Nothing of what NODE_OPTIONS asks for is loaded again, and nothing is printed.
    worker = new threads.Worker(waiting, { eval: true, workerData: called, env: {}, execArgv: [], stdout: true, stderr: true })
  } catch {
    return null
  }
  // What it does not do, the first thread does.
  worker.on('error', () => undefined)
  worker.unref()
  return {
    run(program, task) {
      worker.postMessage({ program: `(${program})`, task })
      Atomics.store(called, 0, 1)
      Atomics.notify(called, 0)
    },
    stop: () => void worker.terminate(),
  }
}

/** V8 ends the process when it cannot reserve addresses for a thread, some gigabytes of which it uses next to nothing. */
function hasLimitedMemory(): boolean {
  try {
    return !/^Max address space +unlimited /m.test(fs.readFileSync('/proc/self/limits', 'latin1'))
  } catch {
    return true
  }
}
