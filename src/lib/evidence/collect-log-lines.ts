/** Lines of logs as they are written, filtered on bytes, from the oldest file of a log to its newest. */
import { createAnyCase, createLineFinder, type LineFinder } from '../formats/byte-search.ts'
import { createServerTest, levelRank, lineTime, type LineTime } from '../formats/log-bytes.ts'
import { field, parseLogLine, serverOf } from '../formats/log-line.ts'
import type { Moment } from '../formats/log-moment.ts'
import { linesBackward } from '../system/log-reader.ts'
import { blocksForward, blocksOf, linesIn, type Block } from '../system/log-stream.ts'
import { observed, type Files, type Observed, type OpenFile } from '../system/system.ts'

export interface LineFilter {
  /** Only lines about this server. */
  server: string | null
  /** Rank of the least level (`rankOf`). */
  level: number | null
  /** Lines that hold it, in any case. */
  grep: string | null
  since: Moment | null
  until: Moment | null
}

/** Lines that were found, in the order of the log. Good until the next ones are asked for. */
export interface Batch {
  bytes: Buffer
  count: number
  starts: number[]
  stops: number[]
  times: number[]
}

export interface LogSource {
  /** What it is called beside its lines, e.g. `main`. */
  name: string
  batches: AsyncIterable<Batch>
}

const carriageReturn = 0x0d
/** Clocks are set back now and then, and a name of a file is not written by the clock of its lines. */
const slack = 3_600_000

const reached = (time: LineTime, moment: Moment): boolean => (moment.wall ? time.ms + time.offset * 60_000 : time.ms) >= moment.ms

/** Of a moment without a zone nobody knows it exactly; zones reach 14 hours in both directions. */
const roughly = (moment: Moment): number => moment.ms - (moment.wall ? 14 * 3_600_000 : 0)

export interface LineReader {
  /** The wanted lines of a block; null: none. */
  batch(block: Block): Batch | null
  /** Whether a line by itself is wanted; a line without a time of its own is taken to be of the time of the one before. */
  wants(line: Buffer, previous: LineTime | null): boolean
}

/**
 * `sample`: a piece of the log. `ofOne`: all lines are of the server, unless they say something else. `timed`: false where nothing is asked of
 * times, so that they need not be read.
 */
export function createLineReader(filter: LineFilter, sample: Buffer, ofOne: boolean, timed = true): LineReader {
  const isTimed = timed || filter.since !== null || filter.until !== null || filter.level !== null
  const { since, until, level } = filter
  const text = filter.grep === null ? null : createAnyCase(filter.grep, sample)
  const about = filter.server === null ? null : createServerTest(filter.server, serverIn)
  const needServer = about !== null && !ofOne
  // The name of the server is the rarer of the two, more often than not, and costs less to find.
  const find: LineFinder | null =
    needServer && filter.server !== null ? createLineFinder([JSON.stringify(filter.server)], sample) : (text?.find ?? null)
  const textLeft = text !== null && find !== text.find
  // Of a file that names share, a line of another server; what says nothing belongs to the line before.
  const ofAnother = (line: Buffer): boolean => {
    if (about === null || about(line)) return false
    const owner = serverIn(line.toString('utf8'))
    return owner !== null && owner !== filter.server
  }
  let last: LineTime | null = null
  let lastRank = -1
  const accepts = (bytes: Buffer, start: number, stop: number, time: LineTime | null): boolean => {
    if (level !== null) {
      // What has no head of its own belongs to the line before.
      if (time !== null) lastRank = levelRank(bytes, start, stop)
      if (lastRank < level) return false
    }
    const at = time ?? last
    if (since !== null && (at === null || !reached(at, since))) return false
    if (until !== null && at !== null && reached(at, until) && !same(at, until)) return false
    if (!needServer && !textLeft && about === null) return true
    const line = bytes.subarray(start, stop)
    if (textLeft && text?.test(line) !== true) return false
    return needServer ? about?.(line) === true : !ofAnother(line)
  }
  return {
    wants(line, previous) {
      last = previous
      const time = lineTime(line, 0, line.length)
      return accepts(line, 0, line.length, time) && (text === null || textLeft || text.test(line))
    },
    batch({ bytes }) {
      const batch: Batch = { bytes, count: 0, starts: [], stops: [], times: [] }
      linesIn(bytes, find, (start, lineStop) => {
        const stop = lineStop > start && bytes[lineStop - 1] === carriageReturn ? lineStop - 1 : lineStop
        if (stop === start) return
        const time = isTimed ? lineTime(bytes, start, stop) : null
        // Lines between were passed over: what this one goes on with is looked for.
        if (isTimed && time === null && find !== null) last = before(bytes, start) ?? last
        const wanted = accepts(bytes, start, stop, time)
        if (time !== null) last = time
        if (!wanted) return
        batch.starts.push(start)
        batch.stops.push(stop)
        batch.times.push(last?.ms ?? Number.NEGATIVE_INFINITY)
        batch.count++
      })
      return batch.count > 0 ? batch : null
    },
  }
}

