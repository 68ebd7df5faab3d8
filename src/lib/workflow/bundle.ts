/** A live look as a capture, with the secrets out: what one hands over so that somebody else can find the cause. */
import { randomBytes } from 'node:crypto'
import { mainLogNeedles } from '../evidence/collect-logs.ts'
import { createRedactor, type Redaction } from '../evidence/redaction.ts'
import { globalConfig, parseConfig, serverEntries } from '../formats/mcp-config.ts'
import type { Report } from '../report/report.ts'
import type { CaptureFile } from '../system/capture-files.ts'
import { apiFile, captureName, imageFile } from '../system/capture-names.ts'
import { referredVariables } from '../formats/mcp-config.ts'
import { captureFiles, recordSystem, type CaptureContent } from '../system/recording.ts'
import type { System } from '../system/system.ts'
import { linesOf } from '../system/byte-record.ts'
import { recordedReplays, replaysJson, type RecordedReplays, type RecordedStart } from '../system/replay-record.ts'
import { check, type ReplayChoice } from './check.ts'

export interface BundleOptions {
  servers: string[]
  all: boolean
  timeoutMs: number
  /** Leave user and host names and home paths as they are. */
  keepPaths: boolean
  /** Name of this machine, for it to be left out. */
  hostname: string
  /** Start servers again where that can settle something; else nothing is started. */
  replay?: ReplayChoice | null
  progress?: (text: string) => void
}

export interface Bundle {
  files: CaptureFile[]
  redactions: Redaction[]
  /** What `check` says of it. */
  report: Report
}

export async function bundle(system: System, options: BundleOptions): Promise<Bundle> {
  const { content, report } = await record(system, options)
  options.progress?.('taking the secrets out')
  const variables = referredVariables(configTexts(content), options.replay?.env ?? {})
  return { ...redacted(content, { ...options, variables }), report }
}

/** `check` on the system, and everything that was answered meanwhile. */
export async function record(
  system: System,
  options: Pick<BundleOptions, 'servers' | 'all' | 'timeoutMs' | 'replay' | 'progress'>,
): Promise<{ content: CaptureContent; report: Report }> {
  const { servers, all, timeoutMs, progress } = options
  const deadline = Date.now() + timeoutMs
  // Starts that a capture holds stay with it; whether they are wanted was asked when they were made.
  const held = system.recording?.replays ?? null
  const replay = held ? asRecorded : (options.replay ?? null)
  const recording = recordSystem(system, { replays: replay !== null })
  const started = new Map<string, RecordedStart[]>()
  const note = (server: string, start: RecordedStart | null): void =>
    void started.set(server, [...(started.get(server) ?? []), ...(start ? [start] : [])])
  const report = await check(recording.system, {
    servers,
    all,
    timeoutMs,
    replay: replay && { ...replay, note },
    ...(progress ? { progress } : {}),
  })
  const names = report.servers.map((s) => s.server)
  progress?.('recording what else helps')
  await more(recording.system, names)
  const needles = mainLogNeedles(names)
  const content = await recording.finish({
    servers: names,
    needles: (path) => (/[\\/]main[^\\/]*$/.test(path) ? needles : null),
    deadline: Math.max(deadline, Date.now() + 5000),
  })
  if (held) content.replays = { ...held, servers: held.servers.filter((s) => names.includes(s.server)) }
  else if (replay && !system.recording)
    content.replays = {
      allow: [...replay.allow],
      variables: Object.keys(referredVariables(configTexts(content), replay.env)),
      servers: [...started].map(([server, starts]) => ({ server, starts })),
    }
  return { content, report }
}

const configTexts = ({ files }: CaptureContent): string => files.map(({ bytes }) => bytes.toString('utf8')).join('\n')
const asRecorded: ReplayChoice = { allow: new Set(), budgetMs: 0, env: {} }

/** What no rule asks for, but a person would. */
async function more({ engine, proxy }: System, servers: readonly string[]): Promise<void> {
  const containers = await engine.containers()
  const own = (containers.ok ? containers.value : []).filter((c) => {
    const labels = (c as { Labels?: Record<string, unknown> | null }).Labels
    return typeof labels?.['com.mcpproxy.server'] === 'string' && servers.includes(labels['com.mcpproxy.server'])
  })
  const ids = own.map((c) => (c as { Id?: unknown }).Id).filter((id): id is string => typeof id === 'string')
  await Promise.all([
    engine.images(),
    ...ids.slice(0, 50).map((id) => engine.inspect(id)),
    proxy.get('/api/v1/status'),
    ...servers.slice(0, 50).map((name) => proxy.get(`/api/v1/servers/${encodeURIComponent(name)}/diagnostics`)),
  ])
}

