/**
 * Notes every answer of a system while something looks at it, and makes a capture of the answers: what was asked is in it,
 * nothing else. Files and engine answers are kept as they are; taking secrets out is the business of whoever writes it down.
 */
import { gzipSync } from 'node:zlib'
import type { CaptureFile } from './capture-files.ts'
import { apiFile, captureName, imageFile } from './capture-names.ts'
import { replaysJson, type RecordedReplays } from './replay-record.ts'
import { lineNumbers, linesBackward } from './log-reader.ts'
import type { RawLine } from './log-span.ts'
import {
  notObserved,
  type ApiAnswer,
  type EngineEndpoint,
  type HostPath,
  type Locations,
  type Observed,
  type OpenFile,
  type ProxyEnvironment,
  type SourceError,
  type System,
} from './system.ts'

/** What a system answered. Paths are those of the machine. */
export interface CaptureContent {
  recordedAt: string
  platform: string
  servers: string[]
  locations: Locations
  mcpproxy: { version: string | null; running: boolean; listen: string | null }
  docker: EngineEndpoint
  files: { path: string; bytes: Buffer }[]
  logs: LogPart[]
  api: { path: string; answer: Observed<ApiAnswer> }[]
  /** `docker/<name>.json` */
  engine: { name: string; answer: Observed<unknown> }[]
  events: Observed<unknown[]> | null
  images: { reference: string; inspect: Observed<unknown> | null; programs: Observed<string[]> | null }[]
  inspects: { id: string; answer: Observed<unknown> }[]
  host: {
    files: Record<string, Observed<HostPath>>
    folders: Record<string, Observed<string[] | null>>
    unreadable: Record<string, SourceError>
  }
  environment: Observed<ProxyEnvironment> | null
  /** Null: nothing was to be started. */
  replays: RecordedReplays | null
}

/** The lines of a log that are kept. `runs`: from this line of `text` on, the lines from this one of the log; null: not counted. */
export interface LogPart {
  path: string
  text: string
  cut: boolean
  runs: [number, number | null][]
}

export interface FinishOptions {
  servers: string[]
  /**
   * Null: of this log the newest 8 MiB are kept. Else the newest 1 MiB, and before that up to 8 MiB of lines that hold one
   * of these.
   */
  needles: (path: string) => readonly string[] | null
  /** Milliseconds since 1970. */
  deadline: number
}

export interface Recording {
  /** Answers as the other system does, each question once. */
  system: System
  finish(options: FinishOptions): Promise<CaptureContent>
}

const mebi = 1024 * 1024
const largestAnswer = 16 * mebi
const farthest = 12 * 1024 ** 3

