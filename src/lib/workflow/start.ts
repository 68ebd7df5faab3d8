/** Starts a server once, in a way that harms nothing, and puts what came of it into words that can be compared. */
import { randomBytes } from 'node:crypto'
import { dockerError } from '../formats/docker-error.ts'
import type { TrialOutcome } from '../replay/experiment.ts'
import { planReplay } from '../replay/plan.ts'
import { imageNotHere, signatureOf, type Signature } from '../replay/signature.ts'
import { stderrLines } from '../replay/run-evidence.ts'
import { hostStart } from '../replay/shell-line.ts'
import type { StartSpec } from '../replay/start-spec.ts'
import type { PullResult, Run } from '../system/replay-run.ts'
import type { System } from '../system/system.ts'
import type { Started } from './replay.ts'

export interface StarterOptions {
  /** Bind mounts of the host stay writable. */
  allowWrites?: boolean
  /** Empty throwaway volumes in place of named ones. */
  cold?: boolean
}

export interface Starter {
  start: (spec: StartSpec, limitMs: number) => Promise<Started>
  /** A phase of its own: no start pulls. */
  pull: (image: string, onProgress: (line: string) => void) => Promise<PullResult>
}

/** Null: a recording cannot be started. */
export async function createStarter(system: System, options: StarterOptions = {}): Promise<Starter | null> {
  const { replays } = system
  if (!replays) return null
  const [owner, environment] = await Promise.all([replays.owner(), system.environment()])
  const proxy = environment.ok ? environment.value : null
  const notRun = (why: string): Started => ({ outcome: { result: 'not-run', why }, changes: [], run: null })
  // docker would pull it. Whether it could is asked of the registry, which fetches nothing.
  const imageMissing = async (image: string): Promise<TrialOutcome> => {
    const began = performance.now()
    const asked = await replays.askRegistry(image)
    if (asked.ok) return { result: 'not-run', why: `the image ${image} is not here yet; the registry has it` }
    const ms = performance.now() - began
    const text = `docker: Error response from daemon: ${asked.message}`
    if (asked.answered && dockerError(text)) return { result: 'fails', signature: signatureOf('ended', null, [text]), ms }
    return { result: 'fails', signature: { how: 'ended', exitCode: null, says: imageNotHere, text: `the image ${image} is not here` }, ms }
  }
  return {
    pull: async (image, onProgress) => {
      try {
        return await replays.pullImage(image, { onProgress })
      } catch (error) {
        return { ok: false, kind: null, message: error instanceof Error ? error.message : String(error) }
      }
    },
    async start(given, limitMs) {
      const host = given.kind === 'host' ? hostStart(given) : null
      if (host?.kind === 'refused') return notRun(host.why)
      const spec = host ? host.spec : given
      if (!environment.ok) return notRun(environment.error.message)
      const proxyEnv = proxy?.env ?? {}
      const uid = process.getuid?.()
      if (spec.kind === 'host' && proxy?.user && uid !== undefined && proxy.user.uid !== uid) {
        return notRun(
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
      if (plan.refused !== null) return notRun(plan.refused)
      const run = await replays.run(plan, { initializeMs: limitMs, toolsMs: limitMs })
      if (run.notRun === 'image-missing' && plan.image !== null)
        return { outcome: await imageMissing(plan.image), changes: plan.changes, run }
      return { outcome: outcomeOf(run), changes: plan.changes, run }
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
