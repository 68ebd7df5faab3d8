/**
 * Runs a replay plan and tells what came of it. Whatever happens (time limits, Ctrl-C, an engine that goes away), the
 * container is removed by id before the answer is given; what even a killed doctor leaves, the next run sweeps away.
 */
import { setMaxListeners } from 'node:events'
import { containerCreate } from '../formats/container-create.ts'
import { parseDockerRun } from '../formats/docker-run.ts'
import { codeOf } from '../errors.ts'
import { startThroughApi } from './api-child.ts'
import { startChild, type Child, type EndedBy } from './child.ts'
import type { ResolvedEndpoint } from './docker-endpoint.ts'
import { createTransport, type Transport } from './docker-transport.ts'
import { classifyEngineError, engineFailure } from './engine-error.ts'
import { pullImage } from './image-pull.ts'
import { resolvePrograms } from './processes.ts'
import { askRegistry, hasImage, removeReplay, sweepReplays, watchReplay, type ContainerWatch } from './replay-engine.ts'
import type { ReplayRunner, Run, RunOptions, Sweep } from './replay-run.ts'
import { ownIdentity } from './replay-owner.ts'
import { hiddenFile, type ReplayOwner, type ReplayPlan } from './replay-plan.ts'
import { converse, type Conversation, type Transcript } from './stdio-client.ts'
import type { Files } from './system.ts'

export interface RunnerOptions {
  endpoint(): Promise<ResolvedEndpoint>
  /** For `ssh` to the engine, and for PATH. */
  env(): Promise<Record<string, string | undefined>>
  files: Files
  platform: string
}

/** How long after the end of its output a process may take to end before it counts as living on. */
const endMs = 2000

export function createReplayRunner(options: RunnerOptions): ReplayRunner {
  let identity: Promise<ReplayOwner> | null = null
  let connection: Promise<Transport> | null = null
  const pending = new Set<Promise<unknown>>()
  const closing = new AbortController()
  // Every run listens to it.
  setMaxListeners(0, closing.signal)
  const owner = (): Promise<ReplayOwner> => (identity ??= ownIdentity())
  const connect = (): Promise<Transport> =>
    (connection ??= options.endpoint().then(async (e) => {
      if (e.problem !== null) throw engineFailure('misconfigured', e.problem)
      return createTransport(e, await options.env())
    }))
  const sweep = async (): Promise<Sweep> => sweepReplays(await connect(), await owner())
  return {
    owner,
    sweep,
    pullImage: async (reference, pullOptions = {}) => {
      const transport = await connect()
      const given = await options.env()
      const docker = (await resolvePrograms(options.files, given, options.platform, ['docker']))['docker'] ?? null
      const env = Object.fromEntries(Object.entries(given).filter((e): e is [string, string] => e[1] !== undefined))
      return pullImage(reference, { docker, env: { ...env, ...engineAddress(env, await options.endpoint()) }, transport }, pullOptions)
    },
    run: (plan, given = {}) => {
      const signal = given.signal === undefined ? closing.signal : AbortSignal.any([closing.signal, given.signal])
      const runOptions = { ...given, signal }
      const work = plan.kind === 'host' ? runOnHost(plan, runOptions) : runInDocker(plan, runOptions, { ...options, connect, sweep })
      pending.add(work)
      const forget = (): void => void pending.delete(work)
      work.then(forget, forget)
      return work
    },
    askRegistry: async (reference, signal) => askRegistry(await connect(), reference, signal),
    busy: () => pending.size > 0,
    close: async () => {
      closing.abort(new Error('The replays were closed.'))
      await Promise.allSettled(pending)
      await connection?.then(
        (t) => t.close(),
        () => {},
      )
    },
  }
}

interface Tools extends RunnerOptions {
  connect(): Promise<Transport>
  sweep(): Promise<Sweep>
}