const same = (time: LineTime, moment: Moment): boolean => (moment.wall ? time.ms + time.offset * 60_000 : time.ms) === moment.ms

const mostAbove = 100

/** The time of the nearest line above that has one. */
function before(bytes: Buffer, start: number): LineTime | null {
  let stop = start - 1
  for (let i = 0; i < mostAbove && stop > 0; i++) {
    const begin = bytes.lastIndexOf(0x0a, stop - 1) + 1
    const time = lineTime(bytes, begin, stop)
    if (time !== null) return time
    stop = begin - 1
  }
  return null
}

/** As collectors tell it: `server`, else `id` or `name`. */
function serverIn(text: string): string | null {
  const line = parseLogLine(text, '', null)
  return line === null ? null : (serverOf(line) ?? field(line, 'id') ?? field(line, 'name'))
}

// ---- files ------------------------------------------------------------------------

export interface FamilyOptions {
  filter: LineFilter
  /** Lines of the file all belong to the server of the filter. */
  ofOne: boolean
  /** False: there is no other log to put the lines in order with. Default: there is. */
  timed?: boolean
  /** Where to begin in one of the files; what comes before is left out. */
  from?: { path: string; offset: number }
  /** The newest file, which was opened when the files were listed; closed by whoever reads it. */
  newest?: OpenFile | null
  /** What could not be read, and why. */
  note: (text: string) => void
}

/** When a rotation was closed, by its name (`main-2025-10-14T09-30-00.123.log.gz`, UTC); null: it is the log itself. */
export function closedAt(path: string): number | null {
  const [, date, h, m, s] = /-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})\.log(?:\.gz)?$/.exec(path) ?? []
  return date === undefined ? null : Date.parse(`${date}T${h}:${m}:${s}Z`)
}

/**
 * A log and its rotations as they were at one moment: newest first, and the newest opened. Between listing and opening the log
 * may be renamed, and what was just listed would be missing or be there twice; then all is looked at again.
 */
export async function steadyFamily(
  files: Pick<Files, 'open'>,
  list: () => Promise<Observed<string[]>>,
): Promise<Observed<{ paths: string[]; newest: Observed<OpenFile | null> | null }>> {
  let before = await list()
  for (let attempt = 0; ; attempt++) {
    const [first] = before.ok ? before.value : []
    if (!before.ok || first === undefined) return before.ok ? observed({ paths: [], newest: null }) : before
    const newest = first.endsWith('.gz') ? null : await files.open(first)
    const after = await list()
    const rotations = (seen: string[]): string => seen.map((path) => path.replace(/\.gz$/, '')).join('\n')
    if (!after.ok || attempt === 4 || rotations(after.value) === rotations(before.value))
      return observed({ paths: after.ok ? after.value : before.value, newest })
    if (newest?.ok) await newest.value?.close()
    before = after
  }
}

/** Those that can hold a line of the time, oldest first. `family`: newest first. */
export function filesWithin(family: readonly string[], { since, until }: LineFilter): string[] {
  const oldest = [...family].reverse()
  return oldest.filter((path, i) => {
    const closed = closedAt(path)
    const begun = i === 0 ? null : closedAt(oldest[i - 1] as string)
    if (since !== null && closed !== null && closed + slack < roughly(since)) return false
    return !(until !== null && begun !== null && begun - slack > until.ms + (until.wall ? 14 * 3_600_000 : 0))
  })
}

type Opened = { plain: OpenFile } | { chunks: AsyncIterable<Buffer> } | null

async function open(files: Files, path: string, { newest, note }: Pick<FamilyOptions, 'newest' | 'note'>): Promise<Opened> {
  if (newest?.path === path) return { plain: newest }
  const packed = path.endsWith('.gz') && files.unpack ? await files.unpack(path) : null
  const answer = packed ?? (await files.open(path))
  if (!answer.ok) {
    note(answer.error.message)
    return null
  }
  if (answer.value === null) {
    // Packed between listing and opening: lumberjack renames, then packs.
    if (!path.endsWith('.gz') && closedAt(path) !== null) return open(files, `${path}.gz`, { note })
    return null
  }
  return Symbol.asyncIterator in answer.value ? { chunks: answer.value } : { plain: answer.value }
}

