/** Ctrl-C, SIGTERM and the end of the terminal as a rejection, so that everything is closed on the way out. */
import { Interrupted, type StopSignal } from './report/failure.ts'

const signals: StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export interface Interruption {
  /** Never fulfilled; rejected by the first signal. */
  stopped: Promise<never>
  forget(): void
}

export function interruption(): Interruption {
  let stop: (signal: StopSignal) => void = () => undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = (signal) => reject(new Interrupted(signal))
  })
  // Nobody may be waiting any more when the signal comes.
  stopped.catch(() => undefined)
  // Not `once`: the spinner's own listener (signal-exit) ends the process when it finds itself alone.
  for (const signal of signals) process.on(signal, stop)
  return {
    stopped,
    forget() {
      for (const signal of signals) process.removeListener(signal, stop)
    },
  }
}