/** The capture without secrets; `redactions.json` says what was taken out where. */
export function redacted(
  content: CaptureContent,
  /** `variables`: values that servers were started with, by name; they may have written them. */
  options: Pick<BundleOptions, 'keepPaths' | 'hostname'> & { variables?: Record<string, string> },
): { files: CaptureFile[]; redactions: Redaction[] } {
  const environment = content.environment?.ok ? content.environment.value.env : {}
  const redactor = createRedactor({
    key: randomBytes(32),
    identity: options.keepPaths
      ? null
      : {
          home: content.locations.home,
          users: [environment['USER'], environment['LOGNAME'], environment['USERNAME']],
          hosts: [options.hostname, environment['HOSTNAME'], environment['COMPUTERNAME'], engineName(content)],
          words: ownWords(content),
        },
    keep: wordsToKeep(content),
  })
  const { files, logs, ...answers } = content
  const texts = files.map(({ path, bytes }) => ({ path, ...decoded(bytes) }))
  for (const { text } of texts) redactor.learn(text, 'config')
  for (const { text } of logs) redactor.learn(text, 'lines')
  // Whoever keeps a value out of the configuration calls it secret, whatever its name.
  const kept = Object.entries(options.variables ?? {}).map(([name, value]): [string, string] => [`${name}_SECRET`, value])
  redactor.learn(JSON.stringify({ env: Object.fromEntries(kept) }), 'json')
  const replays = answers.replays && replaysJson(answers.replays)
  redactor.learn(JSON.stringify({ ...answers, replays }), 'json')
  if (answers.replays) for (const text of wordsOf(answers.replays)) redactor.learn(text, 'lines')
  // Each part by itself, so that it is known what was where.
  const part = <T>(value: T, place: string): T => JSON.parse(redactor.redact(JSON.stringify(value), place)) as T
  const { host, environment: told, api, engine, events, images, inspects, replays: _, ...about } = answers
  const manifest = part(about, 'capture.json')
  const home = manifest.locations.home
  const file = <T extends { path: string }>(item: T, text: string): { path: string; text: string } => {
    const path = part(item.path, 'names of files')
    return { path, text: redactor.redact(text, captureName(path, home, '\0') ?? path) }
  }
  const clean: CaptureContent = {
    ...manifest,
    host: part(host, 'host'),
    environment: part(told, 'host/environment.json'),
    api: api.map((a) => part(a, apiFile(a.path))),
    engine: engine.map((e) => part(e, `docker/${e.name}.json`)),
    events: part(events, 'docker/events.ndjson'),
    images: images.map((i) => part(i, imageFile(i.reference))),
    inspects: part(inspects, 'docker/inspect-at-die.json'),
    replays: replays === null ? null : recordedReplays(part(replays, 'replays.json')),
    files: texts.map((t) => {
      const { path, text } = file(t, t.text)
      return { path, bytes: t.encode(text) }
    }),
    logs: logs.map((log) => ({ ...log, ...file(log, log.text) })),
  }
  const redactions = redactor.redactions()
  return { files: captureFiles(clean, { 'redactions.json': redactions }), redactions }
}

/** What was written in replays, as text. */
const wordsOf = ({ servers }: RecordedReplays): string[] =>
  servers
    .flatMap(({ starts }) => starts)
    .flatMap(({ run }) => [run?.transcript?.stdout, run?.transcript?.stderr].flatMap((b) => (b ? [linesOf(b).join('\n')] : [])))

const engineName = ({ engine }: CaptureContent): string | undefined => {
  const info = engine.find((e) => e.name === 'info')?.answer
  const name = info?.ok ? (info.value as { Name?: unknown } | null)?.Name : undefined
  return typeof name === 'string' ? name : undefined
}

/** Keys of the answers, and the parts of the names of files, e.g. `main` and `log`. */
function ownWords(content: CaptureContent): Set<string> {
  const words = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return
    for (const [key, item] of Object.entries(value)) {
      if (/^[a-z]\w*$/i.test(key)) words.add(key)
      visit(item)
    }
  }
  visit({ ...content, logs: [], files: [] })
  for (const { path } of [...content.logs, ...content.files])
    for (const part of (path.split(/[\\/]/).at(-1) ?? '').split(/\W+/)) words.add(part)
  return words
}

/** A password that is also the name of a server or an image stays: striking it would strike what the diagnosis is about. */
function wordsToKeep(content: CaptureContent): Set<string> {
  const words = new Set<string>([...content.servers, ...content.images.flatMap((i) => [i.reference, ...i.reference.split(/[/:@]/)])])
  for (const { path, bytes } of content.files) {
    const document = parseConfig(path, bytes)
    const { docker_isolation } = globalConfig(document)
    const servers = serverEntries(document)
    for (const word of [
      ...servers.flatMap((s) => [s.name, s.command, s.isolation?.image ?? '', ...Object.keys(s.env)]),
      ...Object.entries(docker_isolation.default_images).flat(),
      docker_isolation.network_mode ?? '',
    ])
      if (word !== '') words.add(word)
  }
  return words
}

/** Text of any encoding, and the way back to bytes; nothing is lost on it. */
function decoded(bytes: Buffer): { text: string; encode: (text: string) => Buffer } {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: bytes.toString('utf16le'), encode: (text) => Buffer.from(text, 'utf16le') }
  if (bytes[0] === 0xfe && bytes[1] === 0xff && bytes.length % 2 === 0)
    return { text: Buffer.from(bytes).swap16().toString('utf16le'), encode: (text) => Buffer.from(text, 'utf16le').swap16() }
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes)
    ? { text, encode: (t) => Buffer.from(t) }
    : { text: bytes.toString('latin1'), encode: (t) => Buffer.from(t, 'latin1') }
}

/** Where to: as asked for, else a file of the current folder that names the server. */
export function bundleTarget(output: string | undefined, servers: readonly string[]): string {
  if (output !== undefined) return output.length > 1 ? output.replace(/[\\/]+$/, '') : output
  const [first = 'all'] = servers
  const name = servers.length === 1 ? first.replaceAll(/[^\w.-]+/g, '_').replace(/^[.-]+/, '') : 'all'
  return `mcpproxy-doctor-${name.slice(0, 60) || 'server'}.tgz`
}

export { refuseExisting, writeBundle } from '../system/bundle-file.ts'
