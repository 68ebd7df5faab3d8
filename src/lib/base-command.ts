/** What all commands share: flags, the system that they look at, progress, and one way for errors to become exit codes. */
import os from 'node:os'
import { Command, Flags, type Config, type Interfaces } from '@oclif/core'
import { UserError } from './errors.ts'
import type { ConfigDocument } from './formats/mcp-config.ts'
import type { EditClass } from './remedies/remedy.ts'
import type { Interrupted } from './report/failure.ts'
import type { InterruptedLook, Report, StepReport } from './report/report.ts'
import { formats, parseOutputs, type Format } from './report/formats.ts'
import type { ResultOptions } from './report/results.ts'
import type { TextOptions } from './report/text-options.ts'
import type { Theme } from './report/theme.ts'
import { terminalAt, writeAtOnce, writeToFile } from './system/standard-output.ts'
import type { System } from './system/system.ts'

const output = 'OUTPUT'
const place = 'WHERE TO LOOK'
const replaying = 'REPLAY'

export const outputFlags = {
  json: Flags.boolean({ description: 'Print JSON for programs instead of text.', helpGroup: output }),
  'no-color': Flags.boolean({ description: 'Print without colour (NO_COLOR does the same).', helpGroup: output }),
  // bin/run.js looks for it: it decides before any of this is loaded.
  'no-cache': Flags.boolean({
    description: 'Start without the cache of compiled code (MCPPROXY_DOCTOR_NO_CACHE=1 does the same).',
    helpGroup: output,
  }),
  verbose: Flags.boolean({ description: 'Show everything that was found, and where it was looked for.', helpGroup: output }),
}

export const systemFlags = {
  config: Flags.string({ description: "MCPProxy's mcp_config.json.", helpValue: 'FILE', helpGroup: place }),
  'log-dir': Flags.string({ description: 'The folder of main.log and server-NAME.log.', helpValue: 'DIR', helpGroup: place }),
  'data-dir': Flags.string({ description: "MCPProxy's data folder (~/.mcpproxy).", helpValue: 'DIR', helpGroup: place }),
  api: Flags.string({ description: "MCPProxy's API, e.g. http://127.0.0.1:8080 or a socket.", helpValue: 'URL', helpGroup: place }),
  'api-key': Flags.string({ description: 'Its API key, when it is not in the configuration.', helpValue: 'KEY', helpGroup: place }),
  'docker-host': Flags.string({ description: 'The Docker engine, as in DOCKER_HOST.', helpValue: 'URL', helpGroup: place }),
  context: Flags.string({ description: 'The docker context, as in DOCKER_CONTEXT.', helpValue: 'NAME', helpGroup: place }),
  from: Flags.string({
    description: 'Look at a capture (a folder with a capture.json, or a .tgz of one) instead of this machine.',
    helpValue: 'CAPTURE',
    helpGroup: place,
  }),
  timeout: Flags.integer({
    description: 'How long to look, for everything together.',
    helpValue: 'SECONDS',
    default: 30,
    min: 1,
    max: 3600,
    helpGroup: place,
  }),
}

export const replayAllow = {
  allow: Flags.string({
    description: 'Also try changes that loosen something.',
    helpValue: 'unisolated,network,mounts,limits',
    multiple: true,
    delimiter: ',',
    options: ['unisolated', 'network', 'mounts', 'limits'],
    helpGroup: replaying,
  }),
  'replay-time': Flags.integer({
    description: 'How long all replays together may take.',
    helpValue: 'SECONDS',
    default: 120,
    min: 1,
    max: 3600,
    helpGroup: replaying,
  }),
}

export const replayFlags = {
  replay: Flags.boolean({
    description: 'Start the server again where that can settle something.',
    allowNo: true,
    default: true,
    helpGroup: replaying,
  }),
  ...replayAllow,
}

/** Of commands whose results go to CI systems and editors too. */
export const formatFlags = {
  format: Flags.string({ description: 'What to print on standard output.', options: [...formats], default: 'text', helpGroup: output }),
  output: Flags.string({
    description: 'Also write a file in one of these formats; may be given several times.',
    helpValue: 'FORMAT=FILE',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: output,
  }),
  'help-uri-base': Flags.string({
    description: 'Where the pages of the codes are (docs/findings of a copy), for helpUri in SARIF and links in Markdown.',
    helpValue: 'URL',
    helpGroup: output,
  }),
}

export type OutputFlags = Interfaces.InferredFlags<typeof outputFlags>
export type SystemFlags = Interfaces.InferredFlags<typeof systemFlags> & OutputFlags

export abstract class BaseCommand extends Command {
  static override baseFlags = outputFlags

