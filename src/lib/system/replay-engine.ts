/**
 * The engine's side of a replay: is the image here, what happens to our container (events, inspect when it dies), its
 * removal, and the removal of what a killed doctor left. Nothing that does not carry our label is ever changed.
 */
import type Docker from 'dockerode'
import { containerStories, parseEvent, type ContainerStory, type EngineEvent } from '../formats/engine-events.ts'
import { jsonValues } from './docker.ts'
import type { Transport } from './docker-transport.ts'
import { callLimit, classifyEngineError, engineFailure, statusOf } from './engine-error.ts'
import { ownerState } from './replay-owner.ts'
import type { DeadContainer, Sweep } from './replay-run.ts'
import { ownerLabel, replayLabel, type ReplayOwner } from './replay-plan.ts'

const callMs = 10_000
/** Of one event; an engine's own are far below. */
const largestEvent = 1024 * 1024

/** One call with its own time limit, also after an abort: cleaning up must not be cut short. */
async function call<T>(transport: Transport, work: (docker: Docker) => Promise<T>, signal?: AbortSignal): Promise<T> {
  const limit = callLimit(callMs)
  return work(await transport.client(signal === undefined ? limit : AbortSignal.any([limit, signal])))
}

const isStatus = (error: unknown, ...codes: number[]): boolean =>
  codes.includes(statusOf(error) ?? 0) && classifyEngineError(error).why === 'failed'

/** Null: the engine cannot know such a reference, docker will say so itself. */
export async function hasImage(transport: Transport, reference: string, signal?: AbortSignal): Promise<boolean | null> {
  if (!/^[\w][\w.\-/:@+]*$/.test(reference) || /(^|\/)\.{1,2}(\/|$)/.test(reference)) return null
  try {
    await call(transport, (docker) => docker.getImage(reference).inspect(), signal)
    return true
  } catch (error) {
    if (isStatus(error, 404)) return false
    if (isStatus(error, 400)) return null
    throw error
  }
}

/** `GET /distribution/{name}/json`: the engine asks the registry for the manifest. */
export async function askRegistry(
  transport: Transport,
  reference: string,
  signal?: AbortSignal,
): Promise<{ ok: true } | { ok: false; answered: boolean; message: string }> {
  try {
    await call(transport, (docker) => docker.getImage(reference).distribution(), signal)
    return { ok: true }
  } catch (error) {
    signal?.throwIfAborted()
    const { message } = classifyEngineError(error)
    return { ok: false, answered: statusOf(error) !== null, message: message.replace(/^The engine answered HTTP \d+: /, '') }
  }
}

export interface ContainerWatch {
  /** In the order of their arrival. */
  events(): EngineEvent[]
  /** One per container; a replay has one, unless docker was told to do otherwise. */
  stories(): ContainerStory[]
  dead: Map<string, DeadContainer>
  /** When the first such event arrived, by our clock (milliseconds since 1970): the engine's may be another one. */
  arrival(action: string): number | null
  /** True: the stream broke, later events are not known. */
  lost(): boolean
  /** Waits until the condition holds or the time is up. */
  until(condition: () => boolean, ms: number): Promise<boolean>
  close(): Promise<void>
}

