import { Args, Flags } from '@oclif/core'
import { SystemCommand } from '../lib/base-command.ts'
import { UserError } from '../lib/errors.ts'
import type { LiveSystem } from '../lib/system/live.ts'

export default class Reload extends SystemCommand {
  static override summary = 'Make MCPProxy take the configuration, and prove that a server runs with it.'
  static override description = `Restarts SERVER in the way that the version of MCPProxy knows, and waits for the proof: a new start with the arguments that the
file leads to, the handshake, its tools and its container, all of it still there after a while, and no other server worse.
Without SERVER it restarts every enabled server that is not connected.
A restart that would hit another server, or enable a disabled one, is refused without --yes.

Exit code: 0 proven, 1 it does not work, 2 wrong usage or refused, 3 could not tell, 4 a fault of mcpproxy-doctor.`

  static override usage = '<%= command.id %> [SERVER] [--all] [FLAGS]'
  static override examples = ['<%= config.bin %> reload everything', '<%= config.bin %> reload --all']
  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of a server, as in mcpServers.' }),
  }

  static override flags = {
    all: Flags.boolean({ description: 'Every enabled server, one after the other.' }),
    yes: Flags.boolean({ description: 'Also when it hits another server, or enables this one.' }),
    wait: Flags.integer({
      description: 'How long to wait until a server is connected.',
      helpValue: 'SECONDS',
      default: 200,
      min: 1,
      max: 3600,
    }),
    stable: Flags.integer({ description: 'How long it has to stay connected.', helpValue: 'SECONDS', default: 10, min: 0, max: 3600 }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Reload)
    const servers = args.server === undefined ? [] : [args.server]
    if (flags.all && servers.length > 0)
      throw new UserError('The name of a server and --all exclude each other.', ['Leave out one of them.'])
    if (flags.from !== undefined) throw new UserError('A capture is only looked at: nothing can be restarted in it.')
    const { reload } = await import('../lib/workflow/reload.ts')
    const [connectMs, stableMs, timeoutMs] = [flags.wait * 1000, flags.stable * 1000, flags.timeout * 1000]
    // The whole takes longer than the look at the beginning; each wait has its own limit.
    const report = await this.withSystem({ ...flags, timeout: 24 * 3600 }, (system, progress) =>
      reload(system as LiveSystem, { servers, all: flags.all, yes: flags.yes, connectMs, stableMs, timeoutMs, progress }),
    )
    if (flags.json) {
      const { renderJson } = await import('../lib/report/json.ts')
      this.print(renderJson({ schemaVersion: 1, ...report }))
    } else {
      const { renderReload } = await import('../lib/report/fix-text.ts')
      this.print(renderReload(report, await this.theme(flags)))
    }
    process.exitCode = report.exitCode
  }
}
