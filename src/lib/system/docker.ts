/** The Docker engine. Frames, sockets, API versions and status codes end here; what comes out is its JSON, or why there is none. */
import os from 'node:os'
import { randomBytes } from 'node:crypto'
import type Docker from 'dockerode'
import { Stop } from '../stop.ts'
import { containerLines } from './container-log.ts'
import { publicEndpoint, type ResolvedEndpoint } from './docker-endpoint.ts'
import { createTransport, type Transport } from './docker-transport.ts'
import { classifyEngineError, engineFailure, isRestart, statusOf, type EngineError } from './engine-error.ts'
import { programPaths, searchPath } from './image-programs.ts'
import type { Engine, Observed } from './system.ts'

export interface EngineOptions {
  endpoint(): Promise<ResolvedEndpoint>
  /** Milliseconds since 1970 at which every call has ended. */
  deadline: number
  /** For one call; default 5000. */
  limitMs?: number
  /** For reading an image's programs, a transfer of up to the size of the image; default 30000. */
  exportLimitMs?: number
  /** For `ssh`; default: an empty one. */
  env?(): Promise<Record<string, string | undefined>>
  /** Of one JSON answer; default 64 MiB. */
  maxBytes?: number
  /** Whether a daemon that may just be restarting is asked once more; default: yes. */
  patient?: boolean
}

const largestEvents = 16 * 1024 * 1024
/** "OK". */
const largestPing = 64 * 1024
/** Of a container's log: docker keeps up to 300 MB of it, which nobody reads. */
const newestLines = 5000
const largestExport = 8 * 1024 ** 3
const retryAfterMs = 200
export const roleLabel = 'io.mcpproxy-doctor.role'
export const pidLabel = 'io.mcpproxy-doctor.pid'
const hostLabel = 'io.mcpproxy-doctor.host'
const programsRole = 'image-programs'

