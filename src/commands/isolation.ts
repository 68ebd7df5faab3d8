import { Args, Flags } from '@oclif/core'
import { SystemCommand } from '../lib/base-command.ts'

export default class Isolation extends SystemCommand {
  static override summary = 'Say whether a server is isolated, and where that comes from.'
  static override description =
    'Step 1. Shows the decision, and every part of the docker command with its origin: a key of the configuration, a default, or MCPProxy itself.'
  static override usage = '<%= command.id %> SERVER [--explain] [FLAGS]'
  static override examples = [
    '<%= config.bin %> isolation everything',
    {
      description: 'Also what is overridden, by whom, and what has no effect:',
      command: '<%= config.bin %> isolation everything --explain',
    },
    '<%= config.bin %> isolation everything --from capture/ --json',
  ]

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of the server, as in mcpServers.', required: true }),
  }

  static override flags = {
    explain: Flags.boolean({ description: 'Also what is overridden, by whom, and which settings have no effect.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Isolation)
    const { isolationReport } = await import('../lib/workflow/step-reports.ts')
    await this.runStep(flags, (system, timeoutMs) => isolationReport(system, args.server, { timeoutMs, explain: Boolean(flags.explain) }))
  }
}
