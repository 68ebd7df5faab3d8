/**
 * Waits for the next failure with open eyes: the events of MCPProxy's containers and the inspect of each that dies, kept
 * before `--rm` and the engine's short memory take them; then a capture as `bundle` makes it.
 */
import { configFor } from '../evidence/collect-config.ts'
import { sameImage, serverLabel } from '../evidence/collect-engine.ts'
import { collectShared, versionOf, type Shared } from '../evidence/collect.ts'
import { flagsNamed } from '../formats/docker-run.ts'
import { isOwn, parseEvent, type EngineEvent } from '../formats/engine-events.ts'
import type { Happening } from '../report/watch-text.ts'
import { eventKey } from '../system/engine-watch.ts'
import { notObserved, observed, type Observed, type SourceError, type System } from '../system/system.ts'
import { record, redacted, type Bundle, type BundleOptions } from './bundle.ts'
import { knownServers, requireServer } from './servers.ts'

/** How much is kept: of a capture more than 16 MiB of events would be left out. */
const bounds = { events: 5000, bytes: 8 * 1024 * 1024, containers: 1000, inspects: 200 }
/** MCPProxy writes about a death after it, and --rm removes the container then. */
const settleMs = 1500

/** What was seen so far; it outlives an interrupted watch. */
export interface Watched {
  /** The engine's JSON, oldest first. */
  events: unknown[]
  /** How many of the oldest were dropped. */
  dropped: number
  /** By the id of the container. */
  inspects: Map<string, Observed<unknown>>
  /** Servers of which something was seen, and those that failed. */
  seen: Set<string>
  failed: Set<string>
  /** When the engine began to be listened to; null: not yet. */
  since: Date | null
  /** Inspects that are under way. */
  looking: Set<Promise<void>>
}

export const nothingWatched = (): Watched => ({
  events: [],
  dropped: 0,
  inspects: new Map(),
  seen: new Set(),
  failed: new Set(),
  since: null,
  looking: new Set(),
})

export interface WatchOptions {
  /** None: all. */
  servers: string[]
  /** Go on after a failure. */
  keepGoing: boolean
  timeoutMs: number
  say(happening: Happening): void
  /** What concerns the watch itself. */
  note(text: string): void
}

/** Fulfilled with null when a server failed, else with why the engine cannot be watched. Fills `watched` as things happen. */
export async function watch(system: System, watched: Watched, options: WatchOptions): Promise<SourceError | null> {
  if (!system.watchEngine) return notObserved('not-recorded', 'A capture is of one moment: there is nothing to watch in it.').error
  const shared = await collectShared(system, Date.now() + options.timeoutMs)
  for (const name of options.servers) requireServer(shared, name)
  const serverOf = owners(shared, options.servers)
  const judge = createJudge()
  const keep = createKeeper(watched)
  let fail: (nothing: null) => void = () => undefined
  const failure = new Promise<null>((resolve) => (fail = resolve))
  const started = new Map<string, Observed<unknown>>()
  const inspect = (id: string, into: Map<string, Observed<unknown>>): void => {
    const looking = (async (): Promise<void> => {
      const listening = await opening
      if (!listening.ok) return
      const seen = await listening.value.inspect(id)
      into.set(id, seen.ok || into === started ? seen : (withoutState(started.get(id)) ?? seen))
      shorten(into, bounds.inspects)
    })()
    watched.looking.add(looking)
    void looking.finally(() => watched.looking.delete(looking))
  }
  const opening = system.watchEngine({
    event: (value) => {
      const event = parseEvent(value)
      // A health check is an exec every few seconds.
      if (event === null || isOwn(event.attributes) || event.action.startsWith('exec_')) return
      const server = event.type === 'container' ? serverOf(event) : null
      if (event.type === 'container' && server === null) return
      if (server !== null && event.action === 'start') inspect(event.id, started)
      // Before --rm takes the container: the engine removes it right after this event.
      if (server !== null && event.action === 'die') inspect(event.id, watched.inspects)
      if (keep(value)) options.note(`More than ${bounds.events} events: from now on the oldest are dropped.`)
      if (server === null) return
      watched.seen.add(server)
      const happening = judge(event, server)
      if (happening === null) return
      options.say(happening)
      if (!happening.failed) return
      watched.failed.add(server)
      if (!options.keepGoing) fail(null)
    },
    broken: (since) => options.note(`The engine's events broke off; they are asked for again from ${since.toISOString()} on.`),
    mended: () =>
      options.note('The engine is listened to again. If it was restarted, it has forgotten what happened before that: it may be missing.'),
  })
  const answer = await opening
  if (!answer.ok) return answer.error
  watched.since = new Date()
  options.note(`Watching the containers of ${options.servers.join(', ') || 'all servers'} until one fails; Ctrl-C ends it.`)
  const lost = answer.value.over.then((error) => error ?? notObserved('failed', 'The watch was closed.').error)
  const end = await Promise.race([failure, lost])
  if (end === null) await new Promise((resolve) => setTimeout(resolve, settleMs))
  await Promise.all(watched.looking)
  return end
}

/** What --rm was quicker than: the container as it was started. How it ended, only the event tells. */
const withoutState = (inspect: Observed<unknown> | undefined): Observed<unknown> | null =>
  inspect?.ok === true ? observed({ ...(inspect.value as object), State: null }) : null

