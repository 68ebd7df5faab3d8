/** Answers from a capture in the form `mcpproxy-doctor-capture/1` (docs/capture-format.md). What it does not hold is "not recorded". */
import path from 'node:path'
import { object, text, texts, type Loose } from '../formats/loose.ts'
import { UserError } from '../errors.ts'
import { readArchive } from './archive.ts'
import { stat } from './async-fs.ts'
import { folderFiles, memoryFiles, type CaptureFiles } from './capture-files.ts'
import { captureName, imageFile, machinePath, relativeName } from './capture-names.ts'
import { recordedReplays } from './replay-record.ts'
import {
  notObserved,
  observed,
  type ApiAnswer,
  type Engine,
  type Files,
  type HostPath,
  type Observed,
  type OpenFile,
  type ProxyEnvironment,
  type SourceError,
  type System,
} from './system.ts'

const notRecorded = (what: string): { ok: false; error: { kind: 'not-recorded'; message: string } } => ({
  ok: false,
  error: { kind: 'not-recorded', message: `The capture does not hold ${what}.` },
})
const format = /^mcpproxy-doctor-capture\/(\d+)$/

/** A folder that holds a capture.json, or such a folder as a .tgz. */
export async function openCapture(place: string): Promise<System> {
  const root = path.resolve(place)
  return openRecorded(root, (await isFile(root)) ? memoryFiles(await readArchive(root)) : folderFiles(root))
}

/** `root`: what the capture is called in messages. */
export async function openRecorded(root: string, files: CaptureFiles): Promise<System> {
  const manifest = await readManifest(root, files)
  const home = text(manifest['home']) ?? '/home/user'
  const recordedAt = text(manifest['recordedAt'])
  const proxy = object(manifest['mcpproxy'])
  const at = recordedAt === null ? new Date(Number.NaN) : new Date(recordedAt)
  if (Number.isNaN(at.getTime())) throw new UserError(`${root}/capture.json does not say when it was recorded (recordedAt).`)
  const windows = manifest['platform'] === 'win32'
  // The capture's places are shown as they were on the machine: `home/.mcpproxy/…` → `<home>/.mcpproxy/…`.
  const shown = (recorded: unknown): string | null => {
    const name = text(recorded) === null ? null : relativeName(String(recorded))
    return name === null ? null : machinePath(name, home, windows, root)
  }
  const config = shown(manifest['config'])
  const logs = shown(manifest['logs'])
  const other = manifest['config'] !== 'home/mcp_config.json' && (await files.read('home/mcp_config.json')) !== null
  const replays = await json(files, 'replays.json')
  const told = manifest['locations'] === undefined ? null : object(manifest['locations'])
  return {
    recording: {
      recordedAt: at.toISOString(),
      path: root,
      mcpproxy: { version: text(proxy['version']), running: proxy['running'] === true },
      servers: Array.isArray(manifest['servers']) ? texts(manifest['servers']) : null,
      replays: replays.ok ? recordedReplays(replays.value) : null,
    },
    platform: text(manifest['platform']) ?? 'linux',
    now: () => at,
    locations: () =>
      Promise.resolve(
        told === null
          ? {
              home,
              config,
              trackedConfig: null,
              otherConfigs: other ? [path.posix.join(home, 'mcp_config.json')] : [],
              dataDir: config === null ? null : path.posix.dirname(config),
              logDirs: logs === null ? [] : [logs],
              how: ['recorded in capture.json'],
            }
          : {
              home,
              config: text(told['config']),
              trackedConfig: text(told['trackedConfig']),
              otherConfigs: texts(told['otherConfigs']),
              dataDir: text(told['dataDir']),
              logDirs: texts(told['logDirs']),
              how: texts(told['how']),
            },
      ),
    files: recordedFiles(files, (name) => captureName(name, home, root)),
    proxy: { get: recordedAnswers(files, proxy['running'] === true), address: () => Promise.resolve(text(proxy['listen'])) },
    engine: recordedEngine(files, object(manifest['docker'])),
    environment: () => recordedEnvironment(files),
    replays: null,
    close: () => Promise.resolve(),
  }
}

