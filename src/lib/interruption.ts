/** Ctrl-C, SIGTERM and the end of the terminal: the first one ends the work so that everything is closed, the second one the process. */
import { Stop } from './stop.ts'
import { Interrupted, type StopSignal } from './report/failure.ts'

const signals: StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
/** A terminal sends Ctrl-C to all processes in it, and those that started us (npx) hand it on: that is one signal, and not two. */
const sameMs = 200

export interface Interruption {
  /** Never fulfilled; rejected by the first signal, or after the grace. */
  stopped: Promise<never>
  /** Aborted by the first signal, with an `Interrupted`. */
  asked: Stop
  forget(): void
}

/** `graceMs`: how long the work may take to say what it knows; nobody reads what a terminal that is gone would be told. */
export function interruption(graceMs = 0): Interruption {
  const asked = new Stop()
  let reject: (reason: Interrupted) => void = () => undefined
  const stopped = new Promise<never>((_, no) => (reject = no))
  // Nobody may be waiting any more when the signal comes.
  stopped.catch(() => undefined)
  let grace: NodeJS.Timeout | undefined
  let same: NodeJS.Timeout | undefined
  const forget = (): void => {
    for (const signal of signals) process.removeListener(signal, stop)
  }
  function stop(signal: StopSignal): void {
    if (asked.aborted) return
    const reason = new Interrupted(signal)
    // Without a listener of ours the next one does what signals do.
    same = setTimeout(forget, sameMs)
    same.unref()
    asked.abort(reason)
    if (graceMs === 0 || signal === 'SIGHUP') reject(reason)
    else grace = setTimeout(() => reject(reason), graceMs)
  }
  // Not `once`: the spinner's own listener (signal-exit) ends the process when it finds itself alone.
  for (const signal of signals) process.on(signal, stop)
  return {
    stopped,
    asked,
    forget() {
      clearTimeout(grace)
      if (same === undefined) forget()
    },
  }
}
