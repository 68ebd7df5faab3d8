/** The program as users run it, or what it is made from; `npm run build` comes first. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { runInIdle } from './cli-process.ts'
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

/**
 * MCPPROXY_DOCTOR_TEST=shipped: the shipped file with its cache of code, each time a process of its own (`npm run test:shipped`). Else
 * the compiled modules: they take long to load, so one process runs many commands, unless a process is what the test is about.
 */
export const shipped = process.env['MCPPROXY_DOCTOR_TEST'] === 'shipped'
const own = { XDG_CACHE_HOME: join(packageRoot(), 'dist-test/cache') }

const modules = 'bin/modules.js'

/** What is read before a command begins, or by Node itself. */
const readAtStart = /^(?:NODE_|FORCE_COLOR$|DEBUG$|COLUMNS$|LANG$)/

/** Nothing of the environment of the tests but PATH and HOME, so that they are the same everywhere. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { env = {}, cwd = packageRoot(), program, stdin, signal, closedPipe } = options
  const whole = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', LANG: 'C.UTF-8', ...own, ...env }
  const asProcess =
    (program === undefined ? shipped : program !== modules) ||
    [stdin, signal, closedPipe].some((o) => o !== undefined) ||
    Object.keys(env).some((n) => readAtStart.test(n))
  return asProcess ? runProcess(args, whole, cwd, options) : { ...(await runInIdle(args, whole, cwd)), signal: null }
}

function runProcess(
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
  { stdin = '', closedPipe = false, signal: sent, program = shipped ? 'bin/run.js' : modules }: CliOptions,
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(packageRoot(), program), ...args], { cwd, env, stdio: 'pipe' })
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
