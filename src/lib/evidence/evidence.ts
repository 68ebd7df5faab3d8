/**
 * Everything that is known about one server, as plain data, by source. Read this file first.
 *
 * "There is none" is an answer, so it is a value: null or an empty list. Failing to look is
 * `Observed` with `ok: false`, and never turns into an empty value.
 */
import type { ConfigDocument, ConfigPath, GlobalConfig, ServerEntry } from '../formats/mcp-config.ts'
import type { DockerRun } from '../formats/docker-run.ts'
import type { ContainerStory, EventHistory } from '../formats/engine-events.ts'
import type { LogLine } from '../formats/log-line.ts'
import type { IsolationDecision } from '../mcpproxy/isolation.ts'
import type { Version } from '../mcpproxy/versions.ts'
import type { EngineEndpoint, HostPath, Observed, ProxyEnvironment } from '../system/system.ts'

export type { Observed, ProxyEnvironment, SourceError } from '../system/system.ts'

/** What the configuration file says about this server. */
export interface ConfigEvidence {
  document: ConfigDocument
  global: GlobalConfig
  servers: ServerEntry[]
  /** Null: the file (as far as it can be read) has no such server. */
  server: ServerEntry | null
  /** The file that MCPProxy saves to and watches, when it is not the one that it reads. */
  trackedPath: string | null
  /** Further files that MCPProxy would read instead if it were started in their folder. */
  otherPaths: string[]
  /** Time of the last change of the file (ms since 1970); null when unknown. */
  mtimeMs: number | null
  /** What MCPProxy would do with this server; null when there is no such server. */
  decision: IsolationDecision | null
  /** The docker command that follows from the configuration; null: it would not call docker. */
  expected: ExpectedRun | null
}

/** The docker command that today's configuration leads to. */
export interface ExpectedRun {
  /** `isolated`: MCPProxy wraps the server. `own`: the server's own command is docker. */
  kind: 'isolated' | 'own'
  /** From `run` to the image, as in `docker_run_args`; name suffix and instance id are placeholders. */
  runArgs: string[]
  /** What follows the image. */
  command: string[]
  run: DockerRun
  runtimeType: string | null
  /** For each token of `runArgs`, then of `command`: its place in the configuration; null: MCPProxy adds it. */
  places: (ConfigPath | null)[]
}

/** The newest "Docker isolation setup completed" of this server in main.log. */
export interface IsolationSetup {
  line: LogLine
  at: Date
  runtimeType: string
  containerName: string
  containerCommand: string
  containerArgs: string[]
  runArgs: string[]
  run: DockerRun
  /** The log it stands in began with an older start of MCPProxy than the newest one. */
  olderRun: boolean
}

export interface MainLog {
  files: string[]
  /** Lines about this server, oldest first, of the newest run of MCPProxy as far as they were read. */
  lines: LogLine[]
  /** Lines of the newest run that concern no single server (start, configuration, docker recovery). */
  general: LogLine[]
  /** "Starting mcpproxy" of the newest run; null when it was not found in what was read. */
  start: LogLine | null
  version: Version | null
  /** False: the reading limit ended before the start of the newest run. */
  complete: boolean
}

/** One try of MCPProxy to connect to the server, from the per-server log. */
export interface Attempt {
  startedAt: Date
  /** When the docker command (or the program) ended, or the last line of the attempt. Null: still open. */
  endedAt: Date | null
  lines: LogLine[]
  /** What the process wrote to standard error in this attempt, in order. */
  stderr: LogLine[]
  /** "Docker isolation configured" of this attempt. */
  isolated: { runtimeType: string; containerName: string; containerCommand: string } | null
  /**
   * `connected`: handshake done. `exited`: the process ended before it. `no-answer`: it lived
   * until the deadline. `refused`: MCPProxy did not start it (working directory, arguments).
   * `pending`: no end yet.
   */
  outcome: 'connected' | 'exited' | 'no-answer' | 'refused' | 'pending'
  /** The raw cause as MCPProxy logged it, without the repeated stderr. */
  error: string | null
  errorLine: LogLine | null
  /** Milliseconds from the start to the end of the process or the deadline; null while open. */
  durationMs: number | null
  /** The stream of a process that had been connected ended: it died later. */
  closedAfterConnect: LogLine | null
  connectedAt: Date | null
  /** Somebody asked to disconnect (restart, shutdown, disable) after it was connected. */
  disconnectedAt: Date | null
}

