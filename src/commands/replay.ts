import { Args, Flags, type Interfaces } from '@oclif/core'
import { replayAllow, replayChoice, SystemCommand, type SystemFlags } from '../lib/base-command.ts'
import { UserError } from '../lib/errors.ts'
import { parseVersion } from '../lib/mcpproxy/versions.ts'

type ReplayFlags = Interfaces.InferredFlags<typeof Replay.flags> & SystemFlags

export default class Replay extends SystemCommand {
  static override summary =
    'Start a server again, safely, speak MCP with it, and try what would heal it; --all tests a whole configuration.'
  static override description = `Step 5. The docker command of the newest attempt (or what follows from the configuration) is run in a container of its own:
never with fewer limits, with the host's folders read-only, without published ports, and removed in every case.
When it fails as recorded, the changes that the findings propose are tried one at a time; a change counts as proven when the server
works with it and fails again without it. Tools are listed, never called.

With --all every enabled server of the configuration is started as MCPProxy would start it; neither MCPProxy nor its logs are needed.

Exit code: 0 works (all of them), 1 fails, 2 wrong usage, 3 could not be run, 4 a fault of mcpproxy-doctor, 130 interrupted.`

  static override usage = ['<%= command.id %> SERVER [FLAGS]', '<%= command.id %> --all [--config FILE] [--junit FILE] [FLAGS]']
  static override examples = [
    '<%= config.bin %> replay everything',
    { description: 'Also try more network:', command: '<%= config.bin %> replay fetch --allow network' },
    { description: 'Smoke test in CI:', command: '<%= config.bin %> replay --all --config mcp_config.json --pull --junit replay.xml' },
  ]

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of a server, as in mcpServers.', multiple: true, ignoreStdin: true }),
  }

  static override flags = {
    ...replayAllow,
    'allow-writes': Flags.boolean({ description: "Keep the host's folders writable." }),
    cold: Flags.boolean({ description: 'Use empty volumes in place of named ones, as on a new machine.' }),
    all: Flags.boolean({ description: 'Every enabled server of the configuration.' }),
    pull: Flags.boolean({ description: 'Fetch images that are missing, before any clock runs (--all).', dependsOn: ['all'] }),
    jobs: Flags.integer({ description: 'Servers at once (--all).', helpValue: 'N', default: 4, min: 1, max: 64 }),
    handshake: Flags.integer({
      description: 'How long one server may take (--all).',
      helpValue: 'SECONDS',
      default: 60,
      min: 1,
      max: 3600,
    }),
    junit: Flags.string({ description: 'Also write the result as JUnit XML (--all).', helpValue: 'FILE', dependsOn: ['all'] }),
    'mcpproxy-version': Flags.string({ description: 'Start them as this release does (--all).', helpValue: 'VERSION', dependsOn: ['all'] }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Replay)
    const servers = args.server ?? []
    if (flags.all && servers.length > 0) throw new UserError('Names of servers and --all exclude each other.', ['Leave out one of them.'])
    if (flags.all) return this.smoke(flags)
    const [server] = servers
    if (server === undefined || servers.length > 1)
      throw new UserError('replay takes one server, or --all.', ['mcpproxy-doctor check shows those that do not work.'])
    const { check } = await import('../lib/workflow/check.ts')
    const replay = { ...replayChoice(flags), always: true, allowWrites: Boolean(flags['allow-writes']), cold: Boolean(flags.cold) }
    const report = await this.withSystem(
      flags,
      async (system, progress) => {
        if (system.recording && !system.recording.replays?.servers.some((s) => s.server === server))
          throw new UserError(`A capture cannot be started, and this one holds no replay of ${server}.`, [
            'Leave out --from; bundle --replay makes a capture with replays.',
          ])
        return check(system, { servers: [server], all: false, timeoutMs: flags.timeout * 1000, replay, progress })
      },
      { tells: true },
    )
    const [found] = report.servers
    if (flags.json) {
      const { renderJson } = await import('../lib/report/json.ts')
      this.print(renderJson(report))
    } else if (found) {
      const { replayReport } = await import('../lib/report/replay-text.ts')
      this.print(replayReport(found, await this.theme(flags), Boolean(flags.verbose), report.interrupted))
    }
    const conclusion = found?.replayed?.conclusion ?? 'not-run'
    process.exitCode = this.exitCodeOf(conclusion === 'works' ? 0 : conclusion === 'not-run' ? 3 : 1)
  }

  private async smoke(flags: ReplayFlags): Promise<void> {
    const version = flags['mcpproxy-version'] === undefined ? null : parseVersion(flags['mcpproxy-version'])
    if (flags['mcpproxy-version'] !== undefined && !version)
      throw new UserError(`"${flags['mcpproxy-version']}" is no version.`, ['It looks like 0.60.0.'])
    const { smokeExitCode, smokeTest } = await import('../lib/workflow/smoke.ts')
    const report = await this.withSystem(
      flags,
      (system, progress) =>
        smokeTest(system, {
          servers: [],
          version,
          jobs: flags.jobs,
          limitMs: flags.handshake * 1000,
          timeoutMs: flags.timeout * 1000,
          pull: Boolean(flags.pull),
          env: replayChoice(flags).env,
          allowWrites: Boolean(flags['allow-writes']),
          cold: Boolean(flags.cold),
          progress,
        }),
      { tells: true },
    )
    const { smokeJunit, smokeText } = await import('../lib/report/smoke-text.ts')
    if (flags.junit !== undefined) await this.writeText(flags.junit, smokeJunit(report))
    if (flags.json) {
      const { renderJson } = await import('../lib/report/json.ts')
      this.print(renderJson(report))
    } else this.print(smokeText(report, await this.theme(flags), Boolean(flags.verbose)))
    process.exitCode = this.exitCodeOf(smokeExitCode(report))
  }
}
