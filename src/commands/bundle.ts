import os from 'node:os'
import { Args, Flags } from '@oclif/core'
import { replayAllow, replayChoice, SystemCommand, type SystemFlags } from '../lib/base-command.ts'
import { UserError } from '../lib/errors.ts'
import type { BundleSummary } from '../lib/report/bundle-text.ts'

export default class Bundle extends SystemCommand {
  static override summary = 'Record what check looks at, with the secrets out, to hand it over.'
  static override description = `Looks as check does and writes what it saw as a capture: configuration, logs, answers of MCPProxy and of the engine. Nothing is
started, unless --replay asks for what check would start; all that those starts show is then in it too.
check --from takes it, and finds the same. Values that are secret by their name or their form are replaced by tokens,
the same value by the same token; redactions.json in it says what was replaced where. On a terminal it shows this and asks first.

Exit code: 0 written or declined, 2 wrong usage or it cannot be written, 4 a fault of mcpproxy-doctor.`

  static override usage = '<%= command.id %> [SERVER...] [--all] [-o FILE.tgz|DIR] [FLAGS]'
  static override examples = [
    { description: 'About one server:', command: '<%= config.bin %> bundle everything' },
    { description: 'With the replays that check would make:', command: '<%= config.bin %> bundle everything --replay' },
    { description: 'About all, as a folder:', command: '<%= config.bin %> bundle --all -o capture/' },
    { description: 'What it leads to elsewhere:', command: '<%= config.bin %> check --from mcpproxy-doctor-everything.tgz' },
  ]

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of a server, as in mcpServers.', multiple: true }),
  }

  static override flags = {
    all: Flags.boolean({ description: 'All servers, also those that are connected or disabled.' }),
    output: Flags.string({ char: 'o', description: 'Where to: a .tgz, or a folder that does not exist.', helpValue: 'FILE.tgz|DIR' }),
    'keep-paths': Flags.boolean({ description: 'Leave the names of user and host, and home paths, as they are.' }),
    yes: Flags.boolean({ description: 'Write it without a question.' }),
    replay: Flags.boolean({ description: 'Start the server again where that can settle something, as check does.', helpGroup: 'REPLAY' }),
    ...replayAllow,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Bundle)
    const servers = args.server ?? []
    if (flags.all && servers.length > 0) throw new UserError('Names of servers and --all exclude each other.', ['Leave out one of them.'])
    const { refuseExisting, writeBundle, bundle, bundleTarget } = await import('../lib/workflow/bundle.ts')
    if (flags.output !== undefined) await refuseExisting(bundleTarget(flags.output, []))
    const { files, redactions, report } = await this.saying('Interrupted: nothing was written.', () =>
      this.withSystem(flags, (system, progress) =>
        bundle(system, {
          servers,
          // oclif leaves a flag undefined that was not given.
          all: Boolean(flags.all),
          timeoutMs: flags.timeout * 1000,
          keepPaths: Boolean(flags['keep-paths']),
          hostname: os.hostname(),
          replay: flags.replay ? replayChoice(flags) : null,
          progress,
        }),
      ),
    )
    const names = report.servers.map((s) => s.server)
    const target = bundleTarget(flags.output, names)
    const summary: BundleSummary = {
      schemaVersion: 1,
      written: null,
      servers: names,
      verdict: report.verdict,
      files: files.map(({ name, bytes }) => ({ name, bytes: bytes.length })),
      redactions,
    }
    const asked = !flags.yes && !flags.json && process.stdin.isTTY && process.stderr.isTTY
    if (!asked || (await this.confirmed(summary, target, flags))) {
      await this.saying('Interrupted: nothing was written.', () => this.stoppable((stop) => writeBundle(target, files, stop)))
      summary.written = target
    }
    if (flags.json) {
      const { renderJson } = await import('../lib/report/json.ts')
      this.print(renderJson(summary))
      return
    }
    const { renderBundle } = await import('../lib/report/bundle-text.ts')
    this.print(renderBundle(summary, await this.theme(flags), asked, flags.verbose))
    if (summary.written !== null) {
      const { shellLine } = await import('../lib/report/shell.ts')
      this.print(`Next: ${shellLine(['mcpproxy-doctor', 'check', '--from', target])}\n`)
    }
  }

  private async confirmed(summary: BundleSummary, target: string, flags: SystemFlags): Promise<boolean> {
    const { bundleContents } = await import('../lib/report/bundle-text.ts')
    const { ask } = await import('../lib/ask.ts')
    const theme = await this.theme(flags, 'stderr')
    return ask(`${bundleContents(summary, theme, flags.verbose).join('\n')}Write it to ${theme.text(target)}? [y/N] `)
  }
}
