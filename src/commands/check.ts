import { Args, Flags } from '@oclif/core'
import { formatFlags, placeFlags, replayChoice, replayFlags, SystemCommand } from '../lib/base-command.ts'
import { UserError } from '../lib/errors.ts'
import type { ConfigDocument } from '../lib/formats/mcp-config.ts'
import { parseOutputs } from '../lib/report/formats.ts'
import { exitCode } from '../lib/report/report.ts'

export default class Check extends SystemCommand {
  static override summary = 'Find out why servers do not work, and what heals them.'
  static override description = `Looks at the configuration, the logs, the engine and its events, and MCPProxy itself, and changes nothing. What a replay can
settle it settles: the server is started again in a container of its own, as configured and with the change that should heal it.
Without SERVER it looks at every enabled server that is not connected; when all are connected, or MCPProxy does not run, at all.

Ctrl-C ends the look, and what is known so far is told; a second one ends the program.

Exit code: 0 healthy, 1 a problem was found, 2 wrong usage, 3 could not tell, 4 a fault of mcpproxy-doctor, 130 interrupted.`

  static override usage = '<%= command.id %> [SERVER...] [--all] [FLAGS]'
  static override examples = [
    { description: 'Whatever does not work:', command: '<%= config.bin %> check' },
    { description: 'One server:', command: '<%= config.bin %> check everything' },
    { description: 'A capture of another machine:', command: '<%= config.bin %> check everything --from capture/' },
    { description: 'For programs:', command: '<%= config.bin %> check --all --json' },
  ]

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of a server, as in mcpServers.', multiple: true }),
  }

  static override flags = {
    all: Flags.boolean({ description: 'All servers, also those that are connected or disabled.' }),
    ...formatFlags,
    ...replayFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Check)
    const servers = args.server ?? []
    if (flags.all && servers.length > 0) throw new UserError('Names of servers and --all exclude each other.', ['Leave out one of them.'])
    parseOutputs(flags.output ?? [])
    // What is wrong with it is said before anything is looked at.
    if (flags['help-uri-base'] !== undefined) await this.about(flags)
    const { check } = await import('../lib/workflow/check.ts')
    const { report, shown } = await this.withSystem(
      flags,
      async (system, progress) => {
        let document: ConfigDocument | undefined
        const found = await check(system, {
          servers,
          all: flags.all,
          timeoutMs: flags.timeout * 1000,
          sparing: true,
          replay: flags.replay ? replayChoice(flags) : null,
          progress,
          read: (config) => (document = config),
        })
        return { report: found, shown: flags.json && !flags.output ? {} : await this.textSources(system, found, document) }
      },
      { tells: true },
    )
    process.exitCode = this.exitCodeOf(exitCode(report))
    await this.deliver(flags, async (format, theme) => {
      if (format === 'json') return (await import('../lib/report/json.ts')).renderJson(report)
      if (format !== 'text') {
        const { renderResults } = await import('../lib/report/formats.ts')
        const { checkResults } = await import('../lib/report/results.ts')
        return renderResults(format, checkResults(report, process.cwd()), await this.about(flags))
      }
      const { renderReport } = await import('../lib/report/text.ts')
      const { verbose } = flags
      return renderReport(report, { ...shown, theme, verbose, commands: this.config.commandIDs, flags: placeFlags(flags) })
    })
  }
}
