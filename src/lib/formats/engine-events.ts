/**
 * The engine's event stream, turned into one story per container. It survives the container:
 * with `--rm` it is the only place that still has the exit code. The engine keeps the last 256
 * events in memory, for all containers together, and loses them at a restart.
 */

export interface EngineEvent {
  type: string
  action: string
  id: string
  attributes: Record<string, string>
  at: Date
}

export interface ContainerStory {
  id: string
  name: string
  image: string
  labels: Record<string, string>
  createdAt: Date | null
  startedAt: Date | null
  diedAt: Date | null
  destroyedAt: Date | null
  /** The exit code of `die`; null: no such event was kept. */
  exitCode: number | null
  oom: boolean
  paused: boolean
  /** Signals in order, e.g. 15 then 9. */
  signals: { signal: number; at: Date }[]
  events: EngineEvent[]
  /** True when the first event kept is not the creation: older ones are gone. */
  beginningLost: boolean
}

export interface EventHistory {
  events: EngineEvent[]
  stories: ContainerStory[]
  /** The engine's memory was full, so that older events are gone. */
  full: boolean
  oldest: Date | null
}

/** How many events an engine keeps (moby, `eventsLimit`). */
export const eventsKept = 256

/** Containers that this program started itself, to read an image or to replay: they say nothing about MCPProxy's. */
export const isOwn = (labels: Readonly<Record<string, string>>): boolean =>
  labels['mcpproxy-doctor.replay'] !== undefined || labels['io.mcpproxy-doctor.role'] !== undefined

export function parseEvent(value: unknown): EngineEvent | null {
  if (typeof value !== 'object' || value === null) return null
  const v = value as Record<string, unknown>
  const actor = (typeof v['Actor'] === 'object' && v['Actor'] !== null ? v['Actor'] : {}) as Record<string, unknown>
  const attributes: Record<string, string> = {}
  if (typeof actor['Attributes'] === 'object' && actor['Attributes'] !== null) {
    for (const [key, item] of Object.entries(actor['Attributes'])) attributes[key] = String(item)
  }
  const nano = Number(v['timeNano'])
  const seconds = Number(v['time'])
  const ms = nano > 0 ? nano / 1e6 : seconds * 1000
  if (typeof v['Type'] !== 'string' || typeof v['Action'] !== 'string' || !Number.isFinite(ms)) return null
  return { type: v['Type'], action: v['Action'], id: typeof actor['ID'] === 'string' ? actor['ID'] : '', attributes, at: new Date(ms) }
}

export function readHistory(values: unknown[]): EventHistory {
  const events = values.map(parseEvent).filter((e): e is EngineEvent => e !== null && !isOwn(e.attributes))
  return { events, stories: containerStories(events), full: values.length >= eventsKept, oldest: events[0]?.at ?? null }
}

export function containerStories(events: EngineEvent[]): ContainerStory[] {
  const stories = new Map<string, ContainerStory>()
  for (const event of events) {
    if (event.type !== 'container') continue
    let story = stories.get(event.id)
    if (!story) {
      story = {
        id: event.id,
        name: event.attributes['name'] ?? '',
        image: event.attributes['image'] ?? '',
        labels: {},
        createdAt: null,
        startedAt: null,
        diedAt: null,
        destroyedAt: null,
        exitCode: null,
        oom: false,
        paused: false,
        signals: [],
        events: [],
        beginningLost: event.action !== 'create',
      }
      stories.set(event.id, story)
    }
    for (const [key, value] of Object.entries(event.attributes)) {
      if (!['name', 'image', 'exitCode', 'signal', 'execDuration', 'execID'].includes(key)) story.labels[key] = value
    }
    story.events.push(event)
    if (event.action === 'create') story.createdAt = event.at
    else if (event.action === 'start') story.startedAt = event.at
    else if (event.action === 'oom') story.oom = true
    else if (event.action === 'pause') story.paused = true
    else if (event.action === 'unpause') story.paused = false
    else if (event.action === 'destroy') story.destroyedAt = event.at
    else if (event.action === 'kill') story.signals.push({ signal: Number(event.attributes['signal']), at: event.at })
    else if (event.action === 'die') {
      story.diedAt = event.at
      const code = Number(event.attributes['exitCode'])
      story.exitCode = event.attributes['exitCode'] !== undefined && Number.isInteger(code) ? code : null
    }
  }
  return [...stories.values()]
}

/** Created, gone, and never started: the engine refused to run it (its beginning is known). */
export const neverStarted = (s: ContainerStory): boolean => !s.beginningLost && s.startedAt === null && s.destroyedAt !== null

/** One line for people: `created, started, oom, died with 137 after 1.2 s`. */
export function tellStory(s: ContainerStory): string {
  const parts: string[] = []
  if (s.createdAt) parts.push('created')
  if (s.startedAt) parts.push('started')
  if (s.oom) parts.push('out of memory')
  for (const { signal } of s.signals) parts.push(`signal ${signal}`)
  if (s.diedAt) {
    const lived = s.startedAt ? ` after ${((s.diedAt.getTime() - s.startedAt.getTime()) / 1000).toFixed(1)} s` : ''
    parts.push(`exit code ${s.exitCode ?? 'unknown'}${lived}`)
  } else if (neverStarted(s)) parts.push('never started')
  if (s.destroyedAt) parts.push('removed')
  return parts.join(', ')
}