export interface ServerLog {
  files: string[]
  /** Oldest first; only those that the reading limit reached. */
  attempts: Attempt[]
  newest: Attempt | null
  /** The newest attempt that has ended in failure, if no later one connected. */
  failed: Attempt | null
  complete: boolean
}

export interface DockerEngine {
  endpoint: EngineEndpoint
  /** What answers there. `no` is evidence too. */
  reachable:
    | { yes: true; version: string | null; apiVersion: string | null; minApiVersion: string | null; podman: boolean }
    | {
        yes: false
        why: 'missing' | 'refused' | 'denied' | 'timed-out' | 'not-docker' | 'misconfigured' | 'server-error' | 'failed'
        message: string
      }
  /** Null when the engine did not tell. */
  info: {
    architecture: string | null
    osType: string | null
    operatingSystem: string | null
    cpus: number | null
    memoryBytes: number | null
    loggingDriver: string | null
    logDrivers: string[]
    cgroupVersion: string | null
    securityOptions: string[]
    warnings: string[]
    limits: { memory: boolean | null; cpuQuota: boolean | null; pids: boolean | null }
    name: string | null
  } | null
  /** Null: could not be asked. */
  networks: string[] | null
}

/** A container that exists now. */
export interface Container {
  id: string
  names: string[]
  image: string
  imageId: string
  command: string
  createdAt: Date
  state: string
  status: string
  labels: Record<string, string>
  /** Carries this server's label, or runs this server's image for its own docker command. */
  relation: 'label' | 'image' | 'other'
}

export interface ContainerEvents {
  /** Stories of this server's containers, oldest first. */
  stories: ContainerStory[]
  /** The story of the newest ended (or running) attempt, as far as it can be told apart. */
  newest: ContainerStory | null
  /** All containers, for collisions and clean-ups. */
  history: EventHistory
}

export interface Image {
  reference: string
  /** Null: the engine has no such image. */
  inspect: {
    id: string
    architecture: string | null
    os: string | null
    entrypoint: string[]
    cmd: string[]
    env: string[]
    user: string
    workingDir: string
    exposedPorts: string[]
    created: string | null
    repoDigests: string[]
  } | null
  /** Names of what lies in the folders of the image's PATH; null: not looked at. */
  programs: string[] | null
}

/** What MCPProxy's REST API says. A hint, not the truth: the engine and the log decide. */
export interface ProxyStatus {
  address: string | null
  version: string | null
  pid: number | null
  configPath: string | null
  server: {
    enabled: boolean | null
    quarantined: boolean | null
    connected: boolean
    connecting: boolean
    status: string
    lastError: string | null
    reconnectCount: number | null
    toolCount: number | null
    healthLevel: string | null
    healthSummary: string | null
    errorCode: string | null
  } | null
  /** This server in the daemon's memory (`GET /config`), for comparison with the file. */
  loaded: { command: string; args: string[]; envNames: string[]; isolation: unknown; enabled: boolean; docker_isolation: unknown } | null
  serverNames: string[]
}

export interface Evidence {
  config: ConfigEvidence
  mainLog: MainLog
  serverLog: ServerLog
  setup: IsolationSetup | null
  engine: DockerEngine
  containers: Container[]
  events: ContainerEvents
  image: Image | null
  hostPaths: Record<string, HostPath>
  /** Null: MCPProxy does not run. */
  status: ProxyStatus | null
  environment: ProxyEnvironment
}

export type Source = keyof Evidence
/** What is looked at. `reachable`: of the source `engine` no more than whether it answers, and its version. */
export type Needs = ReadonlySet<Source | 'reachable'>
export type ObservedEvidence = { [S in Source]: Observed<Evidence[S]> }

/** `later.ts` */
export type StandIns = Partial<Pick<Evidence, 'engine' | 'image' | 'environment'>>

/** Everything about one server that a report needs: the evidence and how it came about. */
export interface Subject {
  server: string
  recorded: boolean
  now: Date
  platform: string
  /** The best knowledge of the version; `assumed` when nothing told it. */
  version: { value: Version; assumed: boolean }
  evidence: ObservedEvidence
  /** In the place of what is not asked before a rule reads it. */
  later?: StandIns
}