/** Errors of its answers are `EngineError`s. `close` waits until containers of ours are gone. */
export function createEngine(options: EngineOptions): Engine & { close(): Promise<void> } {
  const ending = new Stop()
  const cleanups = new Set<Promise<void>>()
  let resolved: Promise<ResolvedEndpoint> | null = null
  let transport: Promise<Transport> | null = null
  // A daemon that is really down is waited for once, not by every call.
  let retryHelps = options.patient ?? true
  const endpoint = (): Promise<ResolvedEndpoint> => (resolved ??= options.endpoint())
  const connect = (): Promise<Transport> =>
    (transport ??= endpoint().then(async (e) => {
      if (e.problem !== null) throw engineFailure('misconfigured', e.problem)
      return createTransport(e, (await options.env?.()) ?? {}, options.maxBytes)
    }))

  /** Runs a call within its limit. The promise settles even if nothing below ever does. */
  async function limited<T>(
    ms: number,
    outer: AbortSignal | null,
    work: (transport: Transport, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController()
    const { signal } = controller
    const cancel = (): void => controller.abort(engineFailure('failed', 'The call was cancelled.'))
    if (outer?.aborted === true) cancel()
    outer?.addEventListener('abort', cancel, { once: true })
    const timer = setTimeout(
      () =>
        controller.abort(
          engineFailure(
            'timed-out',
            ms > 0
              ? `The engine did not answer within ${(ms / 1000).toFixed(1)} s.`
              : 'The engine was not asked: the time was used up (--timeout).',
          ),
        ),
      Math.max(0, ms),
    )
    const aborted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason as Error)
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
    aborted.catch(() => {})
    try {
      const attempt = connect().then((transport) => work(transport, signal))
      return await Promise.race([attempt, aborted])
    } catch (error) {
      controller.abort(error)
      throw error
    } finally {
      clearTimeout(timer)
      outer?.removeEventListener('abort', cancel)
    }
  }

  const within = (ms: number): number => Math.min(ms, options.deadline - Date.now())
  const failed = async (error: unknown): Promise<{ ok: false; error: EngineError }> => {
    const host = await endpoint().then(
      (e) => e.host,
      () => null,
    )
    return { ok: false, error: classifyEngineError(error, host ?? undefined) }
  }

  /** A call that only looks, and may therefore be made twice. */
  async function ask<T>(work: (transport: Transport, signal: AbortSignal) => Promise<T>): Promise<Observed<T>> {
    const limit = options.limitMs ?? 5000
    try {
      return { ok: true, value: await limited(within(limit), ending.signal, work) }
    } catch (error) {
      if (!retryHelps || !isRestart(error) || ending.aborted) return failed(error)
    }
    await new Promise((done) => setTimeout(done, Math.max(0, within(retryAfterMs))))
    try {
      return { ok: true, value: await limited(within(limit), ending.signal, work) }
    } catch (error) {
      retryHelps = false
      return failed(error)
    }
  }

  const read = <T>(path: string, as: (answer: unknown) => T): Promise<Observed<T>> =>
    ask(async (transport, signal) => as(await transport.get(path, signal)))
  const look = async (reference: string, transport: Transport, signal: AbortSignal): Promise<unknown> => {
    // It becomes part of a URL: `..` or a `?` would ask something else.
    if (!/^[\w][\w.\-/:@+]*$/.test(reference) || /(^|\/)\.{1,2}(\/|$)/.test(reference))
      throw engineFailure('failed', 'This is not a reference that an engine could know.')
    return orNull(transport.get(`/images/${reference}/json`, signal))
  }

  // Whoever asks while somebody does gets the same answer.
  let asking: Promise<Observed<unknown>> | null = null
  const version = (): Promise<Observed<unknown>> => (asking ??= read('/version', object).finally(() => (asking = null)))

  // To tell its own version an engine starts two other programs, for theirs.
  let greeting: Promise<Observed<unknown>> | null = null
  const hello = (): Promise<Observed<unknown>> =>
    (greeting ??= (async () => {
      const answer = await ask((transport, signal): Promise<unknown> => transport.get('/_ping', signal, largestPing))
      // Something between that lets only some questions through.
      if (!answer.ok) return ['failed', 'denied'].includes(answer.error.kind) ? version() : answer
      const head = (await connect()).engineHead()
      if (head === null) return version()
      const { podman, version: Version, apiVersion: ApiVersion } = head
      return { ok: true as const, value: { Version, ApiVersion, Components: podman ? [{ Name: 'Podman Engine' }] : [] } }
    })().finally(() => (greeting = null)))

  return {
    endpoint: async () => publicEndpoint(await endpoint()),
    version,
    hello,
    info: () => read('/info', object),
    containers: () => read('/containers/json?all=true', list),
    images: () => read('/images/json', list),
    networks: () => read('/networks', list),
    image: (reference) => ask((...to) => look(reference, ...to)),
    inspect: (id) =>
      ask((transport, signal) => {
        if (!/^[\w][\w.-]*$/.test(id)) throw engineFailure('failed', 'This is not an id that an engine could know.')
        return orNull(transport.get(`/containers/${id}/json`, signal))
      }),
    logs: (id, since) =>
      ask(async (transport, signal) => {
        if (!/^[\w][\w.-]*$/.test(id)) throw engineFailure('failed', 'This is not an id that an engine could know.')
        const container = (await transport.client(signal)).getContainer(id)
        const { Config } = await container.inspect()
        const bytes = await container.logs({
          stdout: true,
          stderr: true,
          timestamps: true,
          tail: newestLines,
          since: since ?? 0,
          follow: false,
        })
        return containerLines(bytes, Config.Tty)
      }),
    events: async () => {
      // Sets the clock difference: with an `until` in its future (a virtual machine that slept) the engine would keep the stream open.
      const answer = await hello()
      if (!answer.ok) return answer
      return ask(async (transport, signal) => {
        const skew = transport.skewMs() ?? 0
        const until = Date.now() + (Math.abs(skew) < 2000 ? 0 : skew + 500)
        // Only with `until` does it end.
        return jsonValues((await transport.get(`/events?since=0&until=${until / 1000}`, signal, largestEvents)).toString('utf8'))
      })
    },
    programs: async (reference) => {
      const reading = readPrograms(reference)
      const settled = reading.then(
        () => {},
        () => {},
      )
      cleanups.add(settled)
      try {
        return { ok: true, value: await reading }
      } catch (error) {
        return await failed(error)
      } finally {
        cleanups.delete(settled)
      }
    },
    close: async () => {
      ending.abort()
      await Promise.all(cleanups)
      await transport?.then(
        (t) => t.close(),
        () => {},
      )
    },
  }

  async function readPrograms(reference: string): Promise<string[]> {
    const limit = options.limitMs ?? 5000
    const image = await limited(within(limit), ending.signal, (...to) => look(reference, ...to))
    if (image === null) throw engineFailure('failed', `The engine has no image ${reference}.`, 404)
    await limited(within(limit), ending.signal, async (transport, signal) => sweep(await transport.client(signal))).catch(() => {})
    const name = `doctor-programs-${randomBytes(6).toString('hex')}`
    let id: string | null = null
    try {
      // Once it is asked for, its answer is waited for also by close(): what is removed before the engine has made it comes up after that.
      if (ending.aborted) throw engineFailure('failed', 'The call was cancelled.')
      const container = await limited(within(limit), null, async (transport, signal) =>
        (await transport.client(signal)).createContainer(neverStarted(name, idOf(image) ?? reference)),
      )
      id = container.id
      const from = id
      return await limited(within(options.exportLimitMs ?? 30_000), ending.signal, async (transport, signal) => {
        const docker = await transport.client(signal)
        const stream = (await docker.getContainer(from).export()) as AsyncIterable<Buffer>
        return programPaths(stream, searchPath(image), largestExport)
      })
    } finally {
      // Also after the deadline and after close(): a container that stays is worse than a second more. When the answer
      // to its creation got lost, the random name is all there is; should it come up later, the next sweep takes it.
      const gone = id ?? name
      await limited(limit, null, async (transport, signal) => {
        await (await transport.client(signal)).getContainer(gone).remove({ force: true, v: true })
      }).catch(() => {})
    }
  }
}