  /** As oclif's `run`, which would load the configuration once more. */
  static start(this: new (argv: string[], config: Config) => BaseCommand, argv: string[], config: Config): Promise<unknown> {
    return new this(argv, config)._run()
  }

  /** No command is deprecated: there is nothing to warn of. */
  protected override init(): Promise<void> {
    return Promise.resolve()
  }

  /** The result, and nothing else, goes to standard output. Throws a UserError where that is a file on a disk that is full. */
  protected print(text: string): void {
    if (this.printToFile(text)) return
    const left = 'writesAtOnce' in this.config && this.config.writesAtOnce === true ? writeAtOnce(1, text) : text
    if (left !== null) process.stdout.write(left)
  }

  /** False: standard output is no file, and nothing was written. */
  protected printToFile(data: string | Uint8Array): boolean {
    return writeToFile(1, data)
  }

  protected async theme(flags: Pick<OutputFlags, 'no-color'>, stream: 'stdout' | 'stderr' = 'stdout'): Promise<Theme> {
    const { createTheme } = await import('./report/theme.ts')
    return createTheme({
      env: process.env,
      platform: process.platform,
      ...terminalAt(stream),
      noColor: flags['no-color'],
    })
  }

  /** The text of a file, or of standard input for `-` and for none, when something is piped in; else empty. */
  protected async readText(file: string | undefined): Promise<string> {
    const { readTextFile, readTextStream } = await import('./system/text-input.ts')
    if (file !== undefined && file !== '-') return readTextFile(file)
    // Nobody has piped anything, and to wait for typing would look like hanging.
    if (process.stdin.isTTY && file === undefined) return ''
    const waiting = setTimeout(() => {
      if (process.stderr.isTTY) process.stderr.write('Waiting for the text on standard input.\n')
    }, 2000)
    try {
      return await readTextStream(process.stdin)
    } finally {
      clearTimeout(waiting)
    }
  }

  /** Writes a result into a file that the user named. */
  protected async writeText(file: string, text: string): Promise<void> {
    const { writeTextFile } = await import('./system/text-output.ts')
    await writeTextFile(file, text)
  }

  /**
   * What the text of a report shows beside it: the configuration for diffs, secrets out, and where home is. `document`: the
   * configuration when it was read already.
   */
  protected async textSources(
    system: System,
    report: Report,
    document?: ConfigDocument,
  ): Promise<Pick<TextOptions, 'sources' | 'mask' | 'home'>> {
    const { home } = await system.locations()
    const findings = [...report.findings, ...report.servers.flatMap((s) => s.findings)]
    const path = report.mcpproxy.config
    if (path === null || !findings.some((f) => f.remedies.some((remedy) => remedy.kind === 'config-edit'))) return { home }
    const { configSource, shownSource } = await import('./report/config-source.ts')
    if (document?.path === path) return { home, ...shownSource(document) }
    const file = await system.files.read(path, 16 * 1024 * 1024)
    return file.ok && file.value !== null ? { home, ...configSource(path, file.value) } : { home }
  }

  /**
   * Prints one format and writes the files that --output names. What cannot be written is said at the end, after everything
   * that can be.
   */
  protected async deliver(
    flags: Interfaces.InferredFlags<typeof formatFlags> & OutputFlags,
    render: (format: Format, theme: Theme) => Promise<string>,
  ): Promise<void> {
    const outputs = parseOutputs(flags.output ?? [])
    const format = flags.json ? 'json' : (flags.format as Format)
    this.print(await render(format, await this.theme(flags)))
    if (outputs.length === 0) return
    const { plainTheme } = await import('./report/theme.ts')
    const { writeTextFile } = await import('./system/text-output.ts')
    const failures: unknown[] = []
    for (const { format, file } of outputs)
      await writeTextFile(file, await render(format, plainTheme())).catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }

  /** What the formats say of this program, and where its pages are. */
  protected async about(flags: Interfaces.InferredFlags<typeof formatFlags>): Promise<Omit<ResultOptions, 'sources' | 'mask'>> {
    const { pagesAt, pagesIn } = await import('./report/results.ts')
    const { homepage } = this.config.pjson
    const repository = typeof homepage === 'string' ? homepage.replace(/\/$/, '') : null
    const given = flags['help-uri-base']
    const pages = given !== undefined ? pagesAt(given) : repository === null ? null : pagesIn(repository)
    if (given !== undefined && pages === null)
      throw new UserError(`--help-uri-base ${given} is no address.`, ['It looks like https://example.org/docs/findings.'])
    return { version: this.config.version, repository, pages }
  }

