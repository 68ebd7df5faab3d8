/** `logs`, line by line: which logs there are, what of them is wanted, and what comes later. */
import { collectConfig } from '../evidence/collect-config.ts'
import { containersFor, readContainers } from '../evidence/collect-engine.ts'
import { configFor } from '../evidence/collect-config.ts'
import {
  createLineReader,
  familyLines,
  filesWithin,
  steadyFamily,
  tailOf,
  type Batch,
  type LineFilter,
  type LineReader,
  type LogSource,
} from '../evidence/collect-log-lines.ts'
import { logFamily, serverLogFamily, serverLogNames, setupSecrets } from '../evidence/collect-logs.ts'
import { createLineMask, type LineMask } from '../evidence/line-mask.ts'
import { configSecrets } from '../evidence/secrets.ts'
import { UserError } from '../errors.ts'
import { lineTime } from '../formats/log-bytes.ts'
import { parseMoment, type Moment } from '../formats/log-moment.ts'
import { newestKnown } from '../mcpproxy/versions.ts'
import { clean } from '../report/clean.ts'
import { observed, type ContainerLine, type FileFollower, type Observed, type OpenFile, type System } from '../system/system.ts'
import { writeLines, type LineFormat, type LineOutput } from './log-lines.ts'
import { requireServer } from './servers.ts'

export interface ShowOptions {
  /** Null: all servers. */
  server: string | null
  since: string | null
  until: string | null
  /** Rank of the least level. */
  level: number | null
  grep: string | null
  tail: number | null
  follow: boolean
  /** Ends following. */
  stop: AbortSignal
  format(names: readonly string[], mask: LineMask): LineFormat
  /** What could not be looked at, and why. */
  note: (text: string) => void
}

interface Family {
  name: string
  ofOne: boolean
  list: () => Promise<Observed<string[]>>
  /** Where the log is, or would be. */
  path: string | null
}

interface Opened extends Family {
  paths: string[]
  newest: OpenFile | null
  follower: FileFollower | null
}

const pollMs = 250
/** Every so many polls it is asked what is new: logs of other servers, lines of containers. */
const lookAfter = 8