async function runOnHost(plan: ReplayPlan, options: RunOptions): Promise<Run> {
  const session = newSession(plan, 'host')
  options.signal?.throwIfAborted()
  if (plan.refused !== null) return notRun(session, 'refused-by-plan', plan.refused)
  let child: Child
  options.starting?.()
  try {
    child = await startChild({ file: plan.command, args: plan.argv, env: plan.env, cwd: plan.cwd, hidden: null })
  } catch (error) {
    return notRun(session, 'no-program', spawnProblem(error, plan))
  }
  const conversation = await talk(child, options, session.began)
  const endedBy = await child.end({ ...grace(options), group: true })
  options.signal?.throwIfAborted()
  return judge(session, { child, conversation, endedBy, watch: null, byOther: null, leftover: null })
}

async function runInDocker(plan: ReplayPlan, options: RunOptions, tools: Tools): Promise<Run> {
  const { signal } = options
  signal?.throwIfAborted()
  let session = newSession(plan, 'docker')
  if (plan.refused !== null) return notRun(session, 'refused-by-plan', plan.refused)
  let transport: Transport
  let endpoint: ResolvedEndpoint
  let watch: ContainerWatch
  try {
    endpoint = await tools.endpoint()
    transport = await tools.connect()
    if (plan.checked && plan.image !== null && (await hasImage(transport, plan.image, signal)) === false)
      return notRun(session, 'image-missing', `The image ${plan.image} is not here.`)
    session.sweepFailed.push(...(await tools.sweep()).failed)
    watch = await watchReplay(transport, plan.id, signal)
  } catch (error) {
    signal?.throwIfAborted()
    return notRun(session, 'no-engine', classifyEngineError(error, (await tools.endpoint()).host ?? undefined).message)
  }
  let child: Child | null = null
  try {
    const docker = (await resolvePrograms(tools.files, plan.env, tools.platform, ['docker']))['docker'] ?? null
    session = { ...session, via: docker === null ? 'api' : 'docker', startedAt: new Date(), began: performance.now() }
    options.starting?.()
    if (docker === null) {
      const request = containerCreate(parseDockerRun(plan.argv), plan.env, { file: hiddenFile, variables: plan.hidden })
      if (typeof request === 'string') {
        await watch.close()
        return notRun(session, 'no-program', `There is no docker command here, and ${request} cannot be given to the engine without it.`)
      }
      child = await startThroughApi(transport, request, watch)
    } else {
      try {
        child = await startChild({
          file: docker,
          args: plan.argv,
          env: { ...(await engineAccess(tools)), ...plan.env, ...engineAddress(plan.env, endpoint) },
          cwd: plan.cwd,
          hidden: hiddenLines(plan),
        })
      } catch (error) {
        await watch.close()
        return notRun(session, 'failed', spawnProblem(error, plan))
      }
    }
    const conversation = await talk(child, options, session.began)
    // Until here we have sent no signal: whoever stopped it was somebody else.
    if (child.exit() !== null) await settled(watch)
    let byOther = stoppedByOther(watch)
    const removal = { leftover: null as string | null }
    const endedBy = await child.end({
      ...grace(options),
      group: false,
      beforeSignal: () => (byOther ??= stoppedByOther(watch)),
      beforeKill: async () => void (removal.leftover = await clean(transport, plan.id)),
    })
    if (endedBy === 'itself' || endedBy === 'end of stdin') {
      await settled(watch)
      byOther ??= stoppedByOther(watch)
    }
    signal?.throwIfAborted()
    removal.leftover = await clean(transport, plan.id)
    await watch.until(() => watch.stories().every((s) => s.destroyedAt !== null), 1000)
    await watch.close()
    return judge(session, { child, conversation, endedBy, watch, byOther, leftover: removal.leftover })
  } catch (error) {
    await dispose(child, transport, plan.id, watch)
    throw error
  }
}