  protected async openCapture(folder: string): Promise<System> {
    const { openCapture } = await import('./system/recorded.ts')
    return openCapture(folder)
  }

  /** Says what was thrown and sets the exit code; nothing leaves by `process.exit`. */
  protected override async catch(thrown: Error): Promise<void> {
    this.parsed = true
    const { bugs } = this.config.pjson
    await reportFailure(thrown, this.argv, typeof bugs === 'string' ? bugs : '')
  }
}

export abstract class SystemCommand extends BaseCommand {
  static override baseFlags = { ...systemFlags, ...outputFlags }

  /** Whether an engine that does not answer is waited for a moment: it may just be restarting. */
  protected patient = true

  /** Exit code of a signal that ended the look; null: none did. */
  private signalCode: number | null = null

  /**
   * Opens the system that the flags name, works with it, and closes it, also when a signal ends the work.
   * `tells`: the work can tell what it knows when a signal comes. The system then answers nothing more, and `exitCodeOf` knows.
   */
  protected async withSystem<T>(
    flags: SystemFlags,
    work: (system: System, progress: (text: string) => void) => Promise<T>,
    { tells = false } = {},
  ): Promise<T> {
    const { startProgress } = await import('./progress.ts')
    const { interruption } = await import('./interruption.ts')
    const { interruptible, LookInterrupted } = await import('./system/interruptible.ts')
    const { Interrupted, signalCodes } = await import('./report/failure.ts')
    const errors = await this.theme(flags, 'stderr')
    const interrupt = interruption(tells ? 1500 : 0)
    const { isTerminal, columns } = terminalAt('stderr')
    const progress = await startProgress({
      env: process.env,
      // A terminal that tells no size has 0 columns; ora would then count lines without end.
      isTerminal: isTerminal && (columns ?? 0) > 0,
      quiet: flags.json,
      level: errors.level,
      clean: errors.text,
    })
    let system: System | undefined
    try {
      system = await Promise.race([this.openSystem(flags), interrupt.stopped])
      const asked = tells ? interruptible(system, interrupt.asked) : system
      const result = await Promise.race([work(asked, (text) => progress.update(text)), interrupt.stopped])
      if (tells && interrupt.asked.aborted) this.signalCode = signalCodes[(interrupt.asked.reason as Interrupted).signal]
      return result
    } catch (error) {
      if (!tells || !interrupt.asked.aborted) throw error
      const { signal } = interrupt.asked.reason as Interrupted
      // What asked for an answer that nobody gave any more has failed of that.
      const failed = error instanceof Interrupted || error instanceof UserError || error instanceof LookInterrupted
      throw failed && signal !== 'SIGHUP' ? new Interrupted(signal, 'Interrupted before anything was known.') : error
    } finally {
      interrupt.forget()
      progress.stop()
      if (system) await closing(system)
    }
  }

  /** Work that a signal ends, and what is to be said then; nobody reads what a terminal that is gone would be told. */
  protected async saying<T>(says: string, work: () => Promise<T>): Promise<T> {
    const { Interrupted } = await import('./report/failure.ts')
    try {
      return await work()
    } catch (error) {
      throw error instanceof Interrupted && error.signal !== 'SIGHUP' ? new Interrupted(error.signal, says) : error
    }
  }

