/** Processes that run many commands, each one after the other. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Asked } from './cli-child.ts'
import { packageRoot } from './package-root.ts'

export interface Ran {
  stdout: string
  stderr: string
  exitCode: number
}

export interface CliProcess {
  run(args: readonly string[], around?: { env: Record<string, string>; cwd: string }): Promise<Ran>
  end(): void
}

/** Its channel keeps the process of the tests only while something runs. */
export async function cliProcess(env: Record<string, string>, cwd = packageRoot()): Promise<CliProcess> {
  const child = fork(join(import.meta.dirname, 'cli-child.js'), {
    cwd,
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await message(child, 'starting')
  hold(child, false)
  return {
    async run(args, around) {
      hold(child, true)
      const answer = message(child, `running ${args.join(' ')}`)
      const asked: Asked = { args: [...args], ...around }
      child.send(asked)
      try {
        return (await answer) as Ran
      } finally {
        hold(child, false)
      }
    },
    end: () => child.disconnect(),
  }
}

/** The next one; an error if the process ends before. */
async function message(child: ChildProcess, doing: string): Promise<unknown> {
  const over = new AbortController()
  const gone = once(child, 'exit', { signal: over.signal }).then(() => Promise.reject(new Error(`it ended while ${doing}`)))
  try {
    const [value] = (await Promise.race([once(child, 'message', { signal: over.signal }), gone])) as [unknown]
    return value
  } finally {
    gone.catch(() => undefined)
    over.abort()
  }
}

function hold(child: ChildProcess, held: boolean): void {
  if (held) child.ref()
  else child.unref()
  if (held) child.channel?.ref()
  else child.channel?.unref()
}

const idle: CliProcess[] = []

/** One command in a process that no other uses at the time; a new one when all are at work. */
export async function runInIdle(args: readonly string[], env: Record<string, string>, cwd: string): Promise<Ran> {
  const cli = idle.pop() ?? (await cliProcess({}))
  const ran = await cli.run(args, { env, cwd })
  idle.push(cli)
  return ran
}