/** False: something could not be looked at. */
export async function showLogs(system: System, options: ShowOptions, output: LineOutput): Promise<boolean> {
  let whole = true
  const note = (text: string): void => {
    whole = false
    options.note(text)
  }
  const locations = await system.locations()
  const config = await collectConfig(system, locations)
  const { server } = options
  const families = await familiesOf(system, locations.logDirs, server, note)
  const opened: Opened[] = []
  const followers = new Map<string, FileFollower>()
  try {
    for (const family of families) {
      const one = await openFamily(system, family, options.follow, note)
      if (one === null) continue
      const { newest } = one
      if (newest?.leadsTo !== undefined) options.note(`${newest.path} is a link to ${newest.leadsTo}.`)
      if (one.follower) followers.set(one.name, one.follower)
      opened.push(one)
    }
    const found = opened.some(({ paths }) => paths.length > 0)
    if (server !== null && !opened.some(({ name, paths }) => name === 'server' && paths.length > 0))
      requireServer({ system, locations, config, status: observed(null) }, server)
    if (!found) note(`There are no logs of MCPProxy in ${locations.logDirs.join(' or ')}.`)

    const main = opened.find(({ name }) => name === 'main')
    const secrets = new Set(config.ok ? configSecrets(config.value.document) : [])
    if (main?.newest) for (const value of await setupSecrets(main.newest)) secrets.add(value)
    const mask = createLineMask(secrets, clean)
    const offset = main?.newest ? await zoneOf(main.newest) : null
    const filter: LineFilter = {
      server,
      level: options.level,
      grep: options.grep,
      since: moment(options.since, '--since', system.now(), offset),
      until: moment(options.until, '--until', system.now(), offset),
    }
    const containers = containerSource(system, filter, server, offset, config)
    const names = [...opened.map(({ name }) => name), ...(system.engine.logs && options.level === null ? ['container'] : [])]
    const format = options.format(names, mask)

    // Most containers are gone when somebody asks: what of this could not be looked at is said, and is no failure.
    const first = options.level === null ? await containers.next(options.note) : null
    const tail = options.tail ?? (options.follow && filter.since === null ? 10 : null)
    const sources: LogSource[] = []
    const timed = first !== null || opened.filter(({ paths }) => paths.length > 0).length > 1
    let count = 0
    for (const { name, ofOne, paths, newest } of opened) {
      const within = filesWithin(paths, filter)
      const given = { filter, ofOne, newest, note, timed }
      if (tail === null) sources.push({ name, batches: familyLines(system.files, within, given) })
      else {
        const { from, count: here } = await tailOf(system.files, within, tail, given)
        count += here
        if (from) sources.push({ name, batches: familyLines(system.files, within, { ...given, from }) })
      }
    }
    if (first !== null) {
      const last = tail === null ? first : lastOf(first, tail)
      count += last.count
      sources.push({ name: 'container', batches: once(last) })
    }
    let read = true
    const watched: LineOutput = { write: async (bytes) => (read = await output.write(bytes)) }
    await writeLines(sources, tail === null ? 0 : Math.max(0, count - tail), format, watched)
    if (!options.follow || !read) return whole
    await follow()

    async function follow(): Promise<void> {
      const readers = new Map<string, LineReader>()
      // The moment that it was asked for is past; what comes is newer.
      const coming: LineFilter = { ...filter, since: null }
      for (let polls = 1; read; polls++) {
        await new Promise((resolve) => setTimeout(resolve, pollMs))
        if (options.stop.aborted) return
        if (polls % lookAfter === 0) await lookForNew()
        const news: LogSource[] = []
        for (const [name, follower] of followers) {
          const bytes = await follower.poll()
          if (bytes.length === 0) continue
          const ofOne = server !== null && name === 'server'
          const reader = readers.get(name) ?? createLineReader(coming, bytes, ofOne)
          readers.set(name, reader)
          const batch = reader.batch({ bytes, offset: 0 })
          if (batch) news.push({ name, batches: once(batch) })
        }
        if (options.level === null && polls % lookAfter === 0) {
          const batch = await containers.next(() => undefined)
          if (batch) news.push({ name: 'container', batches: once(batch) })
        }
        await writeLines(news, 0, format, watched)
      }
    }

    async function lookForNew(): Promise<void> {
      if (server !== null) return
      for (const family of await familiesOf(system, locations.logDirs, null, () => undefined)) {
        if (followers.has(family.name) || family.path === null) continue
        const follower = await system.files.follow?.(family.path)
        if (follower?.ok) followers.set(family.name, follower.value)
      }
    }
    return whole
  } finally {
    for (const follower of followers.values()) await follower.close()
  }
}

// ---- which logs -------------------------------------------------------------------

async function familiesOf(system: System, dirs: readonly string[], server: string | null, note: (text: string) => void): Promise<Family[]> {
  const { files } = system
  const family = (name: string, file: string, ofOne = false): Family => ({
    name,
    ofOne,
    list: () => logFamily(files, dirs, file),
    path: dirs[0] === undefined ? null : `${dirs[0]}/${file}`,
  })
  const main = family('main', 'main.log')
  if (server !== null) {
    const { serverLogName } = await import('../mcpproxy/names.ts')
    const own = family('server', serverLogName(server, newestKnown), true)
    return [main, { ...own, list: () => serverLogFamily(files, dirs, server) }]
  }
  const names = await serverLogNames(files, dirs)
  if (!names.ok) note(names.error.message)
  return [main, ...(names.ok ? names.value.map((name) => family(name, `${name}.log`)) : [])]
}

/** Null: it could not be looked at. */
async function openFamily(system: System, family: Family, follow: boolean, note: (text: string) => void): Promise<Opened | null> {
  const { files } = system
  let follower: FileFollower | null = null
  const open = async (path: string): Promise<Observed<OpenFile | null>> => {
    if (!follow || !files.follow) return files.open(path)
    await follower?.close()
    const answer = await files.follow(path)
    if (!answer.ok) return answer
    follower = answer.value
    return observed(follower.file)
  }
  const answer = await steadyFamily({ open }, family.list)
  if (!answer.ok) {
    note(answer.error.message)
    return null
  }
  const { paths, newest } = answer.value
  if (newest && !newest.ok) note(newest.error.message)
  if (follow && follower === null && family.path !== null && paths.length === 0) await open(family.path)
  return { ...family, paths, newest: newest?.ok ? newest.value : null, follower }
}

