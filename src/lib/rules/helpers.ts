/** What many rules ask of the evidence. Pure; no rule-specific judgement here. */
import type { Attempt, ConfigEvidence, ContainerEvents, Image, IsolationSetup, MainLog, ServerLog } from '../evidence/evidence.ts'
import { finalDockerError, readDockerErrors, type DockerError, type DockerErrorKind } from '../formats/docker-error.ts'
import { flagsNamed, type DockerRun, type Mount, type RunFlag } from '../formats/docker-run.ts'
import type { ContainerStory } from '../formats/engine-events.ts'
import type { Version } from '../mcpproxy/versions.ts'
import { citeLog, citeStory } from './cite.ts'
import type { Citation } from './rule.ts'
import { field, type LogLine } from '../formats/log-line.ts'
import type { ConfigPath, ServerEntry } from '../formats/mcp-config.ts'
import { fatalStart, readProgramErrors, type ProgramError, type ProgramErrorKind } from '../formats/program-error.ts'

/** The newest attempt if it failed; null when the server is connected, never tried, or the log is missing. */
export const failure = (log: ServerLog | undefined): Attempt | null => log?.failed ?? null

/** A running MCPProxy refused the file at its last change. */
export const refusedReload = (log: MainLog | undefined): LogLine | null =>
  log?.general.find((l) => l.message.startsWith('Config hot-reload failed')) ?? null

/** What docker ended the newest failed attempt with, if it is one of these. */
export function dockerFailure(log: ServerLog | undefined, ...kinds: DockerErrorKind[]): DockerError | null {
  const attempt = failure(log)
  if (!attempt) return null
  const final = finalDockerError(readDockerErrors(attempt.stderr))
  return final && kinds.includes(final.kind) ? final : null
}

/** Any of docker's lines in the newest failed attempt. */
export function dockerSaid(log: ServerLog | undefined, ...kinds: DockerErrorKind[]): DockerError | null {
  const attempt = failure(log)
  return attempt ? (readDockerErrors(attempt.stderr).find((e) => kinds.includes(e.kind)) ?? null) : null
}

/**
 * The last line of these kinds that the program wrote in the newest failed attempt. When an
 * exception that is known here ended it, what it said before was no reason to end.
 */
export function programSaid(log: ServerLog | undefined, ...kinds: ProgramErrorKind[]): ProgramError | null {
  const attempt = failure(log)
  if (!attempt) return null
  const all = readProgramErrors(attempt.stderr)
  const start = attempt.outcome === 'exited' ? fatalStart(attempt.stderr.map((l) => (field(l, 'message') ?? '').trim())) : null
  const fatal = start === null ? [] : all.filter((e) => attempt.stderr.indexOf(e.line) >= start)
  const found = (fatal.length > 0 ? fatal : all).filter((e) => kinds.includes(e.kind))
  return found.filter((e) => e.subject !== null).at(-1) ?? found.at(-1) ?? null
}

export const story = (events: ContainerEvents | undefined): ContainerStory | null => events?.newest ?? null

/** The container ran and ended by itself (nobody sent a signal). */
export const endedByItself = (s: ContainerStory | null): boolean =>
  s !== null && s.startedAt !== null && s.diedAt !== null && s.signals.length === 0 && !s.oom

/** The engine was there all the time and never heard of this attempt: docker refused on its own. */
export function unheardOf(log: ServerLog | undefined, events: ContainerEvents | undefined): boolean {
  const attempt = failure(log)
  if (!attempt || !events || events.newest !== null) return false
  const { full, oldest } = events.history
  return !full || (oldest !== null && oldest.getTime() < attempt.startedAt.getTime())
}

/**
 * The docker arguments of the newest attempt: from the log what ran, else what the file leads to. What an older MCPProxy ran is of interest
 * only where today's would run docker too. `logged`: the setup, where it is from the log.
 */
export function effectiveRun(
  config: ConfigEvidence | undefined,
  setup: IsolationSetup | null | undefined,
): { run: DockerRun; runArgs: string[]; command: string[]; isolated: boolean; logged: IsolationSetup | null } | null {
  const stands = setup?.olderRun !== true || !config?.decision || isIsolated(config)
  if (setup && stands && config?.expected?.kind !== 'own') {
    const { run, runArgs, containerCommand, containerArgs } = setup
    return { run, runArgs, command: [containerCommand, ...containerArgs], isolated: true, logged: setup }
  }
  if (!config?.expected) return null
  const { run, runArgs, command, kind } = config.expected
  return { run, runArgs, command, isolated: kind === 'isolated', logged: null }
}