async function readManifest(root: string, files: CaptureFiles): Promise<Loose> {
  const content = await files.read('capture.json')
  if (content === null)
    throw new UserError(`${root} is no capture: it has no capture.json that can be read.`, [
      '--from takes the folder of a capture, the one that holds capture.json, or a .tgz that bundle has written.',
    ])
  let manifest: Loose
  try {
    manifest = object(JSON.parse(content.toString('utf8')))
  } catch {
    throw new UserError(`${root}/capture.json is not JSON.`)
  }
  const version = format.exec(text(manifest['format']) ?? '')?.[1]
  if (version === undefined)
    throw new UserError(`${root}/capture.json names no format that is known here (expected mcpproxy-doctor-capture/1).`)
  if (Number(version) > 1)
    throw new UserError(`The capture ${root} has the format mcpproxy-doctor-capture/${version}; this program knows 1.`, [
      'Update mcpproxy-doctor.',
    ])
  return manifest
}

async function json(files: CaptureFiles, name: string): Promise<Observed<unknown>> {
  const content = await files.read(name)
  if (content === null) return notRecorded(name)
  try {
    return observed(JSON.parse(content.toString('utf8')) as unknown)
  } catch {
    return notObserved('failed', `${name} of the capture is not JSON.`)
  }
}

const kinds = ['not-recorded', 'timed-out', 'denied', 'unreachable', 'failed'] as const

/** `{"error": {"kind", "message"}}`: nobody could look when this was recorded. Null: it is no such note. */
function recordedFailure(value: unknown): { ok: false; error: SourceError } | null {
  const error = object(object(value)['error'])
  const message = text(error['message'])
  if (message === null) return null
  const why = text(error['why'])
  const kind = kinds.find((k) => k === error['kind']) ?? 'failed'
  return { ok: false, error: { kind, message, ...(why === null ? {} : { why }) } }
}

function recordedFiles(files: CaptureFiles, held: (name: string) => string | null): Files {
  const known = new Map<string, Promise<Observed<unknown>>>()
  /** Read once: they are asked for with every path. */
  const notesIn = (name: string): Promise<Observed<unknown>> => {
    const notes = known.get(name) ?? json(files, name)
    known.set(name, notes)
    return notes
  }
  const failure = async (name: string): Promise<{ ok: false; error: SourceError } | null> => {
    const notes = await notesIn('host/unreadable.json')
    return notes.ok ? recordedFailure({ error: object(notes.value)[name] }) : null
  }
  /** What the folder held when this was recorded; null: the capture does not say. */
  const listed = async (folder: string): Promise<Observed<string[] | null> | null> => {
    const folders = await notesIn('host/folders.json')
    const entry = folders.ok ? object(folders.value)[folder] : undefined
    if (entry === undefined) return null
    return entry === null ? observed(null) : (recordedFailure(entry) ?? observed(texts(entry)))
  }
  /** A file that was there and is not held was left out: that is not "there is none". */
  const absent = async (name: string): Promise<Observed<null>> => {
    const slash = name.lastIndexOf('/')
    const names = await listed(name.slice(0, slash))
    return names?.ok && names.value?.includes(name.slice(slash + 1)) === true ? notRecorded(name) : observed(null)
  }
  return {
    // What the host said of a path at that time, not what this machine says of it now.
    async stat(name) {
      const answers = await notesIn('host/files.json')
      if (!answers.ok) return answers
      const entry = object(answers.value)[name]
      if (entry === undefined) return notRecorded(`what the host says of ${name}`)
      const e = object(entry)
      if (text(e['error']) === 'ENOENT' || text(e['error']) === 'ENOTDIR') return observed<HostPath>({ type: 'missing' })
      if (text(e['error'])) return notObserved('denied', `${name}: ${String(e['error'])}`)
      const failed = recordedFailure(e)
      if (failed) return failed
      const type = (['file', 'directory', 'socket', 'fifo'] as const).find((t) => t === e['type']) ?? 'other'
      return observed<HostPath>({
        type,
        mode: Number.parseInt(text(e['mode']) ?? '0', 8),
        uid: Number(e['uid']),
        gid: Number(e['gid']),
        size: Number(e['size'] ?? 0),
        mtimeMs: typeof e['mtimeMs'] === 'number' ? e['mtimeMs'] : null,
      })
    },
    async read(name, limit) {
      const failed = await failure(name)
      if (failed) return failed
      const place = held(name)
      const content = place === null ? null : await files.read(place)
      return content === null ? absent(name) : observed(content.subarray(0, limit))
    },
    async open(name) {
      const failed = await failure(name)
      if (failed) return failed
      const place = held(name)
      const file = place === null ? null : await files.open(place)
      if (file === null) return absent(name)
      const window = await logWindow(files, name)
      if (name.endsWith('.gz')) return unpacked(name, file, window)
      return observed<OpenFile>({ path: name, mtimeMs: null, ...file, ...window })
    },
    async list(name) {
      const place = held(name)
      return (await listed(name)) ?? observed(place === null ? null : await files.list(place))
    },
  }
}