/** Live events of the containers with this replay's label. The engine listens when the promise is fulfilled. */
export async function watchReplay(transport: Transport, id: string, signal?: AbortSignal): Promise<ContainerWatch> {
  const ending = new AbortController()
  const events: EngineEvent[] = []
  const dead = new Map<string, DeadContainer>()
  const arrivals = new Map<string, number>()
  const waiting = new Set<() => void>()
  const inspections = new Set<Promise<void>>()
  let lost = false
  let closed = false
  const wake = (): void => {
    for (const notify of waiting) notify()
  }
  // The answer's head comes with a limit; the stream has none.
  const limit = setTimeout(() => ending.abort(engineFailure('timed-out', 'The engine did not open its events.')), callMs)
  const giveUp = (): void => ending.abort(signal?.reason)
  signal?.addEventListener('abort', giveUp, { once: true })
  let stream: NodeJS.ReadableStream
  try {
    const docker = await transport.client(ending.signal)
    stream = await docker.getEvents({ filters: { type: ['container'], label: [`${replayLabel}=${id}`] } })
  } finally {
    clearTimeout(limit)
    signal?.removeEventListener('abort', giveUp)
  }
  const inspect = async (container: string): Promise<void> => {
    try {
      const { State } = await call(transport, (docker) => docker.getContainer(container).inspect())
      dead.set(container, { exitCode: State.ExitCode, oomKilled: State.OOMKilled, error: State.Error === '' ? null : State.Error })
    } catch (error) {
      // With --rm it may be gone already: the event itself has the exit code.
      if (statusOf(error) === null) lost = true
    }
  }
  let pending = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    pending += text
    let values: unknown[]
    try {
      values = jsonValues(pending)
      pending = ''
    } catch {
      // Its end is still to come.
      if (pending.length > largestEvent) lost = true
      return
    }
    for (const value of values) {
      const event = parseEvent(value)
      if (event === null) continue
      events.push(event)
      if (!arrivals.has(event.action)) arrivals.set(event.action, Date.now())
      if (event.action !== 'die') continue
      const looking = inspect(event.id)
      inspections.add(looking)
      void looking.then(() => {
        inspections.delete(looking)
        wake()
      })
    }
    wake()
  })
  const over = (): void => {
    if (!closed) lost = true
    wake()
  }
  stream.on('end', over).on('close', over).on('error', over)
  return {
    events: () => [...events],
    stories: () => containerStories(events),
    dead,
    arrival: (action) => arrivals.get(action) ?? null,
    lost: () => lost,
    until: (condition, ms) =>
      new Promise((resolve) => {
        const done = (held: boolean): void => {
          clearTimeout(timer)
          waiting.delete(check)
          resolve(held)
        }
        const check = (): void => {
          if (condition()) done(true)
          else if (lost) done(false)
        }
        const timer = setTimeout(() => done(condition()), ms)
        waiting.add(check)
        check()
      }),
    close: async () => {
      closed = true
      ending.abort()
      await Promise.all(inspections)
    },
  }
}

/** Removes the containers of one replay, whatever they are doing. Fulfilled with the ids that it removed; all are gone then. */
export async function removeReplay(transport: Transport, id: string): Promise<string[]> {
  const found = await call(transport, (docker) => docker.listContainers({ all: true, filters: { label: [`${replayLabel}=${id}`] } }))
  const ids = found.filter((c) => c.Labels[replayLabel] === id).map((c) => c.Id)
  for (const container of ids) await removeContainer(transport, container)
  return ids
}

async function removeContainer(transport: Transport, id: string): Promise<void> {
  const until = Date.now() + callMs
  for (;;) {
    try {
      await call(transport, (docker) => docker.getContainer(id).remove({ force: true, v: true }))
      return
    } catch (error) {
      if (isStatus(error, 404)) return
      // 409: "removal of container … is already in progress"; 500 while it is just being started or stopped.
      if (!isStatus(error, 409, 500) || Date.now() > until) throw error
    }
    await new Promise((done) => setTimeout(done, 100))
  }
}

/** Removes what a doctor left that did not come to its end: our labels, from this machine, whose process is certainly gone. */
export async function sweepReplays(transport: Transport, own: ReplayOwner): Promise<Sweep> {
  const found = await call(transport, (docker) => docker.listContainers({ all: true, filters: { label: [replayLabel, ownerLabel] } }))
  const result: Sweep = { removed: [], failed: [] }
  for (const container of found) {
    if (container.Labels[replayLabel] === undefined || (await ownerState(container.Labels, own)) !== 'gone') continue
    try {
      await removeContainer(transport, container.Id)
      result.removed.push(container.Id)
    } catch (error) {
      result.failed.push(
        `A container that an earlier replay left (${container.Id.slice(0, 12)}) could not be removed: ${classifyEngineError(error).message}`,
      )
    }
  }
  return result
}
