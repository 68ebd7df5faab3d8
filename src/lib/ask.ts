/** A question to the person at the terminal. */
import { createInterface } from 'node:readline'

/** Asked on standard error, so that standard output holds the result only. Anything but yes is no, also the end of the input. */
export function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  return new Promise((resolve) => {
    terminal.once('close', () => resolve(false))
    // While it reads, the terminal hands Ctrl-C to readline instead of making a signal of it.
    terminal.on('SIGINT', () => {
      terminal.close()
      process.kill(process.pid, 'SIGINT')
    })
    terminal.question(question, (answer) => {
      resolve(/^\s*y(es)?\s*$/i.test(answer))
      terminal.close()
    })
  })
}