// ---- times ------------------------------------------------------------------------

/** Minutes east of UTC of the newest line; null: no line tells. */
async function zoneOf(file: OpenFile): Promise<number | null> {
  const length = Math.min(file.size, 64 * 1024)
  const bytes = await file.read(file.size - length, length)
  for (let stop = bytes.length; stop > 0;) {
    const start = bytes.lastIndexOf(0x0a, stop - 1) + 1
    const time = lineTime(bytes, start, stop)
    if (time) return time.offset
    stop = start - 1
  }
  return null
}

function moment(text: string | null, flag: string, now: Date, offset: number | null): Moment | null {
  if (text === null) return null
  const parsed = parseMoment(text, now, offset ?? -now.getTimezoneOffset())
  if (parsed) return parsed
  throw new UserError(`${flag} does not understand "${text}".`, [
    'It takes a time ago (30s, 10m, 2h, 1d), a time of today (21:47) or a moment (2026-11-22, 2026-11-22T21:47, 2026-11-22T21:47:29Z).',
    'Without a zone it is a time as it stands in the log.',
  ])
}

// ---- containers -------------------------------------------------------------------

/** Lines of the containers that run now; the protocol itself (JSON-RPC on standard output) is left out: it is data, and no log. */
function containerSource(
  system: System,
  filter: LineFilter,
  server: string | null,
  offset: number | null,
  config: Awaited<ReturnType<typeof collectConfig>>,
): { next(note: (text: string) => void): Promise<Batch | null> } {
  const { engine } = system
  const newest = new Map<string, string>()
  return {
    async next(note) {
      if (!engine.logs) return null
      const all = await readContainers(system)
      if (!all.ok) {
        note(`The containers' own logs were not read: ${all.error.message}`)
        return null
      }
      const its = server === null ? null : config.ok ? configFor(config.value, server, newestKnown) : null
      const chosen =
        server === null
          ? all.value.filter((c) => 'com.mcpproxy.server' in c.labels)
          : containersFor(all.value, server, its).filter((c) => c.relation === 'label')
      const lines: ContainerLine[] = []
      for (const { id } of chosen) {
        const last = newest.get(id)
        const answer = await engine.logs(id, last === undefined ? undefined : Math.floor(Date.parse(last) / 1000))
        if (!answer.ok) {
          note(`The log of container ${id.slice(0, 12)} was not read: ${answer.error.message}`)
          continue
        }
        const fresh = answer.value.filter(({ time }) => last === undefined || time > last)
        if (fresh.length > 0) newest.set(id, fresh.at(-1)?.time ?? '')
        lines.push(...fresh.filter(({ stream, text }) => !(stream === 'stdout' && /^\s*\{.*"jsonrpc"/.test(text))))
      }
      lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
      const bytes = Buffer.from(lines.map((line) => `${written(line.time, offset ?? 0)} | ${line.stream} | ${line.text}\n`).join(''))
      return createLineReader({ ...filter, server: null }, bytes, false).batch({ bytes, offset: 0 })
    },
  }
}

/** The engine writes UTC; beside the others it stands in their zone. */
function written(time: string, offset: number): string {
  const ms = Date.parse(time)
  const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1)
  if (offset === 0) return `${local}Z`
  const minutes = Math.abs(offset)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${local}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

function lastOf(batch: Batch, most: number): Batch {
  const { bytes, starts, stops, times } = batch
  const from = Math.max(0, batch.count - most)
  return { bytes, count: batch.count - from, starts: starts.slice(from), stops: stops.slice(from), times: times.slice(from) }
}

async function* once(batch: Batch): AsyncGenerator<Batch> {
  yield batch
}
