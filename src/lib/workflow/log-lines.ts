/** The lines of several logs as one, by time, as they are written; secrets and controls out. */
import type { Batch, LogSource } from '../evidence/collect-log-lines.ts'
import type { LineMask } from '../evidence/line-mask.ts'
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

export class OutputBuffer {
  #room = Buffer.allocUnsafeSlow(roomSize)
  length = 0

  copy(bytes: Buffer, start: number, stop: number): void {
    this.#make(stop - start)
    bytes.copy(this.#room, this.length, start, stop)
    this.length += stop - start
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

const lineFeed = Buffer.from('\n')

/** Lines as they are, with the name of their log before them. `colour`: by level, of whole lines. */
export function textFormat(names: readonly string[], mask: LineMask, colour: ((line: string) => string) | null): LineFormat {
  const width = Math.max(0, ...names.map((name) => name.length))
  const prefixes = new Map(names.map((name) => [name, Buffer.from(`${name.padEnd(width)}  `)]))
  return {
    line(name, bytes, start, stop, into) {
      const prefix = prefixes.get(name) ?? lineFeed.subarray(1)
      into.copy(prefix, 0, prefix.length)
      if (colour !== null || mask.suspect(bytes, start, stop)) {
        const masked = mask.mask(bytes.toString('utf8', start, stop))
        into.text(colour ? colour(masked) : masked)
      } else into.copy(bytes, start, stop)
      into.copy(lineFeed, 0, 1)
    },
  }
}

/** One object per line. */
export function jsonFormat(mask: LineMask): LineFormat {
  return {
    line(name, bytes, start, stop, into) {
      const raw = bytes.toString('utf8', start, stop)
      const line = parseLogLine(raw, '', null)
      if (line === null) {
        const time = lineTime(bytes, start, stop)
        return into.text(renderJsonLine({ time: time && new Date(time.ms).toISOString(), log: name, text: mask.mask(raw) }))
      }
      const { message, fields } = mask.suspect(bytes, start, stop) ? mask.maskFields(line) : line
      const about = { time: line.at.toISOString(), level: line.level, log: name, server: serverOf(line) }
      into.text(renderJsonLine({ ...about, message, fields }))
    },
  }
}
