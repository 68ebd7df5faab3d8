/** Gathers the evidence: one collector per source, side by side, all within one time budget. */
import { parseVersion, newestKnown, type Version } from '../mcpproxy/versions.ts'
import { isDockerCommand } from '../mcpproxy/isolation.ts'
import { readDockerErrors } from '../formats/docker-error.ts'
import type { LogLine } from '../formats/log-line.ts'
import { readProgramErrors } from '../formats/program-error.ts'
import { neverStarted } from '../formats/engine-events.ts'
import {
  notObserved,
  observed,
  type HostPath,
  type Locations,
  type Observed,
  type ProxyEnvironment,
  type System,
} from '../system/system.ts'
import { LookInterrupted } from '../system/interruptible.ts'
import { collectConfig, configFor, type ConfigReading } from './collect-config.ts'
import {
  collectEngine,
  collectImage,
  containerMarks,
  containersFor,
  eventsFor,
  imageOf,
  ownerPaths,
  type EngineReading,
} from './collect-engine.ts'
import { collectMainLog, collectServerLog, configPathOf, emptyReading, mainLogFor, setupFor, type MainLogReading } from './collect-logs.ts'
import { collectStatus, statusFor, type StatusReading } from './collect-status.ts'
import { standIns } from './later.ts'
import type { ConfigEvidence, Container, Evidence, Image, Needs, ObservedEvidence, ServerLog, Source, Subject } from './evidence.ts'
import { configSecrets, makeRedactor, runSecrets, type Redactor } from './secrets.ts'

const everything: Needs = new Set<Source>([
  ...(['config', 'mainLog', 'serverLog', 'setup', 'engine', 'containers', 'events'] as const),
  ...(['image', 'hostPaths', 'status', 'environment'] as const),
])

/** Without what of a server that works is hardly ever looked at. */
const atFirst: Needs = new Set([...[...everything].filter((source) => source !== 'engine' && source !== 'image'), 'reachable'])

/** In the place of a source that nobody needed. */
const notAsked = notObserved('failed', 'It was not asked for.')
const asked = <T>(wanted: boolean, look: () => Promise<Observed<T>>): Promise<Observed<T>> => (wanted ? look() : Promise.resolve(notAsked))

/** What concerns all servers, read once. */
export interface Shared {
  system: System
  locations: Locations
  config: Observed<ConfigReading>
  status: Observed<StatusReading | null>
  engine: EngineReading
  environment: Observed<ProxyEnvironment>
  deadline: number
  needs: Needs
}

