/** The program as a process of its own; `npm run build` comes first. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from './package-root.ts'

export interface CliResult {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}
export interface CliOptions {
  env?: Record<string, string>
  cwd?: string
  stdin?: string
  /** Nobody reads what it writes. */
  closedPipe?: boolean
  /** Sent when that has happened. */
  signal?: { name: NodeJS.Signals; when: Promise<unknown> }
  /** `bin/run.js`: the shipped file, `bin/modules.js`: the compiled modules. */
  program?: string
}

/** MCPPROXY_DOCTOR_TEST=shipped: the shipped file, with its cache of code; else the compiled modules (`npm run test:shipped`). */
export const shipped = process.env['MCPPROXY_DOCTOR_TEST'] === 'shipped'
const own = { XDG_CACHE_HOME: join(packageRoot(), 'dist-test/cache') }

/** Nothing of the environment of the tests but PATH and HOME, so that they are the same everywhere. */
export function runCli(
  args: readonly string[],
  { env = {}, cwd, stdin = '', closedPipe = false, signal: sent, program = shipped ? 'bin/run.js' : 'bin/modules.js' }: CliOptions = {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(packageRoot(), program), ...args], {
      cwd: cwd ?? packageRoot(),
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8', ...own, ...env },
      stdio: 'pipe',
    })
    const result: CliResult = { exitCode: null, signal: null, stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (result.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (result.stderr += text))
    child.on('error', reject)
    child.on('close', (exitCode, signal) => resolve({ ...result, exitCode, signal }))
    if (closedPipe) child.stdout.destroy()
    child.stdin.on('error', () => undefined).end(stdin)
    void sent?.when.then(() => child.kill(sent.name))
  })
}