/** Also after an abort or an error of ours. A docker command that was ended in the middle of its request may still get its container, on a busy engine seconds later. */
async function dispose(child: Child | null, transport: Transport, id: string, watch: ContainerWatch): Promise<void> {
  if (child !== null) {
    await child.end({ stdinMs: 0, termMs: 0, group: false, beforeKill: async () => void (await clean(transport, id)) })
    await clean(transport, id)
    // Whatever it ended of: its request may be on the way.
    if (watch.stories().length === 0) await watch.until(() => watch.stories().length > 0, 2500)
    // One that was just being made when the list was asked for is in the next one.
    for (let i = 0; i < 10 && watch.stories().some((s) => s.destroyedAt === null); i++) {
      await clean(transport, id)
      await watch.until(() => watch.stories().every((s) => s.destroyedAt !== null), 300)
    }
  }
  await watch.close()
}

async function clean(transport: Transport, id: string): Promise<string | null> {
  try {
    await removeReplay(transport, id)
    return null
  } catch (error) {
    return `The container could not be removed: ${classifyEngineError(error).message}`
  }
}

/** The death and the removal of the container come a moment after the end of the docker command. */
async function settled(watch: ContainerWatch): Promise<void> {
  await watch.until(
    () =>
      watch
        .stories()
        .every((s) => (s.startedAt === null || s.diedAt !== null) && (s.diedAt === null || watch.dead.has(s.id) || s.destroyedAt !== null)),
    1500,
  )
}

/** Asked only while we have sent no signal. */
function stoppedByOther(watch: ContainerWatch): string | null {
  for (const story of watch.stories()) {
    const signal = story.signals[0]
    if (signal !== undefined) return `Somebody else sent signal ${signal.signal} to the container.`
    if (story.paused) return 'Somebody else paused the container.'
    if (story.startedAt !== null && story.diedAt === null && story.destroyedAt !== null) return 'Somebody else removed the container.'
  }
  return watch.lost() ? 'The engine went away while it ran.' : null
}

async function talk(child: Child, options: RunOptions, began: number): Promise<Conversation> {
  const conversation = converse(child, { ...options, startedAt: began })
  // The end of the output comes before that of the process; the docker command waits until the container is removed.
  if ((await conversation.finished) === 'ended') await child.endsWithin(endMs)
  return conversation
}

const grace = (options: RunOptions): { stdinMs: number; termMs: number } =>
  options.signal?.aborted === true ? { stdinMs: 0, termMs: 0 } : { stdinMs: options.graceMs ?? 1000, termMs: options.graceMs ?? 1000 }

/** The engine that is watched, however it was found, so that the container is nowhere else. */
function engineAddress(env: Record<string, string>, endpoint: ResolvedEndpoint): Record<string, string> {
  if (endpoint.context !== null && endpoint.context !== 'default') return { DOCKER_CONTEXT: endpoint.context, DOCKER_HOST: '' }
  return {
    ...(endpoint.host === null ? {} : { DOCKER_HOST: endpoint.host }),
    ...(env['DOCKER_CONTEXT'] === undefined ? {} : { DOCKER_CONTEXT: '' }),
  }
}

/** How that engine is reached; what MCPProxy hands on (DOCKER_CONFIG…) comes before it. */
async function engineAccess(tools: Tools): Promise<Record<string, string>> {
  const names = ['DOCKER_CONFIG', 'DOCKER_TLS', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'SSH_AUTH_SOCK']
  const env = await tools.env()
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}

const hiddenLines = (plan: ReplayPlan): string | null =>
  Object.keys(plan.hidden).length === 0
    ? null
    : Object.entries(plan.hidden)
        .map(([k, v]) => `${k}=${v}\n`)
        .join('')

function spawnProblem(error: unknown, plan: ReplayPlan): string {
  const code = codeOf(error)
  // Also for a working directory that is none.
  if (code === 'ENOENT')
    return `${plan.command} could not be started: there is no such program${plan.cwd === null ? '' : `, or no folder ${plan.cwd}`}.`
  if (code === 'EACCES') return `${plan.command} could not be started: this user may not.`
  // The message would hold the arguments.
  return `${plan.command} could not be started${code === '' ? '' : ` (${code})`}.`
}

// ---- what came of it ----------------------------------------------------------------

