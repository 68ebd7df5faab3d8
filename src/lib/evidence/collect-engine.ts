/** Collectors for the engine, its containers, events and images. */
import { bool, number, object, text, texts, type Loose } from '../formats/loose.ts'
import { flagsNamed } from '../formats/docker-run.ts'
import { isOwn, readHistory, type ContainerStory, type EventHistory } from '../formats/engine-events.ts'
import { notObserved, observed, type EngineEndpoint, type Observed, type SourceError, type System } from '../system/system.ts'
import type {
  Attempt,
  ConfigEvidence,
  Container,
  ContainerEvents,
  DockerEngine,
  Image,
  IsolationSetup,
  Needs,
  ServerLog,
} from './evidence.ts'

export interface EngineReading {
  engine: Observed<DockerEngine>
  containers: Observed<Container[]>
  history: Observed<EventHistory>
}

/** Events are asked first: everything else that is done to an engine pushes them out. */
export async function collectEngine(system: System, needs: Needs): Promise<EngineReading> {
  const { engine } = system
  const asked = <T>(wanted: boolean, ask: () => Promise<Observed<T>>): Promise<Observed<T>> =>
    wanted ? ask() : Promise.resolve(notObserved('failed', 'The engine was not asked for it.'))
  const whole = needs.has('engine')
  const reachable = whole || needs.has('reachable')
  const [events, version, info, networks, containers, endpoint] = await Promise.all([
    asked(needs.has('events'), () => engine.events()),
    asked(reachable, () => (whole ? engine.version() : (engine.hello?.() ?? engine.version()))),
    asked(whole, () => engine.info()),
    asked(whole, () => engine.networks()),
    asked(needs.has('containers'), () => readContainers(system)),
    reachable ? engine.endpoint() : null,
  ])
  return {
    engine: endpoint ? toEngine(endpoint, version, info, networks) : notObserved('failed', 'The engine was not asked for it.'),
    containers,
    history: events.ok ? observed(readHistory(events.value)) : events,
  }
}

/** All containers that exist now, whosever they are. */
export async function readContainers(system: System): Promise<Observed<Container[]>> {
  const containers = await system.engine.containers()
  return containers.ok ? observed(containers.value.map((c) => toContainer(object(c))).filter((c) => !isOwn(c.labels))) : containers
}

function toEngine(
  endpoint: EngineEndpoint,
  version: Observed<unknown>,
  info: Observed<unknown>,
  networks: Observed<unknown[]>,
): Observed<DockerEngine> {
  // Nothing is known of an engine that nobody asked.
  if (!version.ok && (version.error.kind === 'not-recorded' || version.error.kind === 'interrupted')) return version
  return observed({
    endpoint,
    reachable: version.ok ? toReachable(version.value) : unreachable(endpoint, version.error),
    info: info.ok ? toInfo(object(info.value)) : null,
    networks: networks.ok ? networks.value.flatMap((n) => text(object(n)['Name']) ?? []) : null,
  })
}

function toReachable(value: unknown): DockerEngine['reachable'] {
  const v = object(value)
  const components = Array.isArray(v['Components']) ? v['Components'].map((c) => text(object(c)['Name']) ?? '') : []
  return {
    yes: true,
    version: text(v['Version']),
    apiVersion: text(v['ApiVersion']),
    minApiVersion: text(v['MinAPIVersion']),
    podman: components.some((c) => /podman/i.test(c)),
  }
}

function unreachable(endpoint: EngineEndpoint, error: SourceError): DockerEngine['reachable'] {
  const known = ['missing', 'refused', 'denied', 'timed-out', 'not-docker', 'misconfigured', 'server-error', 'failed'] as const
  const told: unknown = 'why' in error ? error.why : undefined
  const fallback = ({ 'timed-out': 'timed-out', denied: 'denied', unreachable: 'refused' } as const)[error.kind as 'denied'] ?? 'failed'
  const why = endpoint.problem !== null ? 'misconfigured' : (known.find((k) => k === told) ?? fallback)
  return { yes: false, why, message: endpoint.problem ?? error.message }
}

function toInfo(v: Loose): DockerEngine['info'] {
  const plugins = object(v['Plugins'])
  return {
    architecture: text(v['Architecture']),
    osType: text(v['OSType']),
    operatingSystem: text(v['OperatingSystem']),
    cpus: number(v['NCPU']),
    memoryBytes: number(v['MemTotal']),
    loggingDriver: text(v['LoggingDriver']),
    logDrivers: texts(plugins['Log']),
    cgroupVersion: text(v['CgroupVersion']),
    securityOptions: texts(v['SecurityOptions']),
    warnings: texts(v['Warnings']),
    limits: { memory: bool(v['MemoryLimit']), cpuQuota: bool(v['CpuCfsQuota']), pids: bool(v['PidsLimit']) },
    name: text(v['Name']),
  }
}

