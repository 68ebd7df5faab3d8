/** Flags that the commands share, and one mapping from errors to exit codes. */
import { Command, Flags } from '@oclif/core'
import { UserError } from './errors.ts'
import type { System } from './system/system.ts'

export const sharedFlags = {
  from: Flags.string({ description: 'a recording (capture folder) instead of this machine', helpValue: 'CAPTURE' }),
  json: Flags.boolean({ description: 'print the report as JSON' }),
  timeout: Flags.integer({ description: 'seconds for everything together', default: 30, min: 1 }),
}

export abstract class BaseCommand extends Command {
  protected async open(flags: { from?: string | undefined }): Promise<System> {
    if (flags.from === undefined) throw new UserError('Looking at the live machine is not built yet; give a recording with --from CAPTURE.')
    const { openCapture } = await import('./system/recorded.ts')
    return openCapture(flags.from)
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