  /** What a signal may end between two steps, so that it can clear up behind itself. */
  protected async stoppable<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const { interruption } = await import('./interruption.ts')
    const interrupt = interruption()
    try {
      return await work(interrupt.asked.signal)
    } finally {
      interrupt.forget()
    }
  }

  /** That of the result, unless a signal ended the look. */
  protected exitCodeOf(code: number): number {
    return this.signalCode ?? code
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    await super.finally(error)
    if (this.signalCode !== null) endSoon()
  }

  protected async openSystem(flags: SystemFlags): Promise<System> {
    if (flags.from !== undefined) {
      const live = placeFlags({ ...flags, from: undefined })
      if (live.length > 0)
        throw new UserError(
          `--from looks at a capture, ${live.filter((_, i) => i % 2 === 0).join(', ')} at this machine: they exclude each other.`,
        )
      return this.openCapture(flags.from)
    }
    const { createLiveSystem } = await import('./system/live.ts')
    return createLiveSystem({
      config: flags.config,
      logDir: flags['log-dir'],
      dataDir: flags['data-dir'],
      api: flags.api,
      apiKey: flags['api-key'],
      dockerHost: flags['docker-host'],
      context: flags.context,
      patient: this.patient,
      deadline: Date.now() + flags.timeout * 1000,
      env: process.env,
      platform: process.platform,
      get homedir() {
        return os.homedir()
      },
      uid: process.getuid?.() ?? null,
    })
  }

  /**
   * Parse, one call, render, exit code: what the commands of single steps do. The step may give `expected` the report that it will most likely
   * return, which is rendered meanwhile.
   */
  protected async runStep(
    flags: SystemFlags,
    step: (system: System, timeoutMs: number, expected: (report: StepReport) => void) => Promise<StepReport>,
  ): Promise<void> {
    const rendered = new Map<StepReport, Promise<string>>()
    const render = async ({ data, text }: StepReport, interrupted: InterruptedLook | null = null): Promise<string> => {
      if (flags.json) {
        const { renderJson } = await import('./report/json.ts')
        return renderJson(interrupted ? { ...(data as object), interrupted } : data)
      }
      const theme = await this.theme(flags)
      if (!interrupted) return text(theme)
      const { interruptedLines } = await import('./report/interrupted-text.ts')
      return `${interruptedLines(interrupted, theme, theme.width).join('\n')}\n\n${text(theme)}`
    }
    const rehearse = (report: StepReport): void => {
      const text = render(report)
      // If it is of use, who prints it is told.
      text.catch(() => undefined)
      rendered.set(report, text)
    }
    const { report, interrupted } = await this.withSystem(
      flags,
      async (system) => {
        const report = await step(system, flags.timeout * 1000, rehearse)
        const { interruption } = system
        return { report, interrupted: interruption?.asked ? { notLooked: [...interruption.notLooked] } : null }
      },
      { tells: true },
    )
    this.print(await ((interrupted ? null : rendered.get(report)) ?? render(report, interrupted)))
    if (!flags.json) for (const note of report.notes ?? []) process.stderr.write(`${note}\n`)
    process.exitCode = this.exitCodeOf(report.exitCode)
  }
}

/** For the values of `${env:NAME}`. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env

/** What the flags say of replays. The environment gives the values for `${env:NAME}`. */
export function replayChoice(flags: Interfaces.InferredFlags<typeof replayAllow>): {
  allow: ReadonlySet<EditClass>
  budgetMs: number
  env: Readonly<Record<string, string | undefined>>
} {
  return { allow: new Set((flags.allow ?? []) as EditClass[]), budgetMs: flags['replay-time'] * 1000, env: environment() }
}

/** Flags that the next command needs to look at the same place. Never the API key. */
export function placeFlags(flags: SystemFlags): string[] {
  const names = ['config', 'log-dir', 'data-dir', 'api', 'docker-host', 'context', 'from'] as const
  return names.flatMap((name) => {
    const value = flags[name]
    return value === undefined ? [] : [`--${name}`, value]
  })
}

/** What does not close in a second is left to the end of the process; containers that we started get longer to be removed. */
async function closing(system: System): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, system.replays?.busy() ? 20_000 : 1000)
  })
  try {
    await Promise.race([system.close(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** After a signal: what still runs (a request, a read) has lost its purpose. The timer itself keeps nobody waiting. */
function endSoon(): void {
  setTimeout(() => {
    if (process.stdout.writableLength + process.stderr.writableLength > 0) endSoon()
    // eslint-disable-next-line no-restricted-properties -- a signal asked for the end, and all is written
    else process.exit()
  }, 500).unref()
}

/** False: standard output takes no more, and that may be what is to be told. */
function wasPrinted(text: string): boolean {
  try {
    if (!writeToFile(1, text)) process.stdout.write(text)
    return true
  } catch (error) {
    if (error instanceof UserError) return false
    throw error
  }
}

/** The one mapping from errors to exit codes and messages. With --json the error is an object on standard output. */
export async function reportFailure(thrown: unknown, argv: readonly string[], reportTo = ''): Promise<void> {
  const { describeFailure, failureJson, failureText } = await import('./report/failure.ts')
  const { createTheme } = await import('./report/theme.ts')
  const { maskShapes } = await import('./evidence/secrets.ts')
  const failure = describeFailure(thrown)
  process.exitCode = failure.exitCode
  if (failure.exitCode > 128) {
    endSoon()
  }
  if (failure.message === null) return
  const masked = { ...failure, message: maskShapes(failure.message), stack: failure.stack === null ? null : maskShapes(failure.stack) }
  const end = argv.indexOf('--')
  const flags = end < 0 ? argv : argv.slice(0, end)
  const json = flags.includes('--json')
  if (json && wasPrinted(failureJson(masked)) && masked.stack === null) return
  const { env, platform, stderr } = process
  const theme = await createTheme({
    env,
    platform,
    isTerminal: stderr.isTTY,
    columns: stderr.columns,
    noColor: flags.includes('--no-color'),
  })
  stderr.write(failureText(masked, theme, reportTo))
}
