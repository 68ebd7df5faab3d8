/** Collectors for main.log and the per-server logs, with their rotations. */
import { parseLogLine, serverOf, field, list, type LogLine } from '../formats/log-line.ts'
import { parseDockerRun } from '../formats/docker-run.ts'
import type { Wanted } from '../formats/byte-search.ts'
import { setupMessage, startMessage } from '../mcpproxy/messages.ts'
import { serverLogName } from '../mcpproxy/names.ts'
import { newestKnown, parseVersion } from '../mcpproxy/versions.ts'
import { lineNumbers, linesBackward } from '../system/log-reader.ts'
import type { RawLine } from '../system/log-span.ts'
import { notObserved, observed, type Files, type Observed, type OpenFile, type System } from '../system/system.ts'
import { steadyFamily } from './collect-log-lines.ts'
import { newestFailure, readAttempts } from './attempts.ts'
import { runSecrets } from './secrets.ts'
import type { IsolationSetup, MainLog, ServerLog } from './evidence.ts'

/** What main.log says, for several servers from one reading. */
export interface MainLogReading {
  log: Omit<MainLog, 'lines'>
  byServer: Map<string, LogLine[]>
  /** The newest setup line of each server, also from an older run of MCPProxy. */
  setups: Map<string, { line: LogLine; olderRun: boolean }>
  /** Of a search for setups alone: what it did not get to, so that there may be others, one sentence. */
  unread: string | null
}

/** Lines about the program as a whole that a rule looks at. */
const generalNeedles = [
  startMessage,
  'ConfigService initialized',
  'Config hot-reload failed',
  'Configuration reload completed',
  'Docker unavailable',
  'Docker recovery',
  'Container cleanup',
  'Cleaning up all mcpproxy-managed',
  'matching Docker container',
  'matching container for cleanup',
  'Removing existing container',
]
const general = new Set([
  startMessage,
  'Configuration loaded',
  'ConfigService initialized',
  'Config hot-reload failed; keeping previous configuration',
  'Configuration reload completed',
  'Docker unavailable on startup, starting recovery',
  'Docker became unavailable, starting recovery',
  'Docker recovery successful',
  'Docker recovery max retries exceeded',
  'Container cleanup completed',
  'Cleaning up all mcpproxy-managed Docker containers',
])
const limits = {
  mainBytes: 12 * 1024 ** 3,
  mainLines: 20_000,
  olderBytes: 64 * 1024 * 1024,
  serverBytes: 32 * 1024 * 1024,
  serverLines: 20_000,
  attempts: 40,
  secretBytes: 16 * 1024 * 1024,
  rotations: 6,
}

/** What a line of main.log holds that is looked at for these servers. */
export const mainLogNeedles = (servers: readonly string[]): string[] => [...generalNeedles, ...servers.map((s) => JSON.stringify(s))]

/**
 * The start of MCPProxy, and setup lines of these servers. Every one of those names the container, so that all of them hold `mcpproxy`
 * too, of which one part is found for both at once; and the arguments of docker, whose beginning is rare in most logs.
 */
const setupNeedles = (servers: readonly string[]): Wanted[] => [startMessage, ...servers.map(setupNeedle)]
const setupNeedle = (server: string): Wanted => [setupMessage, JSON.stringify(server), 'mcpproxy', '["run",']

/** Newest first: the log itself, then its rotations (`main-2025-10-14T09-30-00.123.log[.gz]`; the time is UTC). */
export async function logFamily(files: Files, dirs: readonly string[], name: string): Promise<Observed<string[]>> {
  let failure: Observed<string[]> | null = null
  for (const dir of dirs) {
    const names = await files.list(dir)
    if (!names.ok) {
      failure ??= names
      continue
    }
    if (!names.value) continue
    const stem = name.replace(/\.log$/, '')
    const rotation = (n: string): boolean =>
      n.startsWith(`${stem}-`) && /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log(\.gz)?$/.test(n.slice(stem.length + 1))
    const rotated = names.value.filter(rotation).sort().reverse()
    const found = [...(names.value.includes(name) ? [name] : []), ...rotated]
    if (found.length > 0) return observed(found.map((n) => `${dir}/${n}`))
  }
  return failure ?? observed([])
}

/** Names of logs of servers in the first folder that has any, without `.log`, sorted. */
export async function serverLogNames(files: Files, dirs: readonly string[]): Promise<Observed<string[]>> {
  let failure: Observed<string[]> | null = null
  for (const dir of dirs) {
    const names = await files.list(dir)
    if (!names.ok) failure ??= names
    else {
      const stems = (names.value ?? []).flatMap((n) => {
        const stem = n.replace(/(?:-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3})?\.log(?:\.gz)?$/, '')
        return stem !== n && n.startsWith('server-') ? [stem] : []
      })
      if (stems.length > 0) return observed([...new Set(stems)].sort())
    }
  }
  return failure ?? observed([])
}