/** Invisible to MCPProxy: no name or label of its own, no network, and it is never started. */
const neverStarted = (name: string, image: string): Docker.ContainerCreateOptions => ({
  name,
  Image: image,
  Cmd: ['true'],
  Labels: { [roleLabel]: programsRole, [pidLabel]: String(process.pid), [hostLabel]: os.hostname() },
  // A daemon whose default log driver has bad options would refuse the container (see the capture log-driver-journald).
  HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'none', Config: {} } },
})

/** Removes what a killed doctor left: our label, never started, of a process of this machine that is no more. */
async function sweep(docker: Docker): Promise<void> {
  const left = await docker.listContainers({
    all: true,
    filters: { label: [`${roleLabel}=${programsRole}`, `${hostLabel}=${os.hostname()}`], status: ['created'] },
  })
  for (const container of left) {
    const pid = Number(container.Labels[pidLabel])
    if (container.State !== 'created' || !Number.isSafeInteger(pid) || pid <= 0 || isAlive(pid)) continue
    await docker.getContainer(container.Id).remove({ v: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

async function orNull(asked: Promise<unknown>): Promise<unknown> {
  try {
    return object(await asked)
  } catch (error) {
    // Only an engine's own 404: that of another server is `not-docker`.
    if (statusOf(error) === 404 && classifyEngineError(error).why === 'failed') return null
    throw error
  }
}

const idOf = (image: unknown): string | null =>
  typeof image === 'object' && image !== null && 'Id' in image && typeof image.Id === 'string' ? image.Id : null

function object(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw engineFailure('not-docker', 'What answers there speaks HTTP, but not as a Docker engine (no object).')
  return value
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw engineFailure('not-docker', 'What answers there speaks HTTP, but not as a Docker engine (no list).')
  return value as unknown[]
}

/** Objects one behind another, with or without line ends between them (podman and old engines leave them out). */
export function jsonValues(text: string): unknown[] {
  try {
    const values = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown)
    if (values.every((value) => typeof value === 'object' && value !== null)) return values
  } catch {
    // Several in a line, or one in several: brackets are counted.
  }
  const values: unknown[] = []
  let start = -1
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (quoted) {
      if (c === 0x5c) i++
      else if (c === 0x22) quoted = false
    } else if (c === 0x22 && depth > 0) quoted = true
    else if (c === 0x7b || c === 0x5b) {
      if (depth++ === 0) start = i
    } else if (c === 0x7d || c === 0x5d) {
      if (--depth < 0) break
      if (depth > 0) continue
      try {
        values.push(JSON.parse(text.slice(start, i + 1)))
      } catch {
        throw engineFailure('not-docker', 'The engine sent events that are not JSON.')
      }
      start = -1
    } else if (depth === 0 && c > 0x20) throw engineFailure('not-docker', 'The engine sent events that are not JSON.')
  }
  if (depth !== 0) throw engineFailure('failed', 'The list of events ended in the middle of one.')
  return values
}
