/** The lines of several logs as one, by time, as they are written; secrets and controls out. */
import type { Batch, LogSource } from '../evidence/collect-log-lines.ts'
import type { LineMask } from '../evidence/line-mask.ts'
import { mark } from '../evidence/secrets.ts'
import { lineTime } from '../formats/log-bytes.ts'
import { parseLogLine, serverOf } from '../formats/log-line.ts'
import { renderJsonLine } from '../report/json.ts'

export interface LineOutput {
  /** False: nobody reads any more. */
  write(bytes: Buffer): Promise<boolean>
}

export interface LineFormat {
  /** `name`: of the source. Appends the line. */
  line(name: string, bytes: Buffer, start: number, stop: number, into: OutputBuffer): void
}

/** Large pieces: each write has its price. But the first lines do not wait for the others. */
const pieceSize = 256 * 1024
const roomSize = 512 * 1024
const fewBytes = 64

export class OutputBuffer {
  #room = Buffer.allocUnsafeSlow(roomSize)
  length = 0

  copy(bytes: Buffer, start: number, stop: number): void {
    const length = stop - start
    this.#make(length)
    const room = this.#room
    // What Node does for a copy takes longer than a few bytes.
    if (length <= fewBytes) for (let i = 0; i < length; i++) room[this.length + i] = bytes[start + i] as number
    else bytes.copy(room, this.length, start, stop)
    this.length += length
  }

  byte(byte: number): void {
    this.#make(1)
    this.#room[this.length++] = byte
  }

  text(text: string): void {
    const bytes = Buffer.from(text)
    this.copy(bytes, 0, bytes.length)
  }

  /** What was appended, to be written before more is. */
  take(): Buffer {
    const bytes = this.#room.subarray(0, this.length)
    this.length = 0
    return bytes
  }

  #make(more: number): void {
    if (this.length + more <= this.#room.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#room.length * 2, this.length + more))
    this.#room.copy(larger, 0, 0, this.length)
    this.#room = larger
  }
}

interface Head {
  name: string
  batches: AsyncIterator<Batch>
  batch: Batch
  at: number
}

/** Writes until the sources end or nobody reads any more. `skip`: so many lines are left out at the beginning. */
export async function writeLines(sources: readonly LogSource[], skip: number, format: LineFormat, output: LineOutput): Promise<void> {
  const heads: Head[] = []
  const buffer = new OutputBuffer()
  const all = sources.map(({ name, batches }) => ({ name, batches: batches[Symbol.asyncIterator]() }))
  try {
    for (const { name, batches } of all) {
      const first = await batches.next()
      if (first.done !== true) heads.push({ name, batches, batch: first.value, at: 0 })
    }
    let left = skip
    for (let head = earliest(heads); head !== null; head = earliest(heads)) {
      const { batch, name } = head
      const others = heads.filter((other) => other !== head).map(timeOf)
      const until = Math.min(Number.POSITIVE_INFINITY, ...others)
      do {
        if (left > 0) left--
        else format.line(name, batch.bytes, batch.starts[head.at] as number, batch.stops[head.at] as number, buffer)
        head.at++
      } while (head.at < batch.count && (batch.times[head.at] as number) < until && buffer.length < pieceSize)
      const over = head.at === batch.count
      if (buffer.length >= pieceSize || (over && buffer.length > 0)) {
        if (!(await output.write(buffer.take()))) return
      }
      if (!over) continue
      const next = await head.batches.next()
      if (next.done === true) heads.splice(heads.indexOf(head), 1)
      else Object.assign(head, { batch: next.value, at: 0 })
    }
  } finally {
    for (const { batches } of all) await batches.return?.()
  }
}

const timeOf = (head: Head): number => head.batch.times[head.at] as number

function earliest(heads: readonly Head[]): Head | null {
  let first: Head | null = null
  for (const head of heads) if (first === null || timeOf(head) < timeOf(first)) first = head
  return first
}

// ---- formats ----------------------------------------------------------------------

const lineFeed = 0x0a
const markBytes = Buffer.from(mark)

/** Lines as they are, with the name of their log before them. `colour`: by level, of whole lines. */
export function textFormat(names: readonly string[], mask: LineMask, colour: ((line: string) => string) | null): LineFormat {
  const width = Math.max(0, ...names.map((name) => name.length))
  const prefixes = new Map(names.map((name) => [name, Buffer.from(`${name.padEnd(width)}  `)]))
  return {
    line(name, bytes, start, stop, into) {
      const prefix = prefixes.get(name)
      if (prefix) into.copy(prefix, 0, prefix.length)
      const count = mask.look(bytes, start, stop)
      if (colour !== null) into.text(colour(shownLine(mask, count, bytes, start, stop)))
      else if (count < 0) into.text(mask.mask(bytes.toString('utf8', start, stop)))
      else {
        let from = start
        for (let i = 0; i < count; i++) {
          into.copy(bytes, from, mask.spans[2 * i] as number)
          into.copy(markBytes, 0, markBytes.length)
          from = mask.spans[2 * i + 1] as number
        }
        into.copy(bytes, from, stop)
      }
      into.byte(lineFeed)
    },
  }
}

/** One object per line. */
export function jsonFormat(mask: LineMask): LineFormat {
  return {
    line(name, bytes, start, stop, into) {
      const count = mask.look(bytes, start, stop)
      const raw = count < 0 ? bytes.toString('utf8', start, stop) : shownLine(mask, count, bytes, start, stop)
      const line = parseLogLine(raw, '', null)
      if (line === null) {
        const time = lineTime(bytes, start, stop)
        const text = count < 0 ? mask.mask(raw) : raw
        return into.text(renderJsonLine({ time: time && new Date(time.ms).toISOString(), log: name, text }))
      }
      const { message, fields } = count < 0 ? mask.maskFields(line) : line
      const about = { time: line.at.toISOString(), level: line.level, log: name, server: serverOf(line) }
      into.text(renderJsonLine({ ...about, message, fields }))
    },
  }
}

/** `count`: what `look` said of it. */
function shownLine(mask: LineMask, count: number, bytes: Buffer, start: number, stop: number): string {
  if (count < 0) return mask.mask(bytes.toString('utf8', start, stop))
  let text = ''
  let from = start
  for (let i = 0; i < count; i++) {
    text += bytes.toString('utf8', from, mask.spans[2 * i]) + mark
    from = mask.spans[2 * i + 1] as number
  }
  return text + bytes.toString('utf8', from, stop)
}
