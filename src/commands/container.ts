import { Args } from '@oclif/core'
import { SystemCommand } from '../lib/base-command.ts'

export default class Container extends SystemCommand {
  static override summary = 'Show the container of a server, or what the engine still knows of it.'
  static override description =
    'Step 2. Containers of MCPProxy are removed when they end (--rm); the events of the engine tell what became of them.'
  static override usage = '<%= command.id %> SERVER [FLAGS]'
  static override examples = ['<%= config.bin %> container everything', '<%= config.bin %> container everything --from capture/ --json']

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of the server, as in mcpServers.', required: true }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Container)
    const { containerReport } = await import('../lib/workflow/step-reports.ts')
    await this.runStep(flags, (system, timeoutMs) => containerReport(system, args.server, { timeoutMs }))
  }
}
