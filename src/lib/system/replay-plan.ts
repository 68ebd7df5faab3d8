/** What is to be run, worked out by `replay/plan.ts`, and the labels by which its container is found again. */

export interface Change {
  /** As in the recorded arguments or as it is now, without secrets, e.g. `--restart always`. */
  what: string
  why: string
}

export interface ReplayPlan {
  id: string
  kind: 'docker' | 'host'
  /** What follows the word docker; for the host: what follows the command. Holds no value of a variable. */
  argv: string[]
  /** `docker`, or the program on the host. */
  command: string
  /** Null: ours. */
  cwd: string | null
  /** Of the child. Holds secrets. The address of the engine is added by whoever runs it. */
  env: Record<string, string>
  /**
   * Variables of the container that would change what the docker command itself does, such as HOME. They reach it
   * as lines of `--env-file`, read from the open file `hiddenFile`. Holds secrets.
   */
  hidden: Record<string, string>
  name: string | null
  labels: Record<string, string>
  image: string | null
  /** Value of `--platform`. */
  platform: string | null
  /** Docker will read the arguments as this plan does, so that `image` is what it looks for. */
  checked: boolean
  /** What differs from the recorded arguments, for the user. */
  changes: Change[]
  /** Why it must not be run, one sentence; null: it may. */
  refused: string | null
}

/** The process that answers for a container; when it is gone, the container may go too. */
export interface ReplayOwner {
  pid: number
  /** Tells it from a later process with the same number. */
  startTime: string
  /** Of the running kernel, and where processes are numbered apart, of that numbering. */
  bootId: string
  host: string
}

export const replayLabel = 'mcpproxy-doctor.replay'
export const ownerLabel = 'mcpproxy-doctor.owner'
export const hostLabel = 'mcpproxy-doctor.host'
/** The descriptor of the child on which it reads `hidden`. */
export const hiddenFile = '/dev/fd/3'

export const replayLabels = (id: string, owner: ReplayOwner): Record<string, string> => ({
  [replayLabel]: id,
  [ownerLabel]: `${owner.pid}:${owner.startTime}:${owner.bootId}`,
  [hostLabel]: owner.host,
})
