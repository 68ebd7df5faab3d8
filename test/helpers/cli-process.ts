/** One process that runs many commands, one after the other. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from './package-root.ts'

export interface Ran {
  stdout: string
  stderr: string
  exitCode: number
}

export interface CliProcess {
  run(args: readonly string[]): Promise<Ran>
  end(): void
}

export async function cliProcess(env: Record<string, string>, cwd = packageRoot()): Promise<CliProcess> {
  const child = fork(join(import.meta.dirname, 'cli-child.js'), {
    cwd,
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await once(child, 'message')
  return {
    async run(args) {
      const answer = once(child, 'message')
      child.send({ args })
      const gone = once(child, 'exit').then(() => Promise.reject(new Error(`it ended while running ${args.join(' ')}`)))
      gone.catch(() => undefined)
      const [ran] = (await Promise.race([answer, gone])) as [Ran]
      return ran
    },
    end: () => void child.kill(),
  }
}
