import { Args, Flags } from '@oclif/core'
import { SystemCommand } from '../lib/base-command.ts'

export default class Logs extends SystemCommand {
  static override summary = 'Show what the logs say of a server.'
  static override description = 'Step 3. The log of the server and the lines of main.log about it, as one timeline.'
  static override usage = '<%= command.id %> SERVER [FLAGS]'
  static override examples = ['<%= config.bin %> logs everything', '<%= config.bin %> logs everything --from capture/ --json']

  static override flags = {
    history: Flags.boolean({ description: 'Say since when it fails, and what changed between its last success and that.' }),
  }

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of the server, as in mcpServers.', required: true }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs)
    if (flags.history) {
      const { historyReport } = await import('../lib/workflow/step-reports.ts')
      return this.runStep(flags, (system, timeoutMs) => historyReport(system, args.server, { timeoutMs }))
    }
    const { logsReport } = await import('../lib/workflow/step-reports.ts')
    await this.runStep(flags, (system, timeoutMs) => logsReport(system, args.server, { timeoutMs, verbose: flags.verbose }))
  }
}