interface Session {
  plan: ReplayPlan
  via: Run['via']
  startedAt: Date
  began: number
  sweepFailed: string[]
}

const newSession = (plan: ReplayPlan, via: Run['via']): Session => ({
  plan,
  via,
  startedAt: new Date(),
  began: performance.now(),
  sweepFailed: [],
})

interface Ending {
  child: Child
  conversation: Conversation
  endedBy: EndedBy
  watch: ContainerWatch | null
  byOther: string | null
  leftover: string | null
}

const planSummary = ({ kind, argv, command, name, image, changes }: ReplayPlan): Run['plan'] => ({
  kind,
  argv,
  command,
  name,
  image,
  changes,
})

function notRun(session: Session, why: NonNullable<Run['notRun']>, reason: string): Run {
  return {
    id: session.plan.id,
    outcome: 'not-run',
    reason,
    notRun: why,
    plan: planSummary(session.plan),
    via: session.via,
    transcript: null,
    exitCode: null,
    exitSignal: null,
    endedBy: null,
    container: null,
    startedAt: session.startedAt,
    times: { created: null, started: null, firstByte: null, initialize: null, tools: null, died: null, end: 0 },
    leftover: null,
    sweepFailed: session.sweepFailed,
  }
}

function judge(session: Session, ending: Ending): Run {
  const { child, conversation, endedBy, watch } = ending
  const transcript = conversation.transcript()
  const story = watch?.stories()[0] ?? null
  const dead = story === null ? null : (watch?.dead.get(story.id) ?? null)
  const container =
    story === null
      ? null
      : {
          id: story.id,
          story,
          exitCode: dead?.exitCode ?? story.exitCode,
          oomKilled: dead?.oomKilled ?? (story.oom ? true : null),
          error: dead?.error ?? null,
        }
  const exit = child.exit()
  const byItself = endedBy === 'itself'
  const result = outcomeOf(session, ending, transcript, container)
  const since = (action: string): number | null => {
    const at = watch?.arrival(action) ?? null
    return at === null ? null : at - session.startedAt.getTime()
  }
  return {
    id: session.plan.id,
    ...result,
    notRun: null,
    plan: planSummary(session.plan),
    via: session.via,
    transcript,
    exitCode: byItself ? (exit?.code ?? null) : null,
    exitSignal: byItself ? (exit?.signal ?? null) : null,
    endedBy,
    container,
    startedAt: session.startedAt,
    times: {
      created: since('create'),
      started: since('start'),
      firstByte: transcript.times.firstByte,
      initialize: transcript.times.initialize,
      tools: transcript.times.tools,
      died: since('die'),
      end: transcript.times.end,
    },
    leftover: ending.leftover,
    sweepFailed: session.sweepFailed,
  }
}

function outcomeOf(session: Session, ending: Ending, transcript: Transcript, container: Run['container']): Pick<Run, 'outcome' | 'reason'> {
  const exit = ending.child.exit()
  switch (transcript.outcome) {
    case 'works':
      return { outcome: 'works', reason: null }
    case 'refused':
    case 'flood':
      return { outcome: 'protocol-broken', reason: transcript.problem }
    case 'no-answer':
    case 'cancelled':
      if (ending.byOther !== null) return { outcome: 'ended-by-other', reason: ending.byOther }
      return { outcome: 'no-answer', reason: transcript.problem }
    case 'ended':
      if (ending.byOther !== null) return { outcome: 'ended-by-other', reason: ending.byOther }
      if (ending.endedBy !== 'itself') return { outcome: 'protocol-broken', reason: 'It closed its standard output and lived on.' }
      if (exit?.signal != null && session.via === 'docker')
        return { outcome: 'ended-by-other', reason: `Somebody else ended the docker command (${exit.signal}).` }
      if (session.via !== 'host' && (container === null ? exit?.code !== 0 : container.story.startedAt === null))
        return { outcome: 'refused', reason: container?.error ?? 'Docker did not start it.' }
      return { outcome: 'exited', reason: `It ended before the answer to ${transcript.during}.` }
  }
}
