/**
 * The questions that the doctor asks of the world outside it. A live system answers them from
 * this machine, a recorded one from a capture: same questions, same answers, same report.
 * An answer is always a value: `Observed` says when nobody could look, and why.
 */

import type { RecordedReplays } from './replay-record.ts'
import type { ReplayRunner } from './replay-run.ts'

/** Why a source could not be looked at. */
export interface SourceError {
  /**
   * `not-recorded`: the capture does not hold it. `timed-out`: no answer within its limit.
   * `denied`: the operating system or the API refused. `unreachable`: nothing answers there, or nothing is there.
   * `failed`: an answer that cannot be used (HTTP 500, not JSON, reset). `interrupted`: a signal asked for the end before it
   * was looked at.
   */
  kind: 'not-recorded' | 'timed-out' | 'denied' | 'unreachable' | 'failed' | 'interrupted'
  /** One sentence for people, without secrets. */
  message: string
}

/** "There is none" is an answer and therefore a value (often null); not being able to look is not. */
export type Observed<T> = { ok: true; value: T } | { ok: false; error: SourceError }

export const observed = <T>(value: T): Observed<T> => ({ ok: true, value })
export const notObserved = (kind: SourceError['kind'], message: string): { ok: false; error: SourceError } => ({
  ok: false,
  error: { kind, message },
})

/** What the host says of a path. `missing` is an answer. */
export type HostPath =
  | { type: 'missing' }
  | {
      type: 'file' | 'directory' | 'socket' | 'fifo' | 'other'
      mode: number
      uid: number
      gid: number
      size: number
      mtimeMs: number | null
    }

/** An open file that another thread of this process can open again, by its number (Linux has it in /proc). */
export interface SharedFile {
  descriptor: number
  dev: number
  ino: number
}

/** A file that can be read at any place; `size` is the size when it was opened and is never read past. */
export interface OpenFile {
  path: string
  size: number
  mtimeMs: number | null
  /** The path is a symbolic link; what is read is here. Absent: it is none, or not known. */
  leadsTo?: string
  /** The beginning of the file is missing: a capture holds only the end of it. */
  cut?: boolean
  /** Of a file of which a capture holds only parts: the number that a line had in the whole; null: not known. */
  originalLine?(line: number): number | null
  /** Bytes [offset, offset + length) as far as they exist. `into`: room that may be used for them, from its beginning. */
  read(offset: number, length: number, into?: Buffer): Promise<Buffer>
  /** The same without a promise; only of files that lie on a disk of this machine, so that nothing hangs in it. */
  readNow?: (offset: number, length: number, into: Buffer) => Buffer
  /** For a second thread; only of such files. */
  shared?: SharedFile
  close(): Promise<void>
}

export interface Files {
  stat(path: string): Promise<Observed<HostPath>>
  /** The first `limit` bytes of a regular file; null: there is no such file. Never blocks on a FIFO or device. */
  read(path: string, limit: number): Promise<Observed<Buffer | null>>
  /** Null: there is no such file. A `.gz` file is opened unpacked (bounded). */
  open(path: string): Promise<Observed<OpenFile | null>>
  /**
   * A `.gz` file unpacked, in chunks, of any size; null: there is no such file. A damaged one throws where the damage is,
   * after all that came before it. Absent: `open` is all there is.
   */
  unpack?(path: string): Promise<Observed<AsyncIterable<Buffer> | null>>
  /** What is written to a file from now on, also after it was rotated or emptied. Absent: in a recording. */
  follow?(path: string): Promise<Observed<FileFollower>>
  /** Names in a folder, unsorted; null: there is no such folder. */
  list(path: string): Promise<Observed<string[] | null>>
}

export interface FileFollower {
  path: string
  /** The file as it was when it was opened; null: there was none. Its end is where following begins. */
  file: OpenFile | null
  /** Whole lines that came since the last call; throws what reading throws. */
  poll(): Promise<Buffer>
  close(): Promise<void>
}

/** An answer of MCPProxy's REST API: `body` is parsed JSON where it was JSON, else text. */
export interface ApiAnswer {
  status: number
  body: unknown
}

export interface ProxyApi {
  /** GET below the root, e.g. `/api/v1/servers`. */
  get(path: string): Promise<Observed<ApiAnswer>>
  /** Where it is asked, e.g. `unix:///home/me/.mcpproxy/mcpproxy.sock`, for messages; null: nowhere. */
  address(): Promise<string | null>
}

