/** `lint` on files: reads them, lets the rules look, passes over what is ignored or known, and writes what was asked for. */
import path from 'node:path'
import type { Readable } from 'node:stream'
import { UserError } from '../errors.ts'
import { parseConfig, serverEntries } from '../formats/mcp-config.ts'
import { newestKnown, parseVersion, type Version } from '../mcpproxy/versions.ts'
import { configSource } from '../report/config-source.ts'
import type { LintFile, LintReport } from '../report/lint-report.ts'
import { shownFile } from '../report/results.ts'
import type { Finding, Severity } from '../rules/rule.ts'
import { backUp, ConfigChanged, readConfigFile, replaceConfigFile, type ConfigFile } from '../system/config-file.ts'
import { defaultConfig, findFiles, readAll, readOptional } from '../system/lint-files.ts'
import { writeTextFile } from '../system/text-output.ts'
import { maskedDiff } from './fix-plan.ts'
import { fixText } from './lint-fix.ts'
import {
  baselineEntry,
  baselineText,
  hasExpired,
  ignoreFor,
  parseBaseline,
  parseSettings,
  requireCode,
  settingsName,
  takeKnown,
  type Ignore,
  type Settings,
} from './lint-settings.ts'
import { lintCodes, lintText, placeOf, type LintedText, type LintOptions } from './lint.ts'

export interface LintRunOptions {
  /** Names, globs, `-` for standard input; empty: the file that MCPProxy would read. */
  files: readonly string[]
  stdin: Readable
  cwd: string
  platform: string
  now: Date
  /** Undefined: the newest release that is known. */
  mcpproxyVersion: string | undefined
  failOn: Severity
  select: readonly string[]
  ignore: readonly string[]
  baseline: string | undefined
  writeBaseline: boolean
  fix: boolean
  /** With the edits of --fix shown and not written. */
  diff: boolean
}

export interface LintRun {
  report: LintReport
  /** Texts of the files by the names in the report, for fixes. */
  sources: Record<string, string>
  mask: (text: string) => string
  /** What --diff shows, secrets masked; null: was not asked for. */
  diff: string | null
  /** Where the pages of the codes are, by the settings of the first file that say it; null: none do. */
  helpUriBase: string | null
}

interface Input {
  /** As it is called in the report. */
  name: string
  /** Null: standard input. */
  path: string | null
  bytes: Buffer
  file: ConfigFile | null
}

export async function runLint(options: LintRunOptions): Promise<LintRun> {
  const codes = [...options.select, ...options.ignore]
  for (const code of codes) requireCode(code, lintCodes)
  const version = versionOf(options.mcpproxyVersion)
  const lint: LintOptions = {
    ...{ version: version ?? newestKnown, platform: options.platform, now: options.now },
    select: options.select.length > 0 ? new Set(options.select) : null,
    ignore: new Set(options.ignore),
  }
  const baseline = await readBaseline(options)
  const notes: string[] = []
  const inputs = await readInputs(options)
  const report: LintReport = {
    ...{ schemaVersion: 1, mcpproxy: { version: lint.version.text, assumed: version === null }, failOn: options.failOn },
    ...{ files: [], notes },
  }
  const entries: ReturnType<typeof baselineEntry>[] = []
  const settings = settingsReader(options, notes)
  const run: LintRun = { report, sources: {}, mask: (text) => text, diff: options.diff ? '' : null, helpUriBase: null }
  for (const input of inputs) {
    const { ignores, helpUriBase } = await settings(input)
    run.helpUriBase ??= helpUriBase
    const kept = keeper(input, ignores, baseline, options.now)
    const fixed = options.fix || options.diff ? await fix(input, lint, kept, options, run) : []
    const linted = lintText(input.name, input.bytes, lint)
    const counts = new Map(baseline)
    report.files.push(sorted(input, linted, ignores, options.writeBaseline ? new Map<string, number>() : counts, options.now, fixed))
    entries.push(...(report.files.at(-1)?.findings ?? []).map((f) => baselineEntry(input.name, f, linted.reading.servers)))
    run.sources[input.name] = linted.reading.document.text
  }
  run.mask = lazyMask(inputs)
  if (options.writeBaseline) {
    await writeTextFile(path.resolve(options.cwd, baselineFile(options)), baselineText(entries))
    notes.push(`${entries.length} finding${entries.length === 1 ? '' : 's'} written to ${baselineFile(options)}.`)
    report.files = report.files.map((f) => ({ ...f, known: f.known + f.findings.length, findings: [] }))
  }
  return run
}

function versionOf(text: string | undefined): Version | null {
  if (text === undefined) return null
  const version = parseVersion(/^v?\d+\.\d+$/.test(text) ? `${text}.0` : text)
  if (!version) throw new UserError(`"${text}" is no version of MCPProxy.`, [`It looks like ${newestKnown.text}.`])
  return version
}

// ---- what is read ---------------------------------------------------------------------

