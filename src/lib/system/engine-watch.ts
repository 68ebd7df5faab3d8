/**
 * The engine's events as they happen, for as long as somebody watches. A stream that breaks is opened again from where it
 * broke; what the engine has forgotten by then (it was restarted) is lost, which is why a break is told.
 */
import type { ResolvedEndpoint } from './docker-endpoint.ts'
import { createTransport, type Transport } from './docker-transport.ts'
import { callLimit, classifyEngineError, engineFailure } from './engine-error.ts'
import { jsonValues } from './docker.ts'
import { notObserved, type EngineWatch, type EngineWatchListener, type Observed, type SourceError } from './system.ts'

export interface EngineWatchOptions {
  endpoint(): Promise<ResolvedEndpoint>
  /** For `ssh` to the engine. */
  env(): Promise<Record<string, string | undefined>>
  /** For one call; default 10000. */
  limitMs?: number
  /** How long a broken stream is tried again; default 60000. */
  retryMs?: number
}

/** Of one event; an engine's own are far below. */
const largestEvent = 1024 * 1024
/** What a second opening sends again is known by these. */
const recentKept = 1024

/** One event among all: an engine repeats none within a nanosecond. */
export function eventKey(value: unknown): string {
  const { timeNano, time, Type, Action, Actor } = value as Record<string, unknown>
  const id = (Actor as { ID?: unknown } | undefined)?.ID
  return [timeNano ?? time, Type, Action, id].map(String).join(' ')
}

/** Listens when it is fulfilled; its errors are `EngineError`s. */
export async function watchEngine(options: EngineWatchOptions, listener: EngineWatchListener): Promise<Observed<EngineWatch>> {
  const limitMs = options.limitMs ?? 10_000
  const retryMs = options.retryMs ?? 60_000
  const closing = new AbortController()
  const recent = new Set<string>()
  let transport: Transport
  let host: string | undefined
  let since: string

  const receive = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const key = eventKey(value)
    if (recent.has(key)) return
    recent.add(key)
    for (const oldest of recent) {
      if (recent.size <= recentKept) break
      recent.delete(oldest)
    }
    // Whole seconds: JSON numbers are not exact to the nanosecond.
    const { time } = value as { time?: unknown }
    if (typeof time === 'number' && time > Number(since)) since = String(time)
    listener.event(value)
  }

  /** Fulfilled when the engine listens; `ended` when the stream is over, for whatever reason. */
  const open = async (from: string | null): Promise<{ ended: Promise<void> }> => {
    const ending = new AbortController()
    const signal = AbortSignal.any([closing.signal, ending.signal])
    const limit = setTimeout(() => ending.abort(engineFailure('timed-out', 'The engine did not open its events.')), limitMs)
    let stream: NodeJS.ReadableStream
    try {
      const docker = await transport.client(signal)
      stream = await docker.getEvents(from === null ? {} : { since: Number(from) })
    } finally {
      clearTimeout(limit)
    }
    let pending = ''
    stream.setEncoding('utf8')
    const ended = new Promise<void>((resolve) => {
      const over = (): void => resolve()
      stream.on('end', over).on('close', over).on('error', over)
      stream.on('data', (text: string) => {
        pending += text
        let values: unknown[]
        try {
          values = jsonValues(pending)
        } catch {
          // Its end is still to come, unless it is no event at all.
          if (pending.length > largestEvent) {
            pending = ''
            ending.abort(engineFailure('not-docker', 'The engine sent what is no event.'))
          }
          return
        }
        pending = ''
        values.forEach(receive)
      })
    })
    return { ended }
  }

  /** Null: closed. */
  const again = async (): Promise<{ ended: Promise<void> } | SourceError | null> => {
    const until = Date.now() + retryMs
    for (let pause = 500; ; pause = Math.min(pause * 2, 5000)) {
      await wait(pause, closing.signal)
      if (closing.signal.aborted) return null
      try {
        return await open(since)
      } catch (error) {
        if (Date.now() > until) return classifyEngineError(error, host)
      }
    }
  }

  let first: { ended: Promise<void> }
  try {
    const endpoint = await options.endpoint()
    if (endpoint.problem !== null) throw engineFailure('misconfigured', endpoint.problem)
    host = endpoint.host ?? undefined
    transport = createTransport(endpoint, await options.env())
    const limit = callLimit(limitMs)
    await (await transport.client(limit)).version()
    const skew = transport.skewMs() ?? 0
    since = String((Date.now() + (Math.abs(skew) < 2000 ? 0 : skew)) / 1000)
    first = await open(null)
  } catch (error) {
    return { ok: false, error: classifyEngineError(error, host) }
  }

  const follow = async (): Promise<SourceError | null> => {
    let stream = first
    for (;;) {
      await stream.ended
      if (closing.signal.aborted) return null
      const from = new Date(Number(since) * 1000)
      listener.broken(from)
      const next = await again()
      if (next === null || !('ended' in next)) return next
      listener.mended(from)
      stream = next
    }
  }
  const over = follow()
  return {
    ok: true,
    value: {
      over,
      inspect: async (id) => {
        try {
          const docker = await transport.client(AbortSignal.any([closing.signal, callLimit(limitMs)]))
          return { ok: true, value: await docker.getContainer(id).inspect() }
        } catch (error) {
          if (closing.signal.aborted) return notObserved('failed', 'The watch ended before the engine had answered.')
          return { ok: false, error: classifyEngineError(error, host) }
        }
      },
      close: async () => {
        closing.abort(engineFailure('failed', 'The watch was closed.'))
        await over
        transport.close()
      },
    },
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