/** A collector that does not come back in time is a source that could not be looked at. */
export async function within<T>(ms: number, what: string, work: Promise<Observed<T>>): Promise<Observed<T>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Observed<T>>((resolve) => {
    timer = setTimeout(() => resolve(notObserved('timed-out', `${what} gave no answer within ${(ms / 1000).toFixed(0)} s.`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    if (error instanceof LookInterrupted) return notObserved('interrupted', error.message)
    return notObserved('failed', `${what}: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    clearTimeout(timer)
  }
}

/** Gives a share of the time until `deadline` (milliseconds since 1970), in milliseconds: never too little to look at all. */
const timeUntil =
  (deadline: number) =>
  (share: number): number =>
    Math.max(500, (deadline - Date.now()) * share)

/** `needs`: sources that are looked at; the configuration always is. */
export async function collectShared(system: System, deadline: number, needs = everything): Promise<Shared> {
  const left = timeUntil(deadline)
  // Not after the locations: what the engine forgets while they are worked out is lost.
  const engine = engineWithin(left(0.5), system, needs)
  const environment = asked(needs.has('environment'), () =>
    within(left(0.3), 'the process of MCPProxy', system.environment({ programs: needs !== atFirst })),
  )
  const locations = await system.locations()
  const [config, status] = await Promise.all([
    within(left(0.4), 'the configuration file', collectConfig(system, locations)),
    asked(needs.has('status'), () => within(left(0.4), 'MCPProxy', collectStatus(system))),
  ])
  return { system, locations, config, status, engine: await engine, environment: await environment, deadline, needs }
}

/** As `collectShared`; what is left out can be had with `withRest`. */
export const collectAtFirst = (system: System, deadline: number): Promise<Shared> => collectShared(system, deadline, atFirst)

/** The same with all that can be asked of the engine. */
export async function withRest(shared: Shared): Promise<Shared> {
  if (shared.needs !== atFirst) return shared
  const ms = timeUntil(shared.deadline)(0.5)
  const [{ engine }, environment] = await Promise.all([
    engineWithin(ms, shared.system, new Set(['engine'])),
    within(ms, 'the process of MCPProxy', shared.system.environment()),
  ])
  return { ...shared, needs: everything, engine: { ...shared.engine, engine }, environment }
}

/** The same with what MCPProxy says. */
export async function withStatus(shared: Shared): Promise<Shared> {
  if (shared.needs.has('status')) return shared
  return { ...shared, needs: new Set([...shared.needs, 'status']), status: await within(5000, 'MCPProxy', collectStatus(shared.system)) }
}

async function engineWithin(ms: number, system: System, needs: Needs): Promise<EngineReading> {
  const reading = await within(ms, 'the engine', collectEngine(system, needs).then(observed))
  if (reading.ok) return reading.value
  return { engine: reading, containers: reading, history: reading }
}

/** Version of MCPProxy: what runs, else what wrote the log, when that had the same configuration. Development builds tell no number through the API. */
export function versionOf(shared: Shared, log: Observed<MainLogReading>): { value: Version; assumed: boolean } {
  const running = shared.status.ok ? parseVersion(shared.status.value?.version) : null
  const logged = log.ok && isOfThisFile(log.value, shared.locations) ? log.value.log.version : null
  const recorded = parseVersion(shared.system.recording?.mcpproxy.version)
  const value = running ?? recorded ?? logged
  return value ? { value, assumed: false } : { value: newestKnown, assumed: true }
}

/** Several MCPProxys can share the folder of the logs, e.g. that of root. */
function isOfThisFile(log: MainLogReading, { config, trackedConfig }: Locations): boolean {
  const path = configPathOf(log)
  return path === null || config === null || path === config || path === trackedConfig
}

export interface Collected {
  subjects: Subject[]
  version: { value: Version; assumed: boolean }
  redact: Redactor
}

/** A search of main.log that takes longer than this is long enough to make a report meanwhile. In milliseconds. */
const longSearch = 25

/**
 * The evidence about these servers. `expected`: gets what it will be if nothing more is found in main.log, when the search for setups takes
 * long. If nothing more is found indeed, the same object is returned, and what was made of it meanwhile is true. (A large log is
 * searched by a second thread too, which has nothing to do any more while a report is made after the search.)
 */
export async function collectServers(
  shared: Shared,
  servers: readonly string[],
  expected?: (collected: Collected) => void,
): Promise<Collected> {
  const { system, deadline, locations, needs } = shared
  const left = timeUntil(deadline)
  const entries = shared.config.ok ? shared.config.value.servers : []
  const isolated = new Set(
    servers.filter((name) => {
      const entry = entries.find((s) => s.name === name)
      return !entry || (!isDockerCommand(entry.command) && entry.isolation?.enabled !== false && entry.command !== '')
    }),
  )
  const sources: ServerSources = { image: imagesOnce(), serverLog: logsOnce(shared) }
  const withLog = async (mainLog: Observed<MainLogReading>): Promise<Collected> => {
    const version = versionOf(shared, mainLog)
    const subjects = await eachOf(servers, 4, (server) => collectServer(shared, server, mainLog, version, sources))
    return { subjects, version, redact: makeRedactor(allSecrets(shared, subjects)) }
  }
  const reading = emptyReading(servers)
  let early: { start: LogLine | null; collected: Promise<Collected> } | undefined
  const prepare = (expected: (collected: Collected) => void): void => {
    const { start, version } = reading.log
    // What was found is still to be numbered.
    if (reading.setups.size > 0) return
    const soFar = emptyReading(servers)
    early = { start, collected: withLog(observed({ ...soFar, log: { ...soFar.log, start, version } })) }
    // What goes wrong is told by who waits for it.
    early.collected.then(expected).catch(() => undefined)
  }
  // Of the lines of the log, which other looks need, more may be found in any case.
  const timer = expected && !needs.has('mainLog') ? setTimeout(prepare, longSearch, expected) : undefined
  const only = needs.has('mainLog') ? null : 'setups'
  const mainLog = await asked(needs.has('mainLog') || needs.has('setup'), () =>
    within(left(0.6), 'main.log', collectMainLog(system, locations.logDirs, servers, isolated, Date.now() + left(0.5), only, reading)),
  )
  clearTimeout(timer)
  const asExpected = mainLog.ok && reading.setups.size === 0 && reading.unread === null && early?.start === reading.log.start
  return early && asExpected ? early.collected : withLog(mainLog)
}

/** The same subjects, of which everything is known that was left out at first. */
export const subjectsWithRest = async (shared: Shared, subjects: readonly Subject[]): Promise<Subject[]> => {
  const image = imagesOnce()
  return eachOf(subjects, 4, async ({ later: _, ...subject }) => {
    const { config, setup, serverLog, events } = subject.evidence
    const known = { config, setup, serverLog, events }
    return {
      ...subject,
      evidence: {
        ...subject.evidence,
        engine: shared.engine.engine,
        environment: shared.environment,
        image: await imageWithin(shared, known, image),
      },
    }
  })
}

/** What is looked at once for several servers, and for several looks at them. */
interface ServerSources {
  image: typeof collectImage
  serverLog: (server: string) => Promise<Observed<ServerLog>>
}

/** `keyOf`: looks with the same key have the same answer. */
function eachOnce<Args extends unknown[], T>(look: (...args: Args) => T, keyOf: (...args: Args) => string): (...args: Args) => T {
  const known = new Map<string, { answer: T }>()
  return (...args) => {
    const key = keyOf(...args)
    const { answer } = known.get(key) ?? { answer: look(...args) }
    known.set(key, { answer })
    return answer
  }
}

/** Many servers share few images. */
const imagesOnce = (): typeof collectImage => eachOnce(collectImage, (_, reference, withPrograms) => `${withPrograms} ${reference}`)

function logsOnce({ system, locations, deadline, needs }: Shared): ServerSources['serverLog'] {
  const left = timeUntil(deadline)
  const look = (server: string): Promise<Observed<ServerLog>> =>
    asked(needs.has('serverLog'), () =>
      within(left(0.5), `the log of ${server}`, collectServerLog(system, locations.logDirs, server, Date.now() + left(0.4))),
    )
  return eachOnce(look, (server) => server)
}

function imageWithin(
  { system, deadline }: Shared,
  { config, setup, serverLog, events }: Pick<ObservedEvidence, 'config' | 'setup' | 'serverLog' | 'events'>,
  imageFor: typeof collectImage,
): Promise<Observed<Image | null>> {
  const reference = imageOf(config.ok ? config.value : null, setup.ok ? setup.value : null)
  const programs = programsMatter(serverLog.ok ? serverLog.value : null, events.ok ? events.value : null)
  const ms = timeUntil(deadline)(0.8)
  return within(ms, `image ${reference ?? ''}`, imageFor(system, reference, programs))
}

/** At most `width` at once. */
async function eachOf<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++
      results[i] = await work(items[i] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  return results
}

async function collectServer(
  shared: Shared,
  server: string,
  mainLog: Observed<MainLogReading>,
  version: Subject['version'],
  sources: ServerSources,
): Promise<Subject> {
  const { system, needs } = shared
  const left = timeUntil(shared.deadline)
  const config = shared.config.ok ? observed(configFor(shared.config.value, server, version.value)) : shared.config
  const known = config.ok ? config.value : null
  const serverLog = await sources.serverLog(server)
  const setup = mainLog.ok ? setupFor(mainLog.value, server) : mainLog
  const events = shared.engine.history.ok
    ? observed(eventsFor(shared.engine.history.value, server, known, serverLog.ok ? serverLog.value : null, system.now()))
    : shared.engine.history
  const containers = shared.engine.containers.ok
    ? observed(containersFor(shared.engine.containers.value, server, known))
    : shared.engine.containers
  const [image, hostPaths] = await Promise.all([
    asked(needs.has('image'), () => imageWithin(shared, { config, setup, serverLog, events }, sources.image)),
    asked(needs.has('hostPaths'), () =>
      within(
        left(0.5),
        'the paths of the host',
        collectHostPaths(system, known, containers.ok ? containers.value : [], homeOf(shared), socketsOf(shared)),
      ),
    ),
  ])
  const evidence: ObservedEvidence = {
    config,
    serverLog,
    setup,
    events,
    image,
    hostPaths,
    mainLog: !needs.has('mainLog') ? notAsked : mainLog.ok ? observed(mainLogFor(mainLog.value, server)) : mainLog,
    engine: shared.engine.engine,
    containers,
    status: shared.status.ok ? observed(shared.status.value ? statusFor(shared.status.value, server) : null) : shared.status,
    environment: shared.environment,
  }
  const subject = { server, recorded: system.recording !== null, now: system.now(), platform: system.platform, version, evidence }
  const { engine, environment } = evidence
  return needs === atFirst
    ? { ...subject, later: standIns(engine.ok ? engine.value : null, environment.ok ? environment.value : null) }
    : subject
}

/** Reading an image's programs costs a created container: only where it can decide something. */
function programsMatter(log: ServerLog | null, events: Evidence['events'] | null): boolean {
  const attempt = log?.failed
  if (!log || !attempt) return log?.newest == null
  const docker = readDockerErrors(attempt.stderr).some(
    (e) => e.kind.startsWith('exec') || e.kind === 'interpreter-missing' || e.kind === 'docker-missing',
  )
  const program = readProgramErrors(attempt.stderr).some((e) =>
    ['script-missing', 'shell-not-found', 'spawn-missing', 'module-missing', 'tool-missing'].includes(e.kind),
  )
  const story = events?.newest
  return docker || program || (story != null && (neverStarted(story) || story.exitCode === 126 || story.exitCode === 127))
}

/** Where the engine is looked for: what lies there tells a stopped engine from a wrong address. */
const socketsOf = ({ engine: { engine } }: Shared): string[] =>
  engine.ok && engine.value.endpoint.host?.startsWith('unix://') ? [engine.value.endpoint.host.slice('unix://'.length)] : []

const homeOf = (shared: Shared): string =>
  (shared.environment.ok ? shared.environment.value.env['HOME'] : undefined) ?? shared.locations.home

/**
 * Everything in the server's entry that looks like a path of the host, and what tells of the host itself: the copy that
 * MCPProxy keeps of the configuration, the marks of a container, and the processes that started the server's containers.
 * `home`: what ~ would stand for if something expanded it.
 */
async function collectHostPaths(
  system: System,
  config: ConfigEvidence | null,
  containers: readonly Container[],
  home: string,
  sockets: readonly string[],
): Promise<Observed<Record<string, HostPath>>> {
  const server = config?.server
  if (!server) return observed({})
  const words = new Set<string>([`${config.document.path}.bak`, ...containerMarks, ...ownerPaths(containers), ...sockets])
  for (const value of [
    server.command,
    server.working_dir,
    ...server.args,
    ...(server.isolation?.extra_args ?? []),
    ...(config?.global.docker_isolation.extra_args ?? []),
  ]) {
    for (const word of value.split(/[:=,\s'"]+/)) {
      if (word.length >= 1024) continue
      if (/^[/~.]./.test(word)) words.add(word)
      if (/^(?:~|\$HOME|\$\{HOME\})\//.test(word)) words.add(word.replace(/^[^/]+/, home))
    }
    // A path may hold blanks.
    if (/^\//.test(value)) words.add(value)
  }
  // What a path in the container is on the host, where a mounted folder covers it.
  for (const mount of config.expected?.run.mounts ?? []) {
    if (mount.type !== 'bind' || !mount.source.startsWith('/')) continue
    for (const word of [...words]) if (word.startsWith(`${mount.target}/`)) words.add(mount.source + word.slice(mount.target.length))
  }
  const paths: Record<string, HostPath> = {}
  // Node has four threads that wait for disks. One is left to others, should these wait for a mount that is gone.
  const stats = await eachOf([...words], 3, async (word) => [word, await system.files.stat(word)] as const)
  for (const [word, stat] of stats) if (stat.ok) paths[word] = stat.value
  return observed(paths)
}

function allSecrets(shared: Shared, subjects: readonly Subject[]): Set<string> {
  const values = new Set<string>()
  if (shared.config.ok) for (const v of configSecrets(shared.config.value.document)) values.add(v)
  for (const { evidence } of subjects) {
    if (evidence.setup.ok && evidence.setup.value) for (const v of runSecrets(evidence.setup.value.run)) values.add(v)
    if (evidence.config.ok && evidence.config.value.expected) for (const v of runSecrets(evidence.config.value.expected.run)) values.add(v)
  }
  return values
}
