/** Runs one command after the other in this process, as asked through IPC: the start of a process for each would take minutes. */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { packageRoot } from './package-root.ts'

export interface Asked {
  args: string[]
  /** The whole environment; absent: as it is. */
  env?: Record<string, string>
  cwd?: string
}

interface Start {
  start(argv: readonly string[], program: unknown): Promise<void>
}
const modules = (await import(pathToFileURL(join(packageRoot(), 'dist/lib/start.js')).href)) as Start

let stdout = ''
let stderr = ''
const keep = (add: (text: string) => void) =>
  ((chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    add(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))
    const done = rest.find((r): r is () => void => typeof r === 'function')
    if (done) setImmediate(done)
    return true
  }) as typeof process.stdout.write
process.stdout.write = keep((text) => (stdout += text))
process.stderr.write = keep((text) => (stderr += text))

function surround({ env, cwd }: Asked): void {
  if (cwd !== undefined) process.chdir(cwd)
  if (env === undefined) return
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
}

process.on('message', (asked: Asked) => {
  surround(asked)
  ;[stdout, stderr] = ['', '']
  process.exitCode = undefined
  void modules.start(asked.args, packageRoot()).finally(() => {
    const exitCode = process.exitCode ?? 0
    process.exitCode = undefined
    process.removeAllListeners('uncaughtException')
    process.send?.({ stdout, stderr, exitCode })
  })
})
// Whatever a command left open: nothing outlives the tests.
process.on('disconnect', () => process.exit())
process.send?.('ready')