/** `replays`: whether what looks may start servers again. Whoever starts them adds what he saw to the content. */
export function recordSystem(system: System, { replays = false } = {}): Recording {
  const at = system.now()
  const asked = new Map<string, Promise<unknown>>()
  const answers = new Map<string, unknown>()
  /** The first answer counts: the doctor looks at one moment. */
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const known = asked.get(key) as Promise<T> | undefined
    if (known) return known
    const asking = ask().then((answer) => {
      answers.set(key, answer)
      return answer
    })
    asked.set(key, asking)
    return asking
  }
  const opened = new Map<string, OpenFile>()
  const { files, proxy, engine } = system
  const recorded: System = {
    recording: system.recording,
    platform: system.platform,
    now: () => at,
    locations: () => once('locations', () => system.locations()),
    files: {
      stat: (path) => once(`stat ${path}`, () => files.stat(path)),
      read: (path, limit) => once(`read ${path}`, () => files.read(path, limit)),
      list: (path) => once(`list ${path}`, () => files.list(path)),
      // The same file to everybody, open until the end: what is kept of it is decided then, and it may be rotated meanwhile.
      open: (path) =>
        once(`open ${path}`, async (): Promise<Observed<OpenFile | null>> => {
          const answer = await files.open(path)
          if (!answer.ok || answer.value === null) return answer
          opened.set(path, answer.value)
          return { ok: true, value: keptOpen(answer.value) }
        }),
    },
    proxy: { get: (path) => once(`api ${path}`, () => proxy.get(path)), address: () => once('address', () => proxy.address()) },
    engine: {
      endpoint: () => once('endpoint', () => engine.endpoint()),
      version: () => once('engine version', () => engine.version()),
      info: () => once('engine info', () => engine.info()),
      containers: () => once('engine containers', () => engine.containers()),
      images: () => once('engine images', () => engine.images()),
      networks: () => once('engine networks', () => engine.networks()),
      events: () => once('events', () => engine.events()),
      image: (reference) => once(`image ${reference}`, () => engine.image(reference)),
      programs: (reference) => once(`programs ${reference}`, () => engine.programs(reference)),
      inspect: (id) => once(`inspect ${id}`, () => engine.inspect(id)),
    },
    environment: () => once('environment', () => system.environment()),
    replays: replays ? system.replays : null,
    close: async () => {
      await Promise.all([...opened.values()].map((file) => file.close()))
      opened.clear()
      await system.close()
    },
  }

  /** What was asked with this word first, and the answer; who has not answered by now has none. */
  function* answered<T>(word: string): Generator<[string, Observed<T>]> {
    for (const key of asked.keys()) {
      if (key !== word && !key.startsWith(`${word} `)) continue
      const answer = (answers.get(key) ?? notObserved('timed-out', 'There was no answer in time.')) as Observed<T>
      yield [key.slice(word.length + 1), bounded(answer)]
    }
  }
  const first = <T>(word: string): Observed<T> | null => [...answered<T>(word)][0]?.[1] ?? null

  return {
    system: recorded,
    async finish({ servers, needles, deadline }) {
      const locations = await recorded.locations()
      const content: CaptureContent = {
        recordedAt: at.toISOString(),
        platform: system.platform,
        servers,
        locations,
        mcpproxy: { ...runningProxy(answers, system), listen: await recorded.proxy.address() },
        docker: await recorded.engine.endpoint(),
        files: [],
        logs: [],
        api: [...answered<ApiAnswer>('api')].map(([path, answer]) => ({ path, answer })),
        engine: [...answered<unknown>('engine')].map(([name, answer]) => ({ name, answer })),
        events: first<unknown[]>('events'),
        images: [],
        inspects: [...answered<unknown>('inspect')].map(([id, answer]) => ({ id, answer })),
        host: {
          files: Object.fromEntries(answered<HostPath>('stat')),
          folders: Object.fromEntries(answered<string[] | null>('list')),
          unreadable: {},
        },
        environment: first<ProxyEnvironment>('environment'),
        replays: null,
      }
      for (const [path, answer] of answered<Buffer | null>('read')) {
        if (!answer.ok) content.host.unreadable[path] = answer.error
        else if (answer.value !== null) content.files.push({ path, bytes: answer.value })
      }
      for (const [path, answer] of answered<OpenFile | null>('open')) if (!answer.ok) content.host.unreadable[path] = answer.error
      for (const [path, file] of opened) content.logs.push(await logPart(path, file, needles(path), deadline))
      await Promise.all([...opened.values()].map((file) => file.close()))
      opened.clear()
      const images = [...answered<unknown>('image')]
      const programs = new Map(answered<string[]>('programs'))
      content.images = images.map(([reference, inspect]) => ({ reference, inspect, programs: programs.get(reference) ?? null }))
      return content
    },
  }
}

const keptOpen = (file: OpenFile): OpenFile => ({
  path: file.path,
  size: file.size,
  mtimeMs: file.mtimeMs,
  ...(file.cut === undefined ? {} : { cut: file.cut }),
  ...(file.originalLine ? { originalLine: (line: number) => file.originalLine?.(line) ?? null } : {}),
  read: (offset, length) => file.read(offset, length),
  close: () => Promise.resolve(),
})

function bounded<T>(answer: Observed<T>): Observed<T> {
  if (!answer.ok || Buffer.isBuffer(answer.value) || answer.value === null || typeof answer.value !== 'object') return answer
  if ('read' in answer.value && 'close' in answer.value) return answer
  return JSON.stringify(answer.value).length > largestAnswer
    ? notObserved('failed', `The answer was larger than ${largestAnswer / mebi} MiB and was left out.`)
    : answer
}

function runningProxy(answers: ReadonlyMap<string, unknown>, system: System): { version: string | null; running: boolean } {
  if (system.recording) return system.recording.mcpproxy
  const info = answers.get('api /api/v1/info') as Observed<ApiAnswer> | undefined
  const servers = answers.get('api /api/v1/servers') as Observed<ApiAnswer> | undefined
  const body = info?.ok ? (info.value.body as { data?: { version?: unknown } } | null) : null
  const version = typeof body === 'object' ? body?.data?.version : null
  return { version: typeof version === 'string' ? version : null, running: servers?.ok === true && servers.value.status !== 0 }
}