/** Does starting this server call docker, wrapped by MCPProxy or by its own command? */
export const callsDocker = (config: ConfigEvidence | undefined): boolean =>
  config?.decision?.runs === 'docker' || config?.decision?.runs === 'own-docker'
export const isIsolated = (config: ConfigEvidence): boolean => config.decision?.runs === 'docker'

/** The place in the configuration of a token of the docker command. */
export function placeOfToken(config: ConfigEvidence, index: number): ConfigPath | null {
  return config.expected?.places[index] ?? null
}
/** The place that decided the image; null: MCPProxy's own default. */
export const imagePlace = (config: ConfigEvidence | undefined): ConfigPath | null =>
  config?.expected ? placeOfToken(config, config.expected.runArgs.length - 1) : null
export const serverPath = (server: ServerEntry, ...rest: ConfigPath): ConfigPath => ['mcpServers', server.index, ...rest]

/** A flag of today's configuration with its place; null for those that MCPProxy adds. */
export function configFlag(config: ConfigEvidence, name: string): { flag: RunFlag; place: ConfigPath } | null {
  const run = config.expected?.run
  if (!run) return null
  for (const flag of flagsNamed(run, name).reverse()) {
    const place = placeOfToken(config, flag.valueIndex)
    if (place) return { flag, place }
  }
  return null
}

/** Is a path of the container inside one of the mounts? */
export function isMounted(mounts: readonly Mount[], path: string): boolean {
  return mounts.some((m) => m.target !== '' && (path === m.target || path.startsWith(m.target.endsWith('/') ? m.target : `${m.target}/`)))
}

/** The path of the host behind a path of the container; null: no folder or file of the host is mounted there. */
export function hostSide(mounts: readonly Mount[], path: string): string | null {
  const [mount] = mounts.filter((m) => m.type === 'bind' && isMounted([m], path)).sort((a, b) => b.target.length - a.target.length)
  return mount ? `${mount.source.replace(/\/$/, '')}${path.slice(mount.target.replace(/\/$/, '').length)}` : null
}

/** Names of the environment variables that the container gets, and those given by name only. */
export function passedVariables(run: DockerRun, image: Image | null | undefined): { set: Set<string>; byNameOnly: Set<string> } {
  const set = new Set((image?.inspect?.env ?? []).map((e) => e.split('=')[0] ?? ''))
  const byNameOnly = new Set<string>()
  for (const f of flagsNamed(run, 'env')) {
    if (f.value === null) continue
    const at = f.value.indexOf('=')
    if (at >= 0) set.add(f.value.slice(0, at))
    else byNameOnly.add(f.value)
  }
  return { set, byNameOnly }
}

const pathOf = (image: Image): string[] =>
  (image.inspect?.env.find((e) => e.startsWith('PATH='))?.slice(5) ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin').split(
    ':',
  )

/** Has the image this program on its PATH? Null: its programs were not looked at. */
export function imageHas(image: Image | null | undefined, program: string): boolean | null {
  if (!image?.programs) return null
  const files = new Set(image.programs)
  if (program.startsWith('/')) return files.has(program) || null
  // /bin is often a link to /usr/bin, so that a listing has only one of the two.
  return pathOf(image).some((dir) => files.has(`${dir}/${program}`) || files.has(`/usr${dir}/${program}`))
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`

/**
 * docker's own refusal, seen from both sides: the text in the log, and the engine's events, which
 * show that no container ever started.
 */
export function refusal(
  error: DockerError,
  log: ServerLog | undefined,
  events: ContainerEvents | undefined,
): { observations: ('serverLog' | 'events')[]; cites: Citation[]; started: boolean } {
  const s = story(events)
  const agrees = unheardOf(log, events) || (s !== null && s.startedAt === null)
  return {
    observations: agrees ? ['serverLog', 'events'] : ['serverLog'],
    cites: [citeLog(error.line), ...(s && agrees ? [citeStory(s)] : [])],
    started: s?.startedAt != null,
  }
}

/** What is worked out of all servers of a file together, once for all of them. */
export function oncePerFile<T>(make: (config: ConfigEvidence, version: Version) => T): (config: ConfigEvidence, version: Version) => T {
  const known = new WeakMap<readonly ServerEntry[], { version: string; value: T }>()
  return (config, version) => {
    const before = known.get(config.servers)
    if (before?.version === version.text) return before.value
    const value = make(config, version)
    known.set(config.servers, { version: version.text, value })
    return value
  }
}

/** Lists of what has the same key; null: it is left out. */
export function grouped<T>(items: Iterable<T>, keyOf: (item: T) => string | null): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = key === null ? undefined : groups.get(key)
    if (group) group.push(item)
    else if (key !== null) groups.set(key, [item])
  }
  return groups
}
