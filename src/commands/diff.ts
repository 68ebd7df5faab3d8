import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/base-command.ts'

export default class Diff extends BaseCommand {
  static override summary = 'Say what changed between two captures.'
  static override description = `Compares the versions, the configuration, the docker arguments, the image, the status and the findings of every server. A secret
that was taken out has another token in another bundle: whether it changed cannot be told then, and is not counted as a difference.
What neither of them holds is told, and not counted either.

Exit code: 0 no difference, 1 differences, 2 wrong usage, 3 none was seen but something that one of them holds could not be compared,
4 a fault of mcpproxy-doctor.`

  static override usage = '<%= command.id %> BEFORE AFTER [FLAGS]'
  static override examples = [
    '<%= config.bin %> diff before.tgz after.tgz',
    { description: 'One server, for programs:', command: '<%= config.bin %> diff before/ after.tgz --server everything --format json' },
  ]

  static override args = {
    before: Args.string({ name: 'BEFORE', description: 'A capture: a folder or a .tgz.', required: true }),
    after: Args.string({ name: 'AFTER', description: 'A later one.', required: true }),
  }

  static override flags = {
    server: Flags.string({
      description: 'Only this server; may be given several times.',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    format: Flags.string({
      description: 'What to print on standard output.',
      options: ['text', 'json'],
      default: 'text',
      helpGroup: 'OUTPUT',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Diff)
    const [before, after] = [await this.openCapture(args.before), await this.openCapture(args.after)]
    const { diffCaptures } = await import('../lib/workflow/diff.ts')
    const { diffExitCode, renderDiff } = await import('../lib/report/diff-report.ts')
    const report = await diffCaptures(before, after, { servers: flags.server ?? [], timeoutMs: 60_000 })
    process.exitCode = diffExitCode(report)
    if (flags.json || flags.format === 'json') {
      const { renderJson } = await import('../lib/report/json.ts')
      this.print(renderJson(report))
    } else this.print(renderDiff(report, await this.theme(flags)))
  }
}
