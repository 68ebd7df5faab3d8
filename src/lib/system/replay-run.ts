/** What a replay is asked, and what comes of it. */
import type { DockerErrorKind } from '../formats/docker-error.ts'
import type { ContainerStory } from '../formats/engine-events.ts'
import type { EndedBy } from './child.ts'
import type { ReplayOwner, ReplayPlan } from './replay-plan.ts'
import type { ConversationOptions, Transcript } from './stdio-client.ts'

/** What the engine said of a container at the moment of its death; the next moment `--rm` has taken it. */
export interface DeadContainer {
  exitCode: number | null
  oomKilled: boolean | null
  /** The engine's own words on why it did not start. */
  error: string | null
}

export interface RunOptions extends Pick<
  ConversationOptions,
  'initializeMs' | 'toolsMs' | 'settleMs' | 'protocolVersion' | 'maxBytes' | 'maxLine'
> {
  /** Milliseconds that it gets to end after the end of stdin, and again after SIGTERM; default 1000. */
  graceMs?: number
  signal?: AbortSignal
  /** Called right before the program is started. */
  starting?: () => void
}

/**
 * `works`: initialize and tools/list answered, and alive for a moment after. `refused`: docker did not start it.
 * `exited`: it ended before that. `no-answer`: it lived and did not answer in time. `protocol-broken`: it answered what
 * MCPProxy does not accept, or flooded. `ended-by-other`: somebody else stopped it; this run says nothing.
 * `not-run`: nothing was started.
 */
export type RunOutcome = 'works' | 'refused' | 'exited' | 'no-answer' | 'protocol-broken' | 'ended-by-other' | 'not-run'

export interface Run {
  id: string
  outcome: RunOutcome
  /** One sentence on why; null when it works. */
  reason: string | null
  /** Set when `not-run`. */
  notRun: 'no-engine' | 'image-missing' | 'refused-by-plan' | 'no-program' | 'failed' | null
  plan: Pick<ReplayPlan, 'kind' | 'argv' | 'command' | 'name' | 'image' | 'changes'>
  /** `docker`: the command, as MCPProxy does. `api`: there is no docker command here. `host`: no container. */
  via: 'docker' | 'api' | 'host'
  transcript: Transcript | null
  /** Of the docker command, or of the program on the host. Null: it did not end by itself, or ended by a signal. */
  exitCode: number | null
  exitSignal: string | null
  endedBy: EndedBy | null
  /** Null: none was created, or nobody could look. */
  container: (DeadContainer & { id: string; story: ContainerStory }) | null
  startedAt: Date
  /** Milliseconds since `startedAt`; null: it did not happen or was not seen. */
  times: {
    created: number | null
    started: number | null
    firstByte: number | null
    initialize: number | null
    tools: number | null
    died: number | null
    end: number
  }
  /** Null: nothing of it is left. Else why that is not known. */
  leftover: string | null
  /** What the sweep before it could not remove, one sentence each. */
  sweepFailed: string[]
}

export interface ReplayRunner {
  /** Rejects with the signal's reason when it was aborted, after cleaning up; else always fulfilled. */
  run(plan: ReplayPlan, options?: RunOptions): Promise<Run>
  /** For labels and ids of plans. */
  owner(): Promise<ReplayOwner>
  /** Removes what a killed doctor left. Each run does it first. */
  sweep(): Promise<Sweep>
  /**
   * Does the registry have it? Asks for the manifest and fetches nothing. `answered`: the message is the registry's or the
   * engine's own; else nobody could be asked.
   */
  askRegistry(reference: string, signal?: AbortSignal): Promise<{ ok: true } | { ok: false; answered: boolean; message: string }>
  /** A phase of its own: no run pulls. Rejects when there is no engine, and with the reason of the caller's signal. */
  pullImage(reference: string, options?: PullOptions): Promise<PullResult>
  /** Something runs or is being removed just now. */
  busy(): boolean
  /** Ends what still runs, and fulfils when its containers are gone. */
  close(): Promise<void>
}

export interface Sweep {
  /** Ids of the containers that were removed. */
  removed: string[]
  /** What should go and did not, one sentence each. */
  failed: string[]
}

export interface PullOptions {
  /** As for `--platform`. */
  platform?: string | null
  /** Each step in docker's own words, e.g. `2f65750928993b5b: Pull complete`. */
  onProgress?: (line: string) => void
  /** Default: 10 minutes. */
  limitMs?: number
  signal?: AbortSignal
}

/** `kind` null: no reason that is known, such as a time limit. `message`: docker's own words. */
export type PullResult = { ok: true } | { ok: false; kind: DockerErrorKind | null; message: string }