async function readInputs({ files, stdin, cwd }: LintRunOptions): Promise<Input[]> {
  const named = files.filter((f) => f !== '-')
  const inputs: Input[] = []
  if (named.length < files.length) inputs.push({ name: 'stdin', path: null, bytes: await readAll(stdin), file: null })
  const paths = files.length === 0 ? [await usual(cwd)] : await findFiles(named, cwd)
  for (const found of paths) {
    const file = await readConfigFile(found)
    inputs.push({ name: shownFile(found, cwd), path: found, bytes: file.bytes, file })
  }
  return inputs
}

async function usual(cwd: string): Promise<string> {
  const file = await defaultConfig(cwd)
  if (file === null) throw new UserError('No mcp_config.json was found.', ['Name a file: mcpproxy-doctor lint CONFIG.'])
  return file
}

/** The settings beside each file, or else in the current folder. */
function settingsReader({ cwd, now }: LintRunOptions, notes: string[]): (input: Input) => Promise<Settings> {
  const known = new Map<string, Promise<Settings | null>>()
  const read = (folder: string): Promise<Settings | null> => {
    const before = known.get(folder)
    if (before) return before
    const reading = readSettings(path.join(folder, settingsName))
    known.set(folder, reading)
    return reading
  }
  const readSettings = async (file: string): Promise<Settings | null> => {
    const text = await readOptional(file)
    if (text === null) return null
    const settings = parseSettings(shownFile(file, cwd), text, lintCodes)
    for (const ignore of settings.ignores)
      if (hasExpired(ignore, now))
        notes.push(`${shownFile(file, cwd)}: the ignore of ${ignore.code} expired on ${ignore.expires ?? ''} (${ignore.reason}).`)
    return settings
  }
  const none = { ignores: [], helpUriBase: null }
  return async ({ path: file }) => (file === null ? null : await read(path.dirname(file))) ?? (await read(cwd)) ?? none
}

const baselineFile = ({ baseline }: LintRunOptions): string => baseline ?? '.mcpproxy-doctor-baseline.json'

async function readBaseline(options: LintRunOptions): Promise<ReadonlyMap<string, number>> {
  if (options.baseline === undefined || options.writeBaseline) return new Map()
  const text = await readOptional(path.resolve(options.cwd, options.baseline))
  if (text === null) throw new UserError(`There is no baseline ${options.baseline}.`, ['--write-baseline writes it.'])
  return parseBaseline(options.baseline, text)
}

// ---- what is passed over --------------------------------------------------------------

function sorted(
  { name }: Input,
  { reading, findings }: LintedText,
  ignores: readonly Ignore[],
  baseline: Map<string, number>,
  now: Date,
  fixed: string[],
): LintFile {
  const result: LintFile = { file: name, servers: reading.servers.length, findings: [], ignored: [], known: 0, fixed }
  for (const finding of findings) {
    const ignore = ignoreFor(finding, reading.servers, ignores, now)
    const { code, server } = finding
    if (ignore) result.ignored.push({ code, server, line: placeOf(finding)?.line ?? 1, reason: ignore.reason })
    else if (takeKnown(baseline, baselineEntry(name, finding, reading.servers))) result.known++
    else result.findings.push(finding)
  }
  return result
}

/** What --fix leaves alone: the same that is not reported. */
function keeper(
  { name, bytes }: Input,
  ignores: readonly Ignore[],
  baseline: ReadonlyMap<string, number>,
  now: Date,
): (finding: Finding) => boolean {
  if (ignores.length === 0 && baseline.size === 0) return () => false
  const servers = serverEntries(parseConfig(name, bytes))
  return (finding) =>
    ignoreFor(finding, servers, ignores, now) !== undefined || takeKnown(new Map(baseline), baselineEntry(name, finding, servers))
}

// ---- what is written ------------------------------------------------------------------

/** Titles of the remedies that were written; with --diff nothing is. */
async function fix(
  input: Input,
  lint: LintOptions,
  kept: (finding: Finding) => boolean,
  { diff, now }: LintRunOptions,
  run: LintRun,
): Promise<string[]> {
  const before = input.bytes.toString('utf8')
  // What is not UTF-8 would be written back as something else.
  if (!Buffer.from(before).equals(input.bytes)) return []
  const { text, fixed } = fixText(input.name, before, lint, kept)
  if (text === before) return []
  if (diff) {
    run.diff = `${run.diff ?? ''}--- ${input.name}\n+++ ${input.name}\n${maskedDiff(input.name, before, text)}\n`
    return []
  }
  if (input.file === null) throw new UserError('Standard input cannot be fixed.', ['--diff shows what --fix would change.'])
  try {
    const { backup } = await backUp(input.file, now)
    input.file = await replaceConfigFile(input.file, Buffer.from(text))
    run.report.notes.push(`${input.name}: the old file is in ${backup}.`)
  } catch (error) {
    throw error instanceof ConfigChanged ? new UserError(`${error.message}.`, ['Run it again.']) : error
  }
  input.bytes = input.file.bytes
  return fixed
}

/** Strikes the secrets of all files; worked out when something is to be masked. */
function lazyMask(inputs: readonly Input[]): (text: string) => string {
  let masks: ((text: string) => string)[] | null = null
  return (text) => {
    masks ??= inputs.map(({ name, bytes }) => configSource(name, bytes).mask)
    return masks.reduce((masked, mask) => mask(masked), text)
  }
}
