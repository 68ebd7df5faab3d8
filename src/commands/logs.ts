import { Args, Flags, type Interfaces } from '@oclif/core'
import { SystemCommand, type SystemFlags } from '../lib/base-command.ts'
import { levelNames, rankOf } from '../lib/formats/log-bytes.ts'
import type { Theme } from '../lib/report/theme.ts'
import type { LineOutput } from '../lib/workflow/log-lines.ts'

const lines = 'LINES'

export default class Logs extends SystemCommand {
  static override summary = 'Show what the logs say of a server.'
  static override description = `Step 3. What became of the newest attempt, as one timeline of the server's log and main.log.

With one of the flags of LINES: the lines themselves, as they are written, those of the server, of main.log about it and of its container by time, rotated files too. Without SERVER, those of all servers (--grep TEXT or --all).`
  static override usage = '<%= command.id %> [SERVER] [FLAGS]'
  static override examples = [
    '<%= config.bin %> logs everything',
    '<%= config.bin %> logs everything --since 10m --level warn',
    '<%= config.bin %> logs everything --follow',
    '<%= config.bin %> logs --grep "no such image" --format json',
    '<%= config.bin %> logs everything --from capture/ --json',
  ]

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of the server, as in mcpServers.' }),
  }

  static override flags = {
    history: Flags.boolean({ description: 'Say since when it fails, and what changed between its last success and that.' }),
    since: Flags.string({
      description: 'From then on: 10m, 2h, 21:47, 2026-11-22, 2026-11-22T21:47:29Z. Without a zone, as the log writes it.',
      helpValue: 'TIME',
      helpGroup: lines,
    }),
    until: Flags.string({ description: 'Up to then, written in the same ways.', helpValue: 'TIME', helpGroup: lines }),
    level: Flags.string({ description: 'Of this level and worse.', options: [...levelNames], helpGroup: lines }),
    grep: Flags.string({ description: 'That hold this text, in any case.', helpValue: 'TEXT', helpGroup: lines }),
    tail: Flags.integer({ description: 'Only the newest.', helpValue: 'N', min: 0, helpGroup: lines }),
    follow: Flags.boolean({ char: 'f', description: 'And those that come, until Ctrl-C; begins with the newest 10.', helpGroup: lines }),
    all: Flags.boolean({ description: 'All lines; without SERVER, of all servers.', helpGroup: lines }),
    format: Flags.string({ description: 'Lines as they are, or one JSON object per line.', options: ['text', 'json'], helpGroup: lines }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs)
    const chosen = [flags.since, flags.until, flags.level, flags.grep, flags.tail, flags.format].some((value) => value !== undefined)
    if (chosen || flags.follow || flags.all) return this.#lines(args.server, flags)
    if (args.server === undefined) {
      const { UserError } = await import('../lib/errors.ts')
      throw new UserError('Which server?', ['Name it, or say --grep TEXT or --all for the lines of all servers.'])
    }
    const { server } = args
    if (flags.history) {
      const { historyReport } = await import('../lib/workflow/step-reports.ts')
      return this.runStep(flags, (system, timeoutMs) => historyReport(system, server, { timeoutMs }))
    }
    const { logsReport } = await import('../lib/workflow/step-reports.ts')
    await this.runStep(flags, (system, timeoutMs) => logsReport(system, server, { timeoutMs, verbose: flags.verbose }))
  }

  async #lines(server: string | undefined, flags: LineFlags): Promise<void> {
    const { showLogs } = await import('../lib/workflow/log-show.ts')
    const { jsonFormat, textFormat } = await import('../lib/workflow/log-lines.ts')
    const { UserError } = await import('../lib/errors.ts')
    if (server === undefined && flags.grep === undefined && !flags.all)
      throw new UserError('Of which server?', ['Name it, or say --all (or --grep TEXT) for the lines of all servers.'])
    if (flags.grep !== undefined && /^$|[\n\r]/.test(flags.grep)) throw new UserError('--grep takes a text of one line.')
    if (flags.follow && flags.until !== undefined)
      throw new UserError('--follow never ends, and --until says when: they exclude each other.')
    if (flags.follow && flags.from !== undefined) throw new UserError('Nothing is written to a capture any more: --follow excludes --from.')
    const theme = await this.theme(flags)
    const json = flags.json || flags.format === 'json'
    // Lines that are there need not wait for those of containers that most likely are not.
    this.patient = Boolean(flags.follow)
    const stopping = new AbortController()
    const whole = await this.withSystem(
      // Who follows goes on asking the engine for longer than any look takes.
      flags.follow ? { ...flags, timeout: 10 * 365 * 24 * 3600 } : flags,
      (system, progress) => {
        progress('')
        return showLogs(
          system,
          {
            server: server ?? null,
            since: flags.since ?? null,
            until: flags.until ?? null,
            level: flags.level === undefined ? null : rankOf(flags.level),
            grep: flags.grep ?? null,
            tail: flags.tail ?? null,
            follow: flags.follow,
            stop: stopping.signal,
            format: (names, mask) => (json ? jsonFormat(mask) : textFormat(names, mask, theme.level > 0 ? colourOf(theme) : null)),
            note: (text) => process.stderr.write(`${theme.text(text)}\n`),
          },
          standardOutput((bytes) => this.printToFile(bytes)),
        )
      },
      { tells: !flags.follow },
    ).catch((error: unknown) => {
      stopping.abort()
      // Ctrl-C is how following is meant to end.
      if (flags.follow && error instanceof Error && error.name === 'Interrupted') return true
      throw error
    })
    process.exitCode = this.exitCodeOf(whole ? 0 : 3)
  }
}

type LineFlags = Interfaces.InferredFlags<typeof Logs.flags> & SystemFlags

/** Waits for whoever reads; a closed pipe (`| head`) is an end like any other. */
function standardOutput(toFile: (bytes: Uint8Array) => boolean): LineOutput {
  let open = true
  return {
    write: (bytes) =>
      new Promise((resolve) => {
        if (!open) return resolve(false)
        if (toFile(bytes)) return resolve(true)
        process.stdout.write(bytes, (error) => {
          open = !error
          resolve(open)
        })
      }),
  }
}

/** Warnings and errors stand out. */
function colourOf(theme: Theme): (line: string) => string {
  return (line) => {
    const level = /^\S+ \| ([A-Z]+) \||^\{"level":"([a-z]+)"/.exec(line)
    const rank = rankOf(level?.[1] ?? level?.[2] ?? '')
    return rank >= rankOf('error') ? theme.bad(line) : rank === rankOf('warn') ? theme.warn(line) : line
  }
}