function toContainer(v: Loose): Container {
  const labels = Object.fromEntries(Object.entries(object(v['Labels'])).map(([k, item]) => [k, String(item)]))
  return {
    id: text(v['Id']) ?? '',
    names: texts(v['Names']).map((n) => n.replace(/^\//, '')),
    image: text(v['Image']) ?? '',
    imageId: text(v['ImageID']) ?? '',
    command: text(v['Command']) ?? '',
    createdAt: new Date((number(v['Created']) ?? 0) * 1000),
    state: text(v['State']) ?? '',
    status: text(v['Status']) ?? '',
    labels,
    relation: 'other',
  }
}

export const serverLabel = 'com.mcpproxy.server'

/** `docker.io/library/x` and `x`, with and without `:latest`, are one image. */
export const sameImage = (a: string, b: string): boolean => withTag(a) === withTag(b)

/** The short name of an image, with its tag or digest. */
export function withTag(image: string): string {
  const name = image.replace(/^docker\.io\//, '').replace(/^library\//, '')
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`
}

/** The docker arguments of the newest attempt: what ran is in the log, else what the file leads to. */
export function imageOf(config: ConfigEvidence | null, setup: IsolationSetup | null): string | null {
  return setup?.run.image ?? config?.expected?.run.image ?? null
}

export function containersFor(all: readonly Container[], server: string, config: ConfigEvidence | null): Container[] {
  const own = config?.expected?.kind === 'own' ? config.expected.run : null
  const name = own ? (flagsNamed(own, 'name').at(-1)?.value ?? null) : null
  return all.map((c) => {
    const byLabel = c.labels[serverLabel] === server
    const byImage =
      own?.image != null &&
      sameImage(c.image, own.image) &&
      c.labels['com.mcpproxy.managed'] === undefined &&
      (name === null || c.names.includes(name))
    return { ...c, relation: byLabel ? ('label' as const) : byImage ? ('image' as const) : ('other' as const) }
  })
}

/** Files that Docker and Podman put into every container. */
export const containerMarks = ['/.dockerenv', '/run/.containerenv'] as const

/** The process of MCPProxy that started an isolated container (label com.mcpproxy.created: a pid, not a time). */
export const ownerPid = (labels: Record<string, string>): number | null => {
  const pid = Number(labels['com.mcpproxy.created'])
  return Number.isSafeInteger(pid) && pid > 1 ? pid : null
}

/** Paths that tell whether the owners of this server's containers live; `/proc/1` tells whether others' processes can be seen at all. */
export function ownerPaths(containers: readonly Container[]): string[] {
  const pids = new Set(containers.filter((c) => c.relation === 'label').flatMap((c) => ownerPid(c.labels) ?? []))
  return pids.size === 0 ? [] : ['/proc/1', ...[...pids].map((pid) => `/proc/${pid}`)]
}

/** The stories of this server's containers, and the one that belongs to the attempt that matters. */
export function eventsFor(
  history: EventHistory,
  server: string,
  config: ConfigEvidence | null,
  log: ServerLog | null,
  now: Date,
): ContainerEvents {
  const attempt = log?.failed ?? log?.newest ?? null
  const own = config?.expected?.kind === 'own' ? config.expected.run : null
  const stories = history.stories.filter(
    (s) =>
      s.labels[serverLabel] === server ||
      (own?.image != null && s.labels['com.mcpproxy.managed'] === undefined && sameImage(s.image, own.image)),
  )
  // Without an attempt in the log only a label says whose a container was: others run the same image too.
  const labelled = stories.filter((s) => s.labels[serverLabel] === server)
  return { stories, newest: attempt ? storyOf(attempt, stories, now) : (labelled.at(-1) ?? null), history }
}

/** By the name that the log gives; for a server's own docker command by image and time. */
export function storyOf(attempt: Attempt, stories: readonly ContainerStory[], now: Date): ContainerStory | null {
  if (attempt.isolated?.containerName) return stories.find((s) => s.name === attempt.isolated?.containerName) ?? null
  const from = attempt.startedAt.getTime() - 500
  const to = (attempt.endedAt ?? now).getTime() + 500
  const begins = (s: ContainerStory): number => (s.createdAt ?? s.startedAt ?? s.events[0]?.at ?? new Date(0)).getTime()
  return stories.filter((s) => begins(s) >= from && begins(s) <= to).at(-1) ?? null
}

/** Image inspect, and the programs on its PATH where they can decide something. */
export async function collectImage(system: System, reference: string | null, withPrograms: boolean): Promise<Observed<Image | null>> {
  if (reference === null) return observed(null)
  const inspect = await system.engine.image(reference)
  if (!inspect.ok) return inspect
  if (inspect.value === null) return observed({ reference, inspect: null, programs: null })
  const v = object(inspect.value)
  const config = object(v['Config'])
  const programs = withPrograms ? await system.engine.programs(reference) : notObserved('failed', 'not asked for')
  return observed({
    reference,
    inspect: {
      id: text(v['Id']) ?? '',
      architecture: text(v['Architecture']),
      os: text(v['Os']),
      entrypoint: texts(config['Entrypoint']),
      cmd: texts(config['Cmd']),
      env: texts(config['Env']),
      user: text(config['User']) ?? '',
      workingDir: text(config['WorkingDir']) ?? '',
      exposedPorts: Object.keys(object(config['ExposedPorts'])),
      created: text(v['Created']),
      repoDigests: texts(v['RepoDigests']),
    },
    programs: programs.ok ? programs.value : null,
  })
}