/** Of a log that is not held whole: which lines these are. `runs`: from this line of the capture on, the lines from this one of the log. */
async function logWindow(files: CaptureFiles, name: string): Promise<Pick<OpenFile, 'cut' | 'originalLine'>> {
  const logs = await json(files, 'host/logs.json')
  const entry = logs.ok ? object(logs.value)[name] : undefined
  if (entry === undefined) return {}
  const { cut, runs } = object(entry)
  const pairs = (Array.isArray(runs) ? runs : []).flatMap((pair: unknown) => {
    const [here, there] = Array.isArray(pair) ? (pair as unknown[]) : []
    return typeof here === 'number' ? [{ here, there: typeof there === 'number' ? there : null }] : []
  })
  return {
    cut: cut === true,
    originalLine(line) {
      const run = pairs.findLast((p) => p.here <= line)
      return run === undefined || run.there === null ? null : run.there + line - run.here
    },
  }
}

const isFile = async (file: string): Promise<boolean> =>
  stat(file).then(
    (s) => s.isFile(),
    () => false,
  )

/** Of a packed log a bundle keeps 9 MiB. */
const largestPacked = 64 * 1024 ** 2

async function unpacked(
  name: string,
  file: NonNullable<Awaited<ReturnType<CaptureFiles['open']>>>,
  window: Pick<OpenFile, 'cut' | 'originalLine'>,
): Promise<Observed<OpenFile>> {
  try {
    const { gunzipSync } = await import('node:zlib')
    const content = gunzipSync(await file.read(0, file.size), { maxOutputLength: largestPacked })
    return observed<OpenFile>({
      path: name,
      size: content.length,
      mtimeMs: null,
      ...window,
      read: (offset, length) => Promise.resolve(content.subarray(offset, offset + length)),
      close: () => Promise.resolve(),
    })
  } catch {
    return notObserved('failed', `${name} cannot be unpacked.`)
  } finally {
    await file.close()
  }
}

/** The recorded answers lie in `api/`, each with the request that it answers. */
function recordedAnswers(files: CaptureFiles, running: boolean): (wanted: string) => Promise<Observed<ApiAnswer>> {
  const pathOf = (answer: Loose): string | undefined => text(object(answer['request'])['path'])?.split('?')[0]
  const read = async (): Promise<Loose[] | null> => {
    const names = await files.list('api')
    const held = names && (await Promise.all(names.map((name) => json(files, `api/${name}`))))
    return held && held.flatMap((file) => (file.ok ? [object(file.value)] : []))
  }
  let answers: Promise<Loose[] | null> | undefined
  return async (wanted) => {
    const held = await (answers ??= read())
    if (held === null) return running ? notRecorded('answers of the API') : notObserved('unreachable', 'MCPProxy was not running.')
    const answer = held.find((one) => pathOf(one) === wanted.split('?')[0])
    if (!answer) return notRecorded(`the answer to ${wanted}`)
    const failed = recordedFailure(answer)
    if (failed) return failed
    const status = Number(answer['status'])
    return status === 0 ? notObserved('unreachable', 'MCPProxy was not running.') : observed({ status, body: answer['body'] })
  }
}