async function logPart(path: string, file: OpenFile, needles: readonly string[] | null, deadline: number): Promise<LogPart> {
  const lines: RawLine[] = []
  const newest = await take(lines, linesBackward(file, { maxBytes: farthest, deadline }), (needles === null ? 8 : 1) * mebi)
  let whole = newest
  const from = lines.at(-1)?.offset ?? 0
  if (!newest && needles !== null && from > 0) {
    const before: OpenFile = { ...keptOpen(file), size: from }
    whole = await take(lines, linesBackward(before, { needles, maxBytes: farthest, deadline }), 8 * mebi)
  }
  lines.reverse()
  const numbers = await lineNumbers(
    file,
    lines.map((l) => l.offset),
  )
  const runs: LogPart['runs'] = []
  let expected: number | null | undefined
  lines.forEach((line, i) => {
    const number = numbers?.get(line.offset) ?? null
    if (number !== expected) runs.push([i + 1, number])
    expected = number === null ? null : number + 1
  })
  const end = lines.length === 0 || lines.at(-1)?.unterminated === true ? '' : '\n'
  return { path, text: lines.map((l) => l.text).join('\n') + end, cut: !whole, runs }
}

/** True: everything that the scan had to give was taken. */
async function take(lines: RawLine[], scan: ReturnType<typeof linesBackward>, limit: number): Promise<boolean> {
  let bytes = 0
  for (;;) {
    const step = await scan.next()
    if (step.done) return step.value.reachedStart
    bytes += Buffer.byteLength(step.value.text) + 1
    if (bytes > limit) {
      await scan.return({ reachedStart: false })
      return false
    }
    lines.push(step.value)
  }
}

/** The files of a capture (docs/capture-format.md). */
export function captureFiles(content: CaptureContent, more: Record<string, unknown> = {}): CaptureFile[] {
  const { locations, host } = content
  const { home } = locations
  const files: CaptureFile[] = []
  const add = (name: string, bytes: Buffer | string): void => {
    if (!files.some((f) => f.name === name)) files.push({ name, bytes: Buffer.from(bytes) })
  }
  const addJson = (name: string, value: unknown): void => add(name, `${JSON.stringify(value, null, 1)}\n`)
  const place = (path: string | null | undefined): string | null => (path == null ? null : captureName(path, home, '\0'))
  addJson('capture.json', {
    format: 'mcpproxy-doctor-capture/1',
    recordedAt: content.recordedAt,
    platform: content.platform,
    home,
    config: place(locations.config),
    logs: place(locations.logDirs[0]),
    servers: content.servers,
    locations,
    mcpproxy: content.mcpproxy,
    docker: content.docker,
  })
  for (const [name, value] of Object.entries(more)) addJson(name, value)
  for (const { path, bytes } of content.files) {
    const name = place(path)
    if (name !== null) add(name, bytes)
  }
  for (const { path, text } of content.logs) {
    const name = place(path)
    if (name !== null) add(name, name.endsWith('.gz') ? gzipSync(text) : text)
  }
  content.api.forEach(({ path, answer }) =>
    addJson(apiFile(path), {
      request: { method: 'GET', path },
      ...(answer.ok ? answer.value : { status: 0, error: answer.error }),
    }),
  )
  for (const { name, answer } of content.engine) addJson(`docker/${name}.json`, valueOf(answer))
  const { events } = content
  if (events?.ok) add('docker/events.ndjson', events.value.map((e) => `${JSON.stringify(e)}\n`).join(''))
  else if (events) addJson('docker/events-error.json', valueOf(events))
  for (const { reference, inspect, programs } of content.images) {
    addJson(imageFile(reference), {
      image: reference,
      ...(inspect === null || !inspect.ok
        ? { error: inspect?.error }
        : inspect.value === null
          ? { error: 'no such image' }
          : { inspect: inspect.value }),
      ...(programs === null ? {} : { programs: valueOf(programs) }),
    })
  }
  addJson(
    'docker/inspect-at-die.json',
    content.inspects.flatMap(({ id, answer }) =>
      answer.ok ? (answer.value === null ? [] : [answer.value]) : [{ Id: id, error: answer.error }],
    ),
  )
  addJson('host/files.json', Object.fromEntries(Object.entries(host.files).map(([path, answer]) => [path, hostPath(answer)])))
  addJson('host/folders.json', Object.fromEntries(Object.entries(host.folders).map(([path, answer]) => [path, valueOf(answer)])))
  addJson('host/unreadable.json', host.unreadable)
  addJson('host/logs.json', Object.fromEntries(content.logs.map(({ path, cut, runs }) => [path, { cut, runs }])))
  const { environment } = content
  if (environment) addJson('host/environment.json', environment.ok ? { ...environment.value, pid: undefined } : valueOf(environment))
  if (content.replays) addJson('replays.json', replaysJson(content.replays))
  return files
}

const valueOf = (answer: Observed<unknown>): unknown => (answer.ok ? answer.value : { error: answer.error })

function hostPath(answer: Observed<HostPath>): unknown {
  if (!answer.ok) return { error: answer.error }
  return answer.value.type === 'missing' ? { error: 'ENOENT' } : { ...answer.value, mode: `0${(answer.value.mode & 0o7777).toString(8)}` }
}
