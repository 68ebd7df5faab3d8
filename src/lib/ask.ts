/** A question to the person at the terminal. */
import { createInterface } from 'node:readline/promises'

/** Asked on standard error, so that standard output holds the result only. Anything but yes is no. */
export async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^\s*y(es)?\s*$/i.test(await terminal.question(question))
  } finally {
    terminal.close()
  }
}
