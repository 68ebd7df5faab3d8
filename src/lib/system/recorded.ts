/** Answers from a capture: a folder in the form `mcpproxy-doctor-capture/1`. What it does not hold is "not recorded". */
import fs from 'node:fs/promises'
import path from 'node:path'
import { object, text, texts, type Loose } from '../formats/loose.ts'
import { UserError } from '../errors.ts'
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
  type System,
} from './system.ts'

const notRecorded = (what: string): { ok: false; error: { kind: 'not-recorded'; message: string } } => ({
  ok: false,
  error: { kind: 'not-recorded', message: `The capture does not hold ${what}.` },
})
const format = /^mcpproxy-doctor-capture\/(\d+)$/

export async function openCapture(folder: string): Promise<System> {
  const root = path.resolve(folder)
  const manifest = await readManifest(root)
  const home = text(manifest['home']) ?? '/home/user'
  const recordedAt = text(manifest['recordedAt'])
  const proxy = object(manifest['mcpproxy'])
  const inside = (recorded: unknown): string | null => {
    const relative = text(recorded)
    if (relative === null) return null
    const full = path.resolve(root, relative)
    return full === root || full.startsWith(root + path.sep) ? full : null
  }
  const at = recordedAt === null ? new Date(Number.NaN) : new Date(recordedAt)
  if (Number.isNaN(at.getTime())) throw new UserError(`${folder}/capture.json does not say when it was recorded (recordedAt).`)
  const config = inside(manifest['config'])
  const logs = inside(manifest['logs'])
  // The capture's places are shown as they were on the machine: `home/.mcpproxy/…` → `<home>/.mcpproxy/…`.
  const homeFolder = path.join(root, 'home')
  const shown = (full: string): string =>
    full.startsWith(homeFolder + path.sep) ? path.posix.join(home, path.relative(homeFolder, full).split(path.sep).join('/')) : full
  const onDisk = (name: string): string =>
    name === home || name.startsWith(`${home}/`) ? path.join(homeFolder, name.slice(home.length)) : name
  const atHome = path.join(homeFolder, 'mcp_config.json')
  const other = config !== atHome && (await isFile(atHome))
  return {
    recording: {
      recordedAt: at.toISOString(),
      path: root,
      mcpproxy: { version: text(proxy['version']), running: proxy['running'] === true },
    },
    platform: text(manifest['platform']) ?? 'linux',
    now: () => at,
    locations: () =>
      Promise.resolve({
        home,
        config: config === null ? null : shown(config),
        trackedConfig: null,
        otherConfigs: other ? [shown(atHome)] : [],
        dataDir: config === null ? null : path.posix.dirname(shown(config)),
        logDirs: logs === null ? [] : [shown(logs)],
        how: ['recorded in capture.json'],
      }),
    files: recordedFiles(root, onDisk),
    proxy: { get: (p) => recordedAnswer(root, p, proxy['running'] === true), address: () => Promise.resolve(text(proxy['listen'])) },
    engine: recordedEngine(root, object(manifest['docker'])),
    environment: () => recordedEnvironment(root),
    replays: null,
    close: () => Promise.resolve(),
  }
}

