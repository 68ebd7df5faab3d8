/**
 * Starts of servers as a capture holds them (`replays.json`): what was started, and all that the start showed. What follows from
 * that is worked out again by whoever reads it, so that nothing stands in it twice, once with and once without its secrets.
 */
import { containerStories, type EngineEvent } from '../formats/engine-events.ts'
import { bool, number, object, text, texts, type Loose } from '../formats/loose.ts'
import type { ByteRecord } from './byte-record.ts'
import type { Run } from './replay-run.ts'
import type { ForeignLine, Transcript } from './stdio-client.ts'

export interface RecordedStart {
  /** `as configured`, or the title of the change that was tried. */
  what: string
  changes: { what: string; why: string }[]
  /** Why nothing was started, one sentence; null: something was, or it was tried. */
  notStarted: string | null
  /** It was started all the same, and ended by us before it said anything. */
  begun?: true
  /** What the registry said of an image that is not here; null: it was not asked. */
  registry: { ok: true } | { ok: false; answered: boolean; message: string } | null
  /** Milliseconds that the answer took. */
  registryMs: number | null
  run: Run | null
}

export interface RecordedReplays {
  /** Changes that loosen something and were allowed. */
  allow: string[]
  /** Names of variables whose values were known for `${env:NAME}`. */
  variables: string[]
  /** A server that is in it and has no starts was to be started and could not be. */
  servers: { server: string; starts: RecordedStart[] }[]
}

/** A stream of bytes as text; `omitted` bytes between `text` and `end`. */
interface RecordedBytes {
  encoding: 'utf8' | 'latin1'
  text: string
  omitted?: number
  end?: string
}

/** The value of `replays.json`. */
export function replaysJson(replays: RecordedReplays): unknown {
  return {
    allow: replays.allow,
    variables: replays.variables,
    servers: replays.servers.map(({ server, starts }) => ({
      server,
      starts: starts.map(({ run, ...start }) => ({ ...start, run: run && runJson(run) })),
    })),
  }
}

function runJson(run: Run): unknown {
  return {
    ...run,
    startedAt: run.startedAt.toISOString(),
    transcript: run.transcript && transcriptJson(run.transcript),
    container: run.container && containerJson(run.container),
  }
}

/** Its story is told by its events. */
const containerJson = ({ story, ...container }: NonNullable<Run['container']>): unknown => ({ ...container, events: story.events })

function transcriptJson(transcript: Transcript): unknown {
  const { first } = transcript.foreign
  // Its bytes as digits are there only where its text cannot tell them.
  const plain = first !== null && Buffer.from(first.text).subarray(0, 64).toString('hex') === first.hex
  return {
    ...transcript,
    stdout: bytesJson(transcript.stdout),
    stderr: bytesJson(transcript.stderr),
    sent: bytesJson(transcript.sent),
    foreign: { ...transcript.foreign, first: first && { ...first, hex: plain ? null : first.hex } },
  }
}

function bytesJson({ total, head, tail }: ByteRecord): RecordedBytes {
  const omitted = total - head.length - tail.length
  const parts = omitted > 0 ? [head, tail] : [Buffer.concat([head, tail])]
  const encoding = parts.every((part) => Buffer.from(part.toString('utf8')).equals(part)) ? 'utf8' : 'latin1'
  const [first = '', end] = parts.map((part) => part.toString(encoding))
  return { encoding, text: first, ...(end === undefined ? {} : { omitted, end }) }
}

/** Null: no such record. What is missing in it counts as not seen. */
export function recordedReplays(value: unknown): RecordedReplays | null {
  const v = object(value)
  if (!Array.isArray(v['servers'])) return null
  return {
    allow: texts(v['allow']),
    variables: texts(v['variables']),
    servers: list(v['servers']).map((s) => ({ server: text(s['server']) ?? '', starts: list(s['starts']).map(startOf) })),
  }
}

const list = (value: unknown): Loose[] => (Array.isArray(value) ? value.map(object) : [])
const changesOf = (value: unknown): { what: string; why: string }[] =>
  list(value).map((c) => ({ what: text(c['what']) ?? '', why: text(c['why']) ?? '' }))

function startOf(v: Loose): RecordedStart {
  const registry = v['registry'] == null ? null : object(v['registry'])
  return {
    what: text(v['what']) ?? '',
    changes: changesOf(v['changes']),
    notStarted: text(v['notStarted']),
    ...(v['begun'] === true ? { begun: true } : {}),
    registry:
      registry &&
      (registry['ok'] === true
        ? { ok: true }
        : { ok: false, answered: registry['answered'] === true, message: text(registry['message']) ?? 'no reason was given' }),
    registryMs: number(v['registryMs']),
    run: v['run'] == null ? null : runOf(object(v['run'])),
  }
}

const oneOf = <T extends string>(value: unknown, known: readonly T[], otherwise: T): T => known.find((k) => k === value) ?? otherwise
const orNull = <T extends string>(value: unknown, known: readonly T[]): T | null => known.find((k) => k === value) ?? null
const date = (value: unknown): Date | null => {
  const at = new Date(text(value) ?? '')
  return Number.isNaN(at.getTime()) ? null : at
}