function recordedEngine(files: CaptureFiles, docker: Loose): Engine {
  const silent = 'The engine did not answer when this was recorded.'
  const list = async (name: string): Promise<Observed<unknown[]>> => {
    const file = await json(files, `docker/${name}`)
    if (!file.ok) return file
    return Array.isArray(file.value)
      ? observed(file.value as unknown[])
      : (recordedFailure(file.value) ?? notObserved('unreachable', silent))
  }
  const one = async (name: string): Promise<Observed<unknown>> => {
    const file = await json(files, `docker/${name}`)
    if (!file.ok) return file
    return file.value === null ? notObserved('unreachable', silent) : (recordedFailure(file.value) ?? file)
  }
  const image = (reference: string): Promise<Observed<unknown>> => json(files, imageFile(reference))
  return {
    endpoint: () =>
      Promise.resolve({
        host: text(docker['host']),
        decidedBy: text(docker['decidedBy']) ?? 'recorded',
        context: text(docker['context']),
        tls: docker['tls'] === true,
        problem: text(docker['problem']),
      }),
    version: () => one('version.json'),
    info: () => one('info.json'),
    containers: () => list('containers.json'),
    images: () => list('images.json'),
    networks: () => list('networks.json'),
    async events() {
      const failed = await json(files, 'docker/events-error.json')
      if (failed.ok) return recordedFailure(failed.value) ?? notObserved('unreachable', silent)
      const content = await files.read('docker/events.ndjson')
      if (content === null) return notRecorded('docker/events.ndjson')
      return observed(
        content
          .toString('utf8')
          .split('\n')
          .flatMap((line) => {
            try {
              return line.trim() === '' ? [] : [JSON.parse(line) as unknown]
            } catch {
              return []
            }
          }),
      )
    },
    async image(reference) {
      const file = await image(reference)
      if (!file.ok) return file
      const v = object(file.value)
      const failed = recordedFailure(v)
      return failed ?? (text(v['error']) !== null ? observed(null) : observed(v['inspect'] ?? null))
    },
    async programs(reference) {
      const file = await image(reference)
      if (!file.ok) return file
      const { programs } = object(file.value)
      return Array.isArray(programs)
        ? observed(programs.map(String))
        : (recordedFailure(programs) ?? notRecorded(`the programs of ${reference}`))
    },
    async inspect(id) {
      const file = await json(files, 'docker/inspect-at-die.json')
      if (!file.ok) return file
      const found = (Array.isArray(file.value) ? (file.value as unknown[]) : []).find((c) => text(object(c)['Id']) === id)
      return found === undefined ? observed(null) : (recordedFailure(found) ?? observed(found))
    },
  }
}

async function recordedEnvironment(files: CaptureFiles): Promise<Observed<ProxyEnvironment>> {
  const file = await json(files, 'host/environment.json')
  if (!file.ok) return file
  const failed = recordedFailure(file.value)
  if (failed) return failed
  const v = object(file.value)
  const user = object(v['user'])
  const strings = (o: Loose): Record<string, string | undefined> =>
    Object.fromEntries(Object.entries(o).map(([k, item]) => [k, text(item) ?? undefined]))
  return observed({
    source: v['source'] === 'assumed' ? 'assumed' : 'recorded',
    pid: null,
    user:
      typeof user['uid'] === 'number'
        ? { uid: user['uid'], gid: Number(user['gid']), groups: Array.isArray(user['groups']) ? user['groups'].map(String) : [] }
        : null,
    env: strings(object(v['env'])),
    programs: Object.fromEntries(Object.entries(object(v['programs'])).map(([k, item]) => [k, text(item)])),
    ...(Array.isArray(v['clientProxies']) ? { clientProxies: texts(v['clientProxies']) } : {}),
  })
}
