/** Starts a server once, in a way that harms nothing, and puts what came of it into words that can be compared. */
import { randomBytes } from 'node:crypto'
import { dockerError } from '../formats/docker-error.ts'
import type { TrialOutcome } from '../replay/experiment.ts'
import { planReplay } from '../replay/plan.ts'
import { imageNotHere, signatureOf, type Signature } from '../replay/signature.ts'
import { stderrLines } from '../replay/run-evidence.ts'
import { hostStart } from '../replay/shell-line.ts'
import type { StartSpec } from '../replay/start-spec.ts'
import { timeLimit } from '../stop.ts'
import type { RecordedStart } from '../system/replay-record.ts'
import type { PullResult, Run } from '../system/replay-run.ts'
import type { System } from '../system/system.ts'
import type { Started } from './replay.ts'

export interface StarterOptions {
  /** Bind mounts of the host stay writable. */
  allowWrites?: boolean
  /** Empty throwaway volumes in place of named ones. */
  cold?: boolean
  /** Milliseconds since 1970. A start that still goes on then is ended and says nothing: its container is removed. */
  deadline?: number
}

export interface Starter {
  /** `note`: gets all that the start showed, for a recording of it. */
  start: (spec: StartSpec, limitMs: number, note?: (seen: SeenStart) => void) => Promise<Started>
  /** A phase of its own: no start pulls. */
  pull: (image: string, onProgress: (line: string) => void) => Promise<PullResult>
}

/** Why a start says nothing, when a signal came. */
export const wasInterrupted = 'it was interrupted'
const timeIsUp = 'the time for all replays was up before it had ended'
const noTime = 'the time for all replays was up before it was started'

export type SeenStart = Omit<RecordedStart, 'what'>

/** Null: a recording cannot be started. */
export async function createStarter(system: System, options: StarterOptions = {}): Promise<Starter | null> {
  const runner = system.replays
  if (!runner) return null
  const [owner, environment] = await Promise.all([runner.owner(), system.environment()])
  const proxy = environment.ok ? environment.value : null
  const notStarted = (why: string): SeenStart => ({ changes: [], notStarted: why, registry: null, registryMs: null, run: null })
  const cutShort = (why: string, changes: SeenStart['changes'], begun: boolean): SeenStart => ({
    ...notStarted(why),
    ...(begun ? { changes, begun: true } : {}),
  })
  const attempt = async (given: StartSpec, limitMs: number): Promise<SeenStart> => {
    const host = given.kind === 'host' ? hostStart(given) : null
    if (host?.kind === 'refused') return notStarted(host.why)
    const spec = host ? host.spec : given
    if (!environment.ok) return notStarted(environment.error.message)
    const proxyEnv = proxy?.env ?? {}
    const uid = process.getuid?.()
    if (spec.kind === 'host' && proxy?.user && uid !== undefined && proxy.user.uid !== uid) {
      return notStarted(
        `MCPProxy runs as user ${proxy.user.uid} and this program as ${uid}: a program of this machine is started only with the rights that it has there`,
      )
    }
    const plan = planReplay({
      run:
        spec.kind === 'docker'
          ? { kind: 'docker', runArgs: spec.runArgs, command: spec.command }
          : { kind: 'host', command: spec.command, args: spec.args, cwd: spec.cwd, loginShell: proxyEnv['SHELL'] || '/bin/bash' },
      serverEnv: spec.env,
      proxyEnv,
      platform: system.platform,
      id: randomBytes(6).toString('hex'),
      owner,
      // What may be the cause must stay: without it every change would seem to heal.
      options: { keepTty: true, keepDetach: true, allowWrites: options.allowWrites ?? false, cold: options.cold ?? false },
    })
    if (plan.refused !== null) return notStarted(plan.refused)
    // What it had to say is not known: cut short is neither a failure nor silence.
    const late = options.deadline === undefined ? null : timeLimit(Math.max(0, options.deadline - Date.now()))
    let begun = false
    const starting = (): void => void (begun = true)
    try {
      const run = await runner.run(plan, { initializeMs: limitMs, toolsMs: limitMs, starting, ...(late ? { signal: late } : {}) })
      const seen = { changes: plan.changes, notStarted: null, run }
      if (run.notRun !== 'image-missing' || plan.image === null) return { ...seen, registry: null, registryMs: null }
      // docker would pull it. Whether it could is asked of the registry, which fetches nothing.
      const began = performance.now()
      return { ...seen, registry: await runner.askRegistry(plan.image, late ?? undefined), registryMs: performance.now() - began }
    } catch (error) {
      if (system.interruption?.asked === true) return cutShort(wasInterrupted, plan.changes, begun)
      if (late?.aborted === true && error === late.reason) return cutShort(begun ? timeIsUp : noTime, plan.changes, begun)
      throw error
    }
  }
  return {
    pull: async (image, onProgress) => {
      try {
        return await runner.pullImage(image, { onProgress })
      } catch (error) {
        return { ok: false, kind: null, message: error instanceof Error ? error.message : String(error) }
      }
    },
    async start(given, limitMs, note) {
      const seen = await attempt(given, limitMs)
      note?.(seen)
      return startedOf(seen)
    },
  }
}

/** What came of a start, live or recorded. */
export function startedOf({ changes, notStarted, begun, registry, registryMs, run }: SeenStart): Started {
  if (run === null)
    return { outcome: { result: 'not-run', why: notStarted ?? 'it could not be started', begun: begun === true }, changes, run }
  if (registry === null || run.plan.image === null) return { outcome: outcomeOf(run), changes, run }
  const { image } = run.plan
  const ms = registryMs ?? 0
  if (registry.ok) return { outcome: { result: 'not-run', why: `the image ${image} is not here yet; the registry has it` }, changes, run }
  const text = `docker: Error response from daemon: ${registry.message}`
  const signature: Signature =
    registry.answered && dockerError(text)
      ? signatureOf('ended', null, [text])
      : { how: 'ended', exitCode: null, says: imageNotHere, text: `the image ${image} is not here` }
  return { outcome: { result: 'fails', signature, ms }, changes, run }
}

/** Gives the starts that a recording holds, each once, in the order in which they were. */
export function recordedStarter(starts: readonly RecordedStart[]): { next: (what: string) => Started; over: () => boolean } {
  const left = [...starts]
  return {
    over: () => left.length === 0,
    next(what) {
      const at = left.findIndex((s) => s.what === what)
      const [start] = at < 0 ? [] : left.splice(at, 1)
      return start ? startedOf(start) : { outcome: { result: 'not-run', why: 'the capture holds no such start' }, changes: [], run: null }
    },
  }
}

function outcomeOf(run: Run): TrialOutcome {
  const ms = run.times.end
  const failed = (how: Signature['how'], words = stderrLines(run)): TrialOutcome => ({
    result: 'fails',
    signature: signatureOf(how, run.container?.exitCode ?? run.exitCode, words),
    ms,
  })
  switch (run.outcome) {
    case 'works':
      return { result: 'works', tools: run.transcript?.tools ?? 0, ms: run.times.tools ?? ms }
    case 'refused':
    case 'exited':
      return failed('ended')
    case 'no-answer':
      return failed('no-answer')
    case 'protocol-broken':
      return failed('no-answer', [run.reason ?? 'it does not speak the protocol'])
    case 'ended-by-other':
      return { result: 'disturbed', by: run.reason ?? 'somebody else ended it', ms }
    case 'not-run':
      return { result: 'not-run', why: run.reason ?? 'it could not be started' }
  }
}