/** The newest values of variables in setup lines of main.log: there they stand in clear, also those that the configuration only refers to. */
export async function setupSecrets(file: OpenFile): Promise<string[]> {
  const values = new Set<string>()
  const scan = linesBackward(file, { needles: [setupMessage], maxBytes: limits.secretBytes, deadline: Infinity })
  for await (const { text } of scan) {
    const line = parseLogLine(text, file.path, null)
    if (line?.message === setupMessage) for (const value of runSecrets(parseDockerRun(list(line, 'docker_run_args')))) values.add(value)
  }
  return [...values]
}

/** Before anything is found. */
export const emptyReading = (servers: readonly string[]): MainLogReading => ({
  log: { files: [], general: [], start: null, version: null, complete: false },
  byServer: new Map(servers.map((s) => [s, []])),
  setups: new Map(),
  unread: null,
})

/**
 * `isolated`: those of the servers that should have a setup line; only for them older runs are searched. `only`: their setup
 * lines and nothing else; then reading ends at the last one that was missing, and what is known of the run itself is what
 * stood on the way. `reading`: is filled meanwhile.
 */
export async function collectMainLog(
  system: System,
  dirs: readonly string[],
  servers: readonly string[],
  isolated: ReadonlySet<string>,
  deadline: number,
  only: 'setups' | null = null,
  reading = emptyReading(servers),
): Promise<Observed<MainLogReading>> {
  const steady = await steadyFamily(system.files, () => logFamily(system.files, dirs, 'main.log'))
  if (!steady.ok) return steady
  const { paths, newest } = steady.value
  if (paths.length === 0) return notObserved('failed', `There is no main.log in ${dirs.join(' or ')}.`)
  const setupsOnly = only === 'setups'
  const needles = setupsOnly ? setupNeedles(servers) : servers.length > 12 ? undefined : mainLogNeedles(servers)
  const now = system.now().getTime()
  reading.log.files = paths
  const wanted = new Set(servers)
  const found = (names: Iterable<string>): boolean => [...names].every((s) => reading.setups.has(s))
  const enough = (): boolean => (reading.log.start !== null && found(isolated)) || (setupsOnly && found(servers))
  let unread: string | null = null
  for (const [i, path] of paths.entries()) {
    if (i === limits.rotations) {
      unread = `${path} and older ones were not looked into.`
      break
    }
    const opened = i === 0 && newest ? newest : await system.files.open(path)
    if (!opened.ok) {
      if (i === 0) return opened
      unread = opened.error.message
      break
    }
    if (!opened.value) continue
    const kept = await readMain(opened.value, needles, now, deadline, wanted, enough, reading)
    await opened.value.close()
    if (!kept) {
      unread = `${path} was not read to its beginning${opened.value.cut === true ? ': only its end was recorded' : ''}.`
      break
    }
    // An isolated server that started long ago has its setup line in an older file only.
    if (enough()) break
  }
  if (setupsOnly) reading.unread = unread
  reading.log.general.reverse()
  for (const lines of reading.byServer.values()) lines.reverse()
  return observed(reading)
}

/** False: the limit was reached, older files are not worth opening. */
async function readMain(
  file: OpenFile,
  needles: readonly Wanted[] | undefined,
  now: number,
  deadline: number,
  servers: ReadonlySet<string>,
  enough: () => boolean,
  reading: MainLogReading,
): Promise<boolean> {
  const kept: { raw: RawLine; line: LogLine }[] = []
  const bound = { text: startMessage, isKnown: () => reading.log.start !== null }
  const scan = linesBackward(file, { ...(needles ? { needles } : {}), maxBytes: limits.mainBytes, deadline, bound })
  const finish = async (done: boolean): Promise<boolean> => {
    await scan.return({ reachedStart: done })
    await number(file, kept)
    return done
  }
  let startOffset = file.size
  for (;;) {
    const step = await scan.next()
    if (step.done) return finish(step.value.reachedStart)
    const line = parseLogLine(step.value.text, file.path, null)
    // In a recording the log may go on after the moment that the rest of it shows.
    if (!line || line.at.getTime() > now) continue
    const server = serverOf(line) ?? field(line, 'id') ?? field(line, 'name')
    const inNewestRun = reading.log.start === null
    if (server !== null && servers.has(server)) {
      if (line.message === setupMessage && !reading.setups.has(server)) {
        reading.setups.set(server, { line, olderRun: !inNewestRun })
        kept.push({ raw: step.value, line })
      }
      if (inNewestRun) {
        const list = reading.byServer.get(server)
        if (list && list.length < limits.mainLines) {
          list.push(line)
          kept.push({ raw: step.value, line })
        }
      }
    } else if (
      inNewestRun &&
      (general.has(line.message) || /matching (?:Docker )?container|Removing existing container/.test(line.message))
    ) {
      reading.log.general.push(line)
      kept.push({ raw: step.value, line })
    }
    if (line.message === startMessage) {
      // One older run is enough to look for a setup line in.
      if (!inNewestRun) return finish(true)
      reading.log.start = line
      reading.log.version = parseVersion(field(line, 'version'))
      reading.log.complete = true
    }
    if (enough()) return finish(true)
    if (reading.log.start && file.size - step.value.offset > limits.olderBytes + (file.size - startOffset)) return finish(true)
    if (inNewestRun && reading.log.start) startOffset = step.value.offset
  }
}

