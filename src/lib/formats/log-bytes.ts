/** What a line of MCPProxy's logs says in its first bytes, without decoding the rest (see log-line.ts for the forms). */

export interface LineTime {
  /** Milliseconds since 1970. */
  ms: number
  /** Minutes east of UTC, as it is written. */
  offset: number
}

const digit = (block: Buffer, at: number): number => {
  const d = (block[at] ?? 0) - 0x30
  return d >= 0 && d <= 9 ? d : Number.NaN
}
const two = (block: Buffer, at: number): number => digit(block, at) * 10 + digit(block, at + 1)

const daysToMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]

/** `2026-11-22T21:47:29.136Z`, `2026-11-22T21:47:29+02:00` at this place; null: something else. */
export function timeAt(block: Buffer, at: number): LineTime | null {
  if (block[at + 4] !== 0x2d || block[at + 7] !== 0x2d || block[at + 10] !== 0x54) return null
  const year = two(block, at) * 100 + two(block, at + 2)
  const month = two(block, at + 5)
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const leaps = Math.floor((year - 1) / 4) - Math.floor((year - 1) / 100) + Math.floor((year - 1) / 400) - 477
  const days = (year - 1970) * 365 + leaps + (daysToMonth[month - 1] ?? Number.NaN) + (leap && month > 2 ? 1 : 0) + two(block, at + 8) - 1
  let ms = days * 86_400_000 + two(block, at + 11) * 3_600_000 + two(block, at + 14) * 60_000 + two(block, at + 17) * 1000
  let next = at + 19
  if (block[next] === 0x2e) {
    let scale = 100
    for (next++; !Number.isNaN(digit(block, next)); next++, scale /= 10) ms += digit(block, next) * scale
    ms = Math.floor(ms)
  }
  const sign = block[next]
  let offset = 0
  if (sign === 0x2b || sign === 0x2d) {
    const colon = block[next + 3] === 0x3a ? 1 : 0
    offset = (two(block, next + 1) * 60 + two(block, next + 3 + colon)) * (sign === 0x2b ? 1 : -1)
  } else if (sign !== 0x5a) return null
  ms -= offset * 60_000
  return Number.isNaN(ms) ? null : { ms, offset }
}

const bar = Buffer.from(' | ')
const stamp = Buffer.from('"ts":"')
const jsonLevel = Buffer.from('"level":"')
/** zap writes level and time first. */
const head = 256

/** Of a whole line; null: it goes on with something, or was cut off. */
export function lineTime(block: Buffer, start: number, stop: number): LineTime | null {
  if (block[start] !== 0x7b) return timeAt(block, start)
  const at = block.subarray(start, Math.min(stop, start + head)).indexOf(stamp)
  return at < 0 ? null : timeAt(block, start + at + stamp.length)
}

const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'DPANIC', 'PANIC', 'FATAL']
/** For `--level`: that one and all that are worse. */
export const levelNames = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export const rankOf = (level: string): number => levels.indexOf(level.toUpperCase())

/** Of a whole line, from 0 (trace); -1: it has none that is known. */
export function levelRank(block: Buffer, start: number, stop: number): number {
  const line = block.subarray(start, Math.min(stop, start + head))
  if (line[0] === 0x7b) {
    const at = line.indexOf(jsonLevel)
    if (at < 0) return -1
    const from = at + jsonLevel.length
    return rankOf(line.toString('latin1', from, line.indexOf(0x22, from)))
  }
  const first = line.indexOf(bar)
  if (first < 0) return -1
  const second = line.indexOf(bar, first + 3)
  return second < 0 ? -1 : rankOf(line.toString('latin1', first + 3, second))
}

/** Tells lines that are about this server (`server`, or in older lines only `upstream_name`); only lines that hold its name in quotes. */
export function createServerTest(server: string, parse: (line: string) => string | null): (line: Buffer) => boolean {
  const name = JSON.stringify(server)
  const textForm = Buffer.from(` | {"server": ${name}`)
  const fieldsBegin = Buffer.from(' | {')
  const jsonForm = Buffer.from(`,"server":${name}`)
  return (line) => {
    // Nearly all lines begin their fields with it: no need to parse those.
    if (line[0] === 0x7b) {
      const at = line.indexOf(jsonForm)
      if (at > 0 && line.lastIndexOf(0x7b, at) === 0) return true
    } else {
      const at = line.indexOf(textForm)
      if (at > 0 && line.indexOf(fieldsBegin) === at) return true
    }
    return parse(line.toString('utf8')) === server
  }
}