function runOf(v: Loose): Run {
  const plan = object(v['plan'])
  const times = object(v['times'])
  const transcript = v['transcript'] == null ? null : transcriptOf(object(v['transcript']))
  const container = v['container'] == null ? null : containerOf(object(v['container']))
  return {
    id: text(v['id']) ?? '',
    // An outcome that is not known here says nothing of the server.
    outcome: oneOf(v['outcome'], ['works', 'refused', 'exited', 'no-answer', 'protocol-broken', 'ended-by-other', 'not-run'], 'not-run'),
    reason: text(v['reason']),
    notRun: orNull(v['notRun'], ['no-engine', 'image-missing', 'refused-by-plan', 'no-program', 'failed']),
    plan: {
      kind: oneOf(plan['kind'], ['docker', 'host'], 'docker'),
      argv: texts(plan['argv']),
      command: text(plan['command']) ?? '',
      name: text(plan['name']),
      image: text(plan['image']),
      changes: changesOf(plan['changes']),
    },
    via: oneOf(v['via'], ['docker', 'api', 'host'], 'docker'),
    transcript,
    exitCode: number(v['exitCode']),
    exitSignal: text(v['exitSignal']),
    endedBy: text(v['endedBy']) as Run['endedBy'],
    container,
    startedAt: date(v['startedAt']) ?? new Date(0),
    times: {
      created: number(times['created']),
      started: number(times['started']),
      firstByte: number(times['firstByte']),
      initialize: number(times['initialize']),
      tools: number(times['tools']),
      died: number(times['died']),
      end: number(times['end']) ?? 0,
    },
    leftover: text(v['leftover']),
    sweepFailed: texts(v['sweepFailed']),
  }
}

function transcriptOf(v: Loose): Transcript {
  const times = object(v['times'])
  const info = object(v['serverInfo'])
  const pages = object(v['pages'])
  const foreign = object(v['foreign'])
  const stray = object(v['stray'])
  const name = text(info['name'])
  return {
    outcome: oneOf(v['outcome'], ['works', 'no-answer', 'ended', 'refused', 'flood', 'cancelled'], 'cancelled'),
    during: oneOf(v['during'], ['initialize', 'tools/list', 'settle'], 'initialize'),
    problem: text(v['problem']),
    times: {
      firstByte: number(times['firstByte']),
      initialize: number(times['initialize']),
      tools: number(times['tools']),
      end: number(times['end']) ?? 0,
    },
    protocolVersion: text(v['protocolVersion']),
    serverInfo: name === null ? null : { name, version: text(info['version']) },
    tools: number(v['tools']),
    pages: { read: number(pages['read']) ?? 0, more: pages['more'] === true },
    stdout: bytesOf(object(v['stdout'])),
    stderr: bytesOf(object(v['stderr'])),
    sent: bytesOf(object(v['sent'])),
    foreign: {
      first: foreign['first'] == null ? null : foreignOf(object(foreign['first'])),
      count: number(foreign['count']) ?? 0,
      crlf: number(foreign['crlf']) ?? 0,
    },
    messages: number(v['messages']) ?? 0,
    stray: { ids: texts(stray['ids']), count: number(stray['count']) ?? 0 },
    refusedRequests: texts(v['refusedRequests']),
  }
}

function foreignOf(v: Loose): ForeignLine {
  const line = text(v['text']) ?? ''
  return {
    kind: (text(v['kind']) ?? 'text') as ForeignLine['kind'],
    offset: number(v['offset']) ?? 0,
    length: number(v['length']) ?? 0,
    hex: text(v['hex']) ?? Buffer.from(line).subarray(0, 64).toString('hex'),
    text: line,
    atMs: number(v['atMs']) ?? 0,
  }
}

function bytesOf(v: Loose): ByteRecord {
  const encoding = v['encoding'] === 'latin1' ? 'latin1' : 'utf8'
  const head = Buffer.from(text(v['text']) ?? '', encoding)
  const tail = Buffer.from(text(v['end']) ?? '', encoding)
  return { total: head.length + tail.length + (number(v['omitted']) ?? 0), head, tail }
}

function containerOf(v: Loose): Run['container'] {
  const events = list(v['events']).flatMap((e): EngineEvent[] => {
    const at = date(e['at'])
    const attributes = Object.entries(object(e['attributes'])).map(([key, item]): [string, string] => [key, String(item)])
    return at === null
      ? []
      : [
          {
            type: text(e['type']) ?? '',
            action: text(e['action']) ?? '',
            id: text(e['id']) ?? '',
            attributes: Object.fromEntries(attributes),
            at,
          },
        ]
  })
  const id = text(v['id']) ?? ''
  const story = containerStories(events).find((s) => s.id === id)
  return story === undefined
    ? null
    : { exitCode: number(v['exitCode']), oomKilled: bool(v['oomKilled']), error: text(v['error']), id, story }
}
