/** Flags that the commands share, and one mapping from errors to exit codes. */
import { Command, Flags } from '@oclif/core'
import { homedir } from 'node:os'
import { UserError } from './errors.ts'
import type { System } from './system/system.ts'

export const sharedFlags = {
  from: Flags.string({ description: 'a recording (capture folder) instead of this machine', helpValue: 'CAPTURE' }),
  config: Flags.string({ description: 'the configuration file of MCPProxy', helpValue: 'FILE' }),
  'log-dir': Flags.string({ description: 'the folder of its logs', helpValue: 'DIR' }),
  'data-dir': Flags.string({ description: 'its data folder', helpValue: 'DIR' }),
  api: Flags.string({ description: 'where its API answers', helpValue: 'URL' }),
  'api-key': Flags.string({ description: 'its API key; also MCPPROXY_API_KEY', helpValue: 'KEY' }),
  'docker-host': Flags.string({ description: 'the engine, as DOCKER_HOST' }),
  context: Flags.string({ description: 'the docker context' }),
  json: Flags.boolean({ description: 'print the report as JSON' }),
  timeout: Flags.integer({ description: 'seconds for everything together', default: 30, min: 1 }),
}

interface SystemFlags {
  from?: string | undefined
  config?: string | undefined
  'log-dir'?: string | undefined
  'data-dir'?: string | undefined
  api?: string | undefined
  'api-key'?: string | undefined
  'docker-host'?: string | undefined
  context?: string | undefined
  timeout?: number
}

export abstract class BaseCommand extends Command {
  protected async open(flags: SystemFlags): Promise<System> {
    if (flags.from !== undefined) return (await import('./system/recorded.ts')).openCapture(flags.from)
    const { createLiveSystem } = await import('./system/live.ts')
    return createLiveSystem({
      config: flags.config, logDir: flags['log-dir'], dataDir: flags['data-dir'], api: flags.api, apiKey: flags['api-key'], dockerHost: flags['docker-host'], context: flags.context,
      deadline: Date.now() + (flags.timeout ?? 30) * 1000, env: process.env, platform: process.platform, homedir: homedir(), uid: process.getuid?.() ?? null,
    })
  }

  protected print(text: string): void {
    process.stdout.write(text)
  }

  protected override async catch(error: Error & { oclif?: { exit?: number } }): Promise<void> {
    const usage = error instanceof UserError || error.oclif?.exit === 2 || /^(?:Nonexistent flag|Missing \d+ required|Unexpected argument|Flag )/.test(error.message)
    const exitCode = usage ? 2 : 4
    const suggestions = error instanceof UserError ? error.suggestions : []
    if (this.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { message: error.message, suggestions, exitCode } }, null, 2)}\n`)
    process.stderr.write(`${[error.message, ...suggestions, ...(usage ? [] : [error.stack ?? '', 'This is a failure of mcpproxy-doctor itself; please report it with these lines.'])].join('\n')}\n`)
    process.exitCode = exitCode
    return Promise.resolve()
  }
}
