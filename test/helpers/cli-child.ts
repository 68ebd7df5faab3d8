/** Runs one command after the other in this process, as asked through IPC: the start of a process for each would take minutes. */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { Config } from '@oclif/core'
import { packageRoot } from './package-root.ts'

interface Start {
  start(argv: readonly string[], program: unknown): Promise<void>
}
const modules = (await import(pathToFileURL(join(packageRoot(), 'dist/lib/start.js')).href)) as Start
const config = await Config.load(packageRoot())
/** Loaded once, and every command by oclif itself. */
const program = { run: () => null, options: () => Promise.resolve(config) }

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

process.on('message', ({ args }: { args: string[] }) => {
  ;[stdout, stderr] = ['', '']
  process.exitCode = undefined
  void modules.start(args, program).finally(() => {
    const exitCode = process.exitCode ?? 0
    process.exitCode = undefined
    process.removeAllListeners('uncaughtException')
    process.send?.({ stdout, stderr, exitCode })
  })
})
process.send?.('ready')
