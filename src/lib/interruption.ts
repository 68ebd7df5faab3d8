/** Ctrl-C and SIGTERM as a rejection, so that everything is closed on the way out. */
import { Interrupted } from './report/failure.ts'

export interface Interruption {
  /** Never fulfilled; rejected by the first signal. */
  stopped: Promise<never>
  forget(): void
}

export function interruption(): Interruption {
  let stop: (signal: 'SIGINT' | 'SIGTERM') => void = () => undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = (signal) => reject(new Interrupted(signal))
  })
  // Nobody may be waiting any more when the signal comes.
  stopped.catch(() => undefined)
  // Not `once`: the spinner's own listener (signal-exit) ends the process when it finds itself alone.
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return {
    stopped,
    forget() {
      process.removeListener('SIGINT', stop)
      process.removeListener('SIGTERM', stop)
    },
  }
}