/** The engine's JSON answers as they are; `formats/` and `evidence/` read them. */
export interface Engine {
  /** The address that the docker command of MCPProxy would use, and what decided it. */
  endpoint(): Promise<EngineEndpoint>
  version(): Promise<Observed<unknown>>
  /** Of `version` no more than Version, ApiVersion and whether it is podman, which costs an engine next to nothing; absent in a recording. */
  hello?(): Promise<Observed<unknown>>
  info(): Promise<Observed<unknown>>
  /** `GET /containers/json?all=1` */
  containers(): Promise<Observed<unknown[]>>
  /** Past events, oldest first, up to now. The engine keeps 256 of them in memory. */
  events(): Promise<Observed<unknown[]>>
  /** `GET /images/json` */
  images(): Promise<Observed<unknown[]>>
  /** `GET /networks`; names are enough. */
  networks(): Promise<Observed<unknown[]>>
  /** Image inspect; null: the engine has no such image. */
  image(reference: string): Promise<Observed<unknown>>
  /** Paths of the programs in the image (from a created container's export, never run). */
  programs(reference: string): Promise<Observed<string[]>>
  /** Container inspect by id; null: no such container. */
  inspect(id: string): Promise<Observed<unknown>>
  /** The newest lines that a container wrote, each with the engine's time before it, oldest first; `since`: seconds since 1970. Absent: in a recording. */
  logs?(id: string, since?: number): Promise<Observed<ContainerLine[]>>
}

export interface ContainerLine {
  stream: 'stdout' | 'stderr'
  /** `2026-11-22T21:47:29.136123456Z` */
  time: string
  text: string
}

export interface EngineWatchListener {
  /** The engine's JSON, each event once, in the order of their arrival. */
  event(value: unknown): void
  /** The stream broke; what happened since then is asked for again. */
  broken(since: Date): void
  /** It was opened again. What the engine no longer knows of the time between is lost. */
  mended(since: Date): void
}

/** The engine's events as they happen, and a look at a container while they do. Its limits are those of each call. */
export interface EngineWatch {
  /** Why the engine cannot be watched any longer; null: it was closed. */
  over: Promise<SourceError | null>
  /** Container inspect by id. */
  inspect(id: string): Promise<Observed<unknown>>
  close(): Promise<void>
}

export interface EngineEndpoint {
  /** `unix:///…`, `tcp://…`, `ssh://…`, `npipe:////./pipe/…`; null when it cannot be worked out. */
  host: string | null
  /** e.g. `DOCKER_HOST of the MCPProxy process`, `context "colima"`, `default socket` */
  decidedBy: string
  context: string | null
  tls: boolean
  /** A problem that makes the docker command itself refuse, e.g. a context that does not exist. */
  problem: string | null
}

/** The environment in which MCPProxy starts its servers, as far as it can be known. */
export interface ProxyEnvironment {
  /** `process`: read from the running process. `assumed`: ours, the best guess. `recorded`: from the capture. */
  source: 'process' | 'assumed' | 'recorded'
  pid: number | null
  user: { uid: number; gid: number; groups: string[] } | null
  /** Only the names that matter for docker and for host paths; values may be secret. */
  env: Record<string, string | undefined>
  /** Program name → absolute path on the PATH of that environment, or null. */
  programs: Record<string, string | null>
  /** Names of the proxy variables that the docker client's own configuration sets in every container; absent: not known. */
  clientProxies?: string[]
}

/** Where MCPProxy keeps its things. */
export interface Locations {
  home: string
  /** The file that MCPProxy reads at start. Null: none of the usual places has one. */
  config: string | null
  /** The file that it saves to and watches, when that is another one. */
  trackedConfig: string | null
  /** Further files of that name that MCPProxy reads instead when it is started in their folder. */
  otherConfigs: string[]
  dataDir: string | null
  /** Folders that may hold logs, the likeliest first. */
  logDirs: string[]
  /** How each was found, one sentence each, for `--verbose`. */
  how: string[]
}

/** Whether a signal asked for the end, and what was therefore not looked at. */
export interface Interruption {
  readonly asked: boolean
  /** Names for people, in the order in which they were given up. */
  readonly notLooked: ReadonlySet<string>
}

export interface System {
  /** Null on a live machine. */
  recording: {
    recordedAt: string
    path: string
    mcpproxy: { version: string | null; running: boolean }
    /** Those that it was recorded for; null: all. */
    servers: string[] | null
    /** Starts that were recorded with it; null: none were asked for. */
    replays: RecordedReplays | null
  } | null
  platform: string
  /** The moment of looking: the clock, or when the capture was made. */
  now(): Date
  locations(): Promise<Locations>
  files: Files
  proxy: ProxyApi
  engine: Engine
  /** `programs: false`: they need not be looked for, and may be missing in the answer. */
  environment(options?: { programs: boolean }): Promise<Observed<ProxyEnvironment>>
  /** Starts servers again; null in a recording. Its limits are those of each run. */
  replays: ReplayRunner | null
  /** Absent: no signal ends the look at it (`interruptible`). */
  interruption?: Interruption
  /** Listens to the engine from now on; absent in a recording. */
  watchEngine?(listener: EngineWatchListener): Promise<Observed<EngineWatch>>
  /** Ends what is still open (sockets, files). */
  close(): Promise<void>
}