async function readManifest(root: string): Promise<Loose> {
  let content: string
  try {
    content = await fs.readFile(path.join(root, 'capture.json'), 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new UserError(`${root} is no capture: its capture.json cannot be read (${code}).`, [
      '--from takes the folder of a capture, the one that holds capture.json.',
    ])
  }
  let manifest: Loose
  try {
    manifest = object(JSON.parse(content))
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

async function json(root: string, ...names: string[]): Promise<Observed<unknown>> {
  const file = path.join(root, ...names)
  let content: string
  try {
    content = await fs.readFile(file, 'utf8')
  } catch {
    return notRecorded(names.join('/'))
  }
  try {
    return observed(JSON.parse(content) as unknown)
  } catch {
    return notObserved('failed', `${names.join('/')} of the capture is not JSON.`)
  }
}

function recordedFiles(root: string, onDisk: (name: string) => string): Files {
  return {
    // What the host said of a path at that time, not what this machine says of it now.
    async stat(name) {
      const files = await json(root, 'host', 'files.json')
      if (!files.ok) return files
      const entry = object(files.value)[name]
      if (entry === undefined) return notRecorded(`what the host says of ${name}`)
      const e = object(entry)
      if (text(e['error']) === 'ENOENT' || text(e['error']) === 'ENOTDIR') return observed<HostPath>({ type: 'missing' })
      if (text(e['error'])) return notObserved('denied', `${name}: ${String(e['error'])}`)
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
      const handle = await openRegular(onDisk(name))
      if (handle === null) return observed(null)
      try {
        const { size } = await handle.stat()
        const buffer = Buffer.alloc(Math.min(size, limit))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
        return observed(buffer.subarray(0, bytesRead))
      } finally {
        await handle.close()
      }
    },
    async open(name) {
      const handle = await openRegular(onDisk(name))
      if (handle === null) return observed(null)
      if (name.endsWith('.gz')) return unpacked(name, handle)
      const { size } = await handle.stat()
      return observed<OpenFile>({
        path: name,
        size,
        mtimeMs: null,
        read: (offset, length) => readAt(handle, offset, length),
        close: () => handle.close(),
      })
    },
    async list(name) {
      try {
        return observed(await fs.readdir(onDisk(name)))
      } catch {
        return observed(null)
      }
    },
  }
}

const isFile = async (file: string): Promise<boolean> =>
  fs.stat(file).then(
    (s) => s.isFile(),
    () => false,
  )

async function openRegular(file: string): Promise<fs.FileHandle | null> {
  if (!(await isFile(file))) return null
  try {
    return await fs.open(file, 'r')
  } catch {
    return null
  }
}

async function readAt(handle: fs.FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await handle.read(buffer, 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

async function unpacked(name: string, handle: fs.FileHandle): Promise<Observed<OpenFile | null>> {
  try {
    const { gunzipSync } = await import('node:zlib')
    const content = gunzipSync(await handle.readFile(), { maxOutputLength: 256 * 1024 * 1024 })
    return observed<OpenFile>({
      path: name,
      size: content.length,
      mtimeMs: null,
      read: (offset, length) => Promise.resolve(content.subarray(offset, offset + length)),
      close: () => Promise.resolve(),
    })
  } catch {
    return notObserved('failed', `${name} cannot be unpacked.`)
  } finally {
    await handle.close()
  }
}

/** The recorded answers lie in `api/`, each with the request that it answers. */
async function recordedAnswer(root: string, wanted: string, running: boolean): Promise<Observed<ApiAnswer>> {
  let names: string[]
  try {
    names = await fs.readdir(path.join(root, 'api'))
  } catch {
    return running ? notRecorded('answers of the API') : notObserved('unreachable', 'MCPProxy was not running.')
  }
  for (const name of names) {
    const file = await json(root, 'api', name)
    if (!file.ok) continue
    const v = object(file.value)
    if (text(object(v['request'])['path'])?.split('?')[0] !== wanted.split('?')[0]) continue
    const status = Number(v['status'])
    return status === 0 ? notObserved('unreachable', 'MCPProxy was not running.') : observed({ status, body: v['body'] })
  }
  return notRecorded(`the answer to ${wanted}`)
}

function recordedEngine(root: string, docker: Loose): Engine {
  const host = text(docker['host'])
  const context = text(docker['context'])
  const list = async (name: string): Promise<Observed<unknown[]>> => {
    const file = await json(root, 'docker', name)
    if (!file.ok) return file
    return Array.isArray(file.value)
      ? observed(file.value as unknown[])
      : notObserved('unreachable', 'The engine did not answer when this was recorded.')
  }
  const one = async (name: string): Promise<Observed<unknown>> => {
    const file = await json(root, 'docker', name)
    return file.ok && file.value === null ? notObserved('unreachable', 'The engine did not answer when this was recorded.') : file
  }
  /** `docker/images/<reference with other characters as _>.json` */
  const image = (reference: string): Promise<Observed<unknown>> =>
    json(root, 'docker', 'images', `${reference.replaceAll(/[^\w.-]+/g, '_')}.json`)
  return {
    endpoint: () => Promise.resolve({ host, decidedBy: 'recorded', context, tls: false, problem: null }),
    version: () => one('version.json'),
    info: () => one('info.json'),
    containers: () => list('containers.json'),
    images: () => list('images.json'),
    networks: () => list('networks.json'),
    async events() {
      let content: string
      try {
        content = await fs.readFile(path.join(root, 'docker', 'events.ndjson'), 'utf8')
      } catch {
        return notRecorded('docker/events.ndjson')
      }
      return observed(
        content.split('\n').flatMap((line) => {
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
      return text(v['error']) !== null ? observed(null) : observed(v['inspect'] ?? null)
    },
    async programs(reference) {
      const file = await image(reference)
      if (!file.ok) return file
      const programs = object(file.value)['programs']
      return Array.isArray(programs) ? observed(programs.map(String)) : notRecorded(`the programs of ${reference}`)
    },
    async inspect(id) {
      const file = await json(root, 'docker', 'inspect-at-die.json')
      if (!file.ok) return file
      return observed((Array.isArray(file.value) ? (file.value as unknown[]) : []).find((c) => text(object(c)['Id']) === id) ?? null)
    },
  }
}

async function recordedEnvironment(root: string): Promise<Observed<ProxyEnvironment>> {
  const file = await json(root, 'host', 'environment.json')
  if (!file.ok) return file
  const v = object(file.value)
  const user = object(v['user'])
  const strings = (o: Loose): Record<string, string | undefined> =>
    Object.fromEntries(Object.entries(o).map(([k, item]) => [k, text(item) ?? undefined]))
  return observed({
    source: 'recorded',
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
