import { Args, Flags } from '@oclif/core'
import { SystemCommand } from '../lib/base-command.ts'

export default class DockerArgs extends SystemCommand {
  static override summary = 'Show the docker command that MCPProxy ran for a server.'
  static override description =
    'Step 4. The newest docker_run_args of main.log, or what follows from the configuration; secrets are masked.'
  static override usage = '<%= command.id %> SERVER [--shell | --diff] [FLAGS]'
  static override examples = [
    '<%= config.bin %> args everything',
    { description: 'A line that can be pasted into a shell:', command: '<%= config.bin %> args everything --shell' },
  ]

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of the server, as in mcpServers.', required: true }),
  }

  static override flags = {
    shell: Flags.boolean({ description: 'Print one line for sh.', exclusive: ['diff'] }),
    diff: Flags.boolean({ description: 'What differs between the log, the configuration and the running container.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(DockerArgs)
    const { argsReport } = await import('../lib/workflow/step-reports.ts')
    await this.runStep(flags, (system, timeoutMs, expected) =>
      argsReport(system, args.server, { timeoutMs, shell: Boolean(flags.shell), diff: Boolean(flags.diff), expected }),
    )
  }
}