/** The oldest go. */
function shorten(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}

/** The server whose container an event is about; null: none that is watched. */
function owners(shared: Shared, servers: readonly string[]): (event: EngineEvent) => string | null {
  const names = servers.length > 0 ? servers : knownServers(shared)
  const { config } = shared
  const { value: version } = versionOf(shared, notObserved('failed', 'not asked for'))
  const own = names.flatMap((server) => {
    const expected = config.ok ? configFor(config.value, server, version).expected : null
    if (expected?.kind !== 'own' || expected.run.image === null) return []
    return [{ server, image: expected.run.image, name: flagsNamed(expected.run, 'name').at(-1)?.value ?? null }]
  })
  return ({ attributes }) => {
    const labelled = attributes[serverLabel]
    // Without names also those that came into the configuration meanwhile.
    if (labelled !== undefined) return servers.length === 0 || servers.includes(labelled) ? labelled : null
    if (attributes['com.mcpproxy.managed'] !== undefined) return null
    const image = attributes['image'] ?? ''
    return own.find((o) => sameImage(image, o.image) && (o.name === null || o.name === attributes['name']))?.server ?? null
  }
}

/**
 * Tells a failure from a stop. `docker stop` and `docker kill`, which MCPProxy ends its containers with, send a signal through
 * the engine, which has an event; a process that ends by itself has none. The engine does not say who sent it.
 */
function createJudge(): (event: EngineEvent, server: string) => Happening | null {
  const containers = new Map<string, { signals: number[]; oom: boolean }>()
  return (event, server) => {
    const { id, action, attributes } = event
    const known = containers.get(id) ?? { signals: [], oom: false }
    containers.delete(id)
    if (action !== 'destroy') containers.set(id, known)
    shorten(containers, bounds.containers)
    const tell = (what: Happening['what'], more: Partial<Happening> = {}): Happening => ({
      at: event.at.toISOString(),
      server,
      id,
      container: attributes['name'] ?? '',
      image: attributes['image'] ?? '',
      what,
      signal: null,
      exitCode: null,
      failed: false,
      ...more,
    })
    if (action === 'create') return tell('created')
    if (action === 'start') {
      // A restart policy starts the same container anew.
      containers.set(id, { signals: [], oom: false })
      return tell('started')
    }
    if (action === 'destroy') return tell('removed')
    if (action === 'oom') {
      known.oom = true
      return tell('oom')
    }
    if (action === 'kill') {
      const signal = Number(attributes['signal'])
      known.signals = [...known.signals.slice(-9), signal]
      return tell('signal', { signal: Number.isInteger(signal) ? signal : null })
    }
    if (action !== 'die') return null
    const code = Number(attributes['exitCode'])
    const exitCode = attributes['exitCode'] !== undefined && Number.isInteger(code) ? code : null
    return tell('died', { exitCode, failed: known.oom || !asked(exitCode, known.signals) })
  }
}

/** A signal came first, and the code is what follows from it: none, or 128 and the signal. */
const asked = (exitCode: number | null, signals: readonly number[]): boolean =>
  signals.length > 0 && (exitCode === null || exitCode === 0 || signals.some((s) => exitCode === 128 + s))

/** Keeps an event; true: the first time that one had to go for it. */
function createKeeper(watched: Watched): (value: unknown) => boolean {
  const sizes: number[] = []
  let bytes = 0
  return (value) => {
    const before = watched.dropped
    const size = JSON.stringify(value).length
    watched.events.push(value)
    sizes.push(size)
    bytes += size
    while (watched.events.length > bounds.events || (bytes > bounds.bytes && watched.events.length > 1)) {
      watched.events.shift()
      bytes -= sizes.shift() ?? 0
      watched.dropped++
    }
    return before === 0 && watched.dropped > 0
  }
}

/** The capture: what `bundle` sees now, with all that was seen since the watch began. */
export async function watchedBundle(system: System, watched: Watched, servers: readonly string[], options: BundleOptions): Promise<Bundle> {
  options.progress?.('looking at what is left')
  // Another MCPProxy's servers are seen too, but nothing else is known of them.
  const known = knownServers(await collectShared(system, Date.now() + options.timeoutMs))
  const named = (servers.length > 0 ? servers : [...(watched.failed.size > 0 ? watched.failed : watched.seen)]).filter((s) =>
    known.includes(s),
  )
  const engine = {
    ...system.engine,
    events: async (): Promise<Observed<unknown[]>> => {
      const answer = await system.engine.events()
      return answer.ok || watched.events.length > 0 ? observed(merged(watched.events, answer.ok ? answer.value : [])) : answer
    },
  }
  const { content, report } = await record({ ...system, engine }, { ...options, servers: named, all: named.length === 0 })
  const dead = [...watched.inspects].map(([id, answer]) => ({ id, answer }))
  content.inspects = [...dead, ...content.inspects.filter(({ id }) => !watched.inspects.has(id))]
  options.progress?.('taking the secrets out')
  return { ...redacted(content, options), report }
}

/** Both, each event once, by time. */
function merged(seen: readonly unknown[], now: readonly unknown[]): unknown[] {
  const all = new Map([...now, ...seen].map((value) => [eventKey(value), value]))
  const time = (value: unknown): number => parseEvent(value)?.at.getTime() ?? 0
  return [...all.values()].sort((a, b) => time(a) - time(b))
}