/** The wanted lines of these files, oldest first. Two packed files are unpacked at once. */
export async function* familyLines(files: Files, paths: readonly string[], options: FamilyOptions): AsyncGenerator<Batch> {
  const { filter } = options
  const begin = options.from ? Math.max(0, paths.indexOf(options.from.path)) : 0
  const ahead = new Map<number, Promise<Opened>>()
  const opened = (i: number): Promise<Opened> | null => {
    const path = paths[i]
    if (path === undefined) return null
    const known = ahead.get(i) ?? open(files, path, options)
    ahead.set(i, known)
    return known
  }
  let reader: LineReader | null = null
  for (let i = begin; i < paths.length; i++) {
    const file = await opened(i)
    for (const next of [i + 1, i + 2]) if (paths[next]?.endsWith('.gz') === true) void opened(next)
    ahead.delete(i)
    if (file === null) continue
    const from = options.from && i === begin ? options.from.offset : 0
    const blocks =
      'plain' in file
        ? blocksForward(file.plain, Math.max(from, filter.since === null ? 0 : await placeOf(file.plain, roughly(filter.since))))
        : blocksOf(file.chunks)
    try {
      for await (const block of blocks) {
        if (block.offset + block.bytes.length <= from) continue
        const rest = block.offset >= from ? block : { bytes: block.bytes.subarray(from - block.offset), offset: from }
        reader ??= createLineReader(filter, rest.bytes, options.ofOne, options.timed)
        const batch = reader.batch(rest)
        if (batch) yield batch
      }
    } catch (error) {
      // Damaged, or taken away: what was read counts, and the others are still there.
      options.note(error instanceof Error ? error.message : String(error))
    } finally {
      if ('plain' in file) await file.plain.close()
    }
  }
}

const stride = 1024 * 1024
const probe = 16 * 1024

/**
 * A place before the first line of this time: single lines are looked at from the end on, until one is an hour older. Nothing
 * is guessed from the order of lines that are nearer than that.
 */
async function placeOf(file: OpenFile, ms: number): Promise<number> {
  for (let end = file.size - stride; end > 0; end -= stride) {
    const bytes = await file.read(end, probe)
    const start = bytes.indexOf(0x0a) + 1
    const stop = bytes.indexOf(0x0a, start)
    const time = start === 0 || stop < 0 ? null : lineTime(bytes, start, stop)
    if (time !== null && time.ms + slack < ms) return end
  }
  return 0
}

/** Where the newest `most` wanted lines of a log begin, and how many there are (at most `most`). */
export async function tailOf(
  files: Files,
  paths: readonly string[],
  most: number,
  options: FamilyOptions,
): Promise<{ from: { path: string; offset: number } | null; count: number }> {
  let count = 0
  let from: { path: string; offset: number } | null = null
  for (const path of [...paths].reverse()) {
    if (count >= most) break
    const file = await open(files, path, options)
    if (file === null) continue
    if ('plain' in file) {
      const { offset, found } = await backward(file.plain, most - count, options)
      if (found > 0) from = { path, offset }
      count += found
      if (file.plain !== options.newest) await file.plain.close()
    } else {
      const { offset, found } = await packed(file.chunks, most - count, options)
      if (found > 0) from = { path, offset }
      count += found
    }
  }
  return { from, count }
}

async function backward(file: OpenFile, most: number, { filter, ofOne }: FamilyOptions): Promise<{ offset: number; found: number }> {
  const sample = await file.read(Math.max(0, file.size - stride), stride)
  const reader = createLineReader(filter, sample, ofOne)
  const needles = filter.server !== null && !ofOne ? [JSON.stringify(filter.server)] : null
  const since = filter.since === null ? null : roughly(filter.since) - slack
  let found = 0
  let offset = file.size
  // Lines without a time of their own wait for the one above them.
  let waiting: { line: Buffer; offset: number }[] = []
  const take = (line: Buffer, at: number, time: LineTime | null): void => {
    if (found >= most || !reader.wants(line, time)) return
    found++
    offset = at
  }
  for await (const { text, offset: at } of linesBackward(file, {
    ...(needles ? { needles } : {}),
    maxBytes: Infinity,
    deadline: Infinity,
  })) {
    if (found >= most) break
    const line = Buffer.from(text.endsWith('\r') ? text.slice(0, -1) : text)
    if (line.length === 0) continue
    const time = lineTime(line, 0, line.length)
    if (time === null) {
      if (waiting.length < 10_000) waiting.push({ line, offset: at })
      continue
    }
    if (since !== null && time.ms < since) break
    for (const one of waiting) take(one.line, one.offset, time)
    waiting = []
    take(line, at, time)
  }
  for (const one of waiting) take(one.line, one.offset, null)
  return { offset, found }
}

async function packed(
  chunks: AsyncIterable<Buffer>,
  most: number,
  { filter, ofOne, note }: FamilyOptions,
): Promise<{ offset: number; found: number }> {
  const offsets: number[] = []
  let reader: LineReader | null = null
  try {
    for await (const block of blocksOf(chunks)) {
      reader ??= createLineReader(filter, block.bytes, ofOne)
      const batch = reader.batch(block)
      for (const start of batch?.starts ?? []) offsets.push(block.offset + start)
      if (offsets.length > 2 * most) offsets.splice(0, offsets.length - most)
    }
  } catch (error) {
    note(error instanceof Error ? error.message : String(error))
  }
  const kept = offsets.slice(-most)
  return { offset: kept[0] ?? 0, found: kept.length }
}