async function number(file: OpenFile, kept: { raw: RawLine; line: LogLine }[]): Promise<void> {
  const numbers = await lineNumbers(
    file,
    kept.map((k) => k.raw.offset),
  )
  for (const { raw, line } of kept) line.number = numbers?.get(raw.offset) ?? null
}

/** The file that the newest run saves to and watches; null: its log does not tell, as before `ConfigService initialized`. */
export function configPathOf({ log }: MainLogReading): string | null {
  const line = log.general.findLast((l) => l.message === 'ConfigService initialized')
  return line ? field(line, 'config_path') : null
}

export function mainLogFor(reading: MainLogReading, server: string): MainLog {
  return { ...reading.log, lines: reading.byServer.get(server) ?? [] }
}

export function setupFor({ setups, unread }: MainLogReading, server: string): Observed<IsolationSetup | null> {
  const found = setups.get(server)
  if (found) return observed(setupOf(found.line, found.olderRun))
  return unread === null ? observed(null) : notObserved('failed', unread)
}

/** `line`: "Docker isolation setup completed". */
export function setupOf(line: LogLine, olderRun: boolean): IsolationSetup {
  const runArgs = list(line, 'docker_run_args')
  return {
    line,
    at: line.at,
    runtimeType: field(line, 'runtime_type') ?? '',
    containerName: field(line, 'container_name') ?? '',
    containerCommand: field(line, 'container_command') ?? '',
    containerArgs: list(line, 'container_args'),
    runArgs,
    run: parseDockerRun(runArgs),
    olderRun,
  }
}

/** The log of a server and its rotations, newest first. */
export async function serverLogFamily(files: Files, dirs: readonly string[], server: string): Promise<Observed<string[]>> {
  const modern = serverLogName(server, newestKnown)
  const names = modern === `server-${server}.log` || server.includes('..') ? [modern] : [modern, `server-${server}.log`]
  for (const name of names) {
    const at = name.lastIndexOf('/')
    // Before v0.38.0 a name with a slash made a folder.
    const folders = at < 0 ? dirs : dirs.map((d) => `${d}/${name.slice(0, at)}`)
    const family = await logFamily(files, folders, at < 0 ? name : name.slice(at + 1))
    if (!family.ok || family.value.length > 0) return family
  }
  return observed([])
}

export async function collectServerLog(
  system: System,
  dirs: readonly string[],
  server: string,
  deadline: number,
): Promise<Observed<ServerLog>> {
  const family = await serverLogFamily(system.files, dirs, server)
  if (!family.ok) return family
  const files = family.value
  if (files.length === 0) return observed({ files: [], attempts: [], newest: null, failed: null, complete: true })
  const now = system.now().getTime()
  const lines: LogLine[] = []
  let complete = false
  for (const path of files.slice(0, limits.rotations)) {
    const opened = await system.files.open(path)
    if (!opened.ok) {
      if (path === files[0]) return opened
      break
    }
    if (!opened.value) continue
    const { attempts, reachedStart } = await readServer(opened.value, server, now, deadline, lines)
    await opened.value.close()
    complete = reachedStart
    if (attempts > 0 || !reachedStart) break
  }
  const attempts = readAttempts(lines.reverse())
  return observed({ files, attempts, newest: attempts.at(-1) ?? null, failed: newestFailure(attempts), complete })
}

async function readServer(
  file: OpenFile,
  server: string,
  now: number,
  deadline: number,
  lines: LogLine[],
): Promise<{ attempts: number; reachedStart: boolean }> {
  const kept: { raw: RawLine; line: LogLine }[] = []
  let attempts = 0
  let reachedStart = false
  const scan = linesBackward(file, { maxBytes: limits.serverBytes, deadline })
  for (;;) {
    const step = await scan.next()
    if (step.done) {
      reachedStart = step.value.reachedStart
      break
    }
    const line = parseLogLine(step.value.text, file.path, null)
    if (!line || line.at.getTime() > now) continue
    // Two names can share one file (`a b` and `a_b`): every line says whose it is.
    const owner = serverOf(line)
    if (owner !== null && owner !== server) continue
    kept.push({ raw: step.value, line })
    lines.push(line)
    if (line.message === 'Starting connection attempt') attempts++
    if (attempts >= limits.attempts || kept.length >= limits.serverLines) break
  }
  await scan.return({ reachedStart })
  await number(file, kept)
  return { attempts, reachedStart }
}
