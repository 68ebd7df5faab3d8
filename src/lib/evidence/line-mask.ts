/**
 * Keeps secrets and controls out of log lines that are shown as they are, at the speed of the disk: one pass over the bytes
 * tells the lines that could hold any. Of those that can be, values are replaced where they stand; the rest is decoded, parsed and
 * masked.
 *
 * What the pass lets through or replaces must be exactly what masking would make of it; a test holds that.
 */
import { isJson } from '../formats/loose.ts'
import { parseDockerRun } from '../formats/docker-run.ts'
import { list, parseLogLine, type LogLine } from '../formats/log-line.ts'
import { PlainFields, placesPerValue } from './plain-fields.ts'
import { isStatement } from './secret-patterns.ts'
import { makeRedactor, mark, maskedArgs, maskedWords, runSecrets, secretTraces, worthHiding, type Redactor } from './secrets.ts'
import { Suspicion } from './suspicion.ts'

/** `args`, `container_args`, `final_args`: what follows `--token` in them is a secret. */
const argumentList = /args$/

/** Names and values that are written so have one answer for each name: masked or kept. */
const plainName = /^[A-Za-z_]\w{0,40}$/
const plainValue = { shortest: 7, longest: 128 }
/** Names are foreign text. */
const mostVerdicts = 1000
const examples = ['a1b2c3d4', '0000-1111_2222', 'zzzzzz9', 'qzxkwvjy', 'Zq-xk_wv']

export interface LineMask {
  /**
   * How many values of the line are replaced by the mark, and nothing else of it changes; where they stand is in `spans`. -1: it must
   * go through `mask`.
   */
  look(block: Buffer, start: number, stop: number): number
  /** Of the newest line that was looked at: beginnings and ends, in turns. */
  readonly spans: Int32Array
  /** The line without secrets. What it tells of further secrets is known from then on. */
  mask(line: string): string
  /** The same of a line that was parsed. */
  maskFields(line: LogLine): { message: string; fields: Record<string, unknown> }
}

/** `secrets`: known values. `clean`: takes controls out of a text. */
export function createLineMask(secrets: Iterable<string>, clean: (text: string) => string): LineMask {
  const values = new Set(secrets)
  let redactAll = makeRedactor(values)
  let suspicion = new Suspicion(secretTraces(values))
  const redact: Redactor = (text) => {
    const bytes = Buffer.from(text)
    return suspicion.scan(bytes, 0, bytes.length) === 0 ? text : redactAll(text)
  }
  const said = (name: string, value: string): string => `"${name}": ${JSON.stringify(value)}`
  const spans = new Int32Array(suspicion.named.length * 2)
  const fields = new PlainFields()
  /** Null: it depends on the value. */
  const verdicts = new Map<string, boolean | null>()
  const isMasked = (name: string): boolean | null => {
    let verdict = verdicts.get(name)
    if (verdict === undefined) {
      const shown = examples.map((value) => redact(said(name, value)))
      const all = (as: (value: string) => string): boolean =>
        plainName.test(name) && examples.every((value, i) => shown[i] === said(name, as(value)))
      verdict = all(() => mark) ? true : all((value) => value) ? false : null
      if (verdicts.size < mostVerdicts) verdicts.set(name, verdict)
    }
    return verdict
  }
  const look = (block: Buffer, start: number, stop: number): number => {
    const named = suspicion.scan(block, start, stop)
    if (named <= 0) return named
    if (!fields.read(block, start, stop, suspicion.named, named)) return -1
    let count = 0
    for (let at = 0; at < named * placesPerValue; at += placesPerValue) {
      const from = fields.places[at + 2] as number
      const to = fields.places[at + 3] as number
      if (saysNothing(block, from, to)) continue
      if (!isPlain(block, from, to)) return -1
      // Of words some are masked after no name.
      if (!hasDigit(block, from, to) && isSaid(block.toString('latin1', from + 1, to - 1))) return -1
      const masked = isMasked(block.toString('latin1', fields.places[at], fields.places[at + 1]))
      if (masked === null) return -1
      if (!masked) continue
      spans[count * 2] = from + 1
      spans[count * 2 + 1] = to - 1
      count++
    }
    return count
  }
  const maskFields = (line: LogLine): { message: string; fields: Record<string, unknown> } => {
    const args = list(line, 'docker_run_args')
    const run = args.length > 0 ? parseDockerRun(args) : null
    const told = run ? runSecrets(run).filter((value) => !values.has(value)) : []
    if (told.length > 0) {
      for (const value of told) values.add(value)
      redactAll = makeRedactor(values)
      suspicion = new Suspicion(secretTraces(values))
      verdicts.clear()
    }
    const walk = (value: unknown, key: string): unknown => {
      if (typeof value === 'string') {
        const shown = redact(value)
        // By its name alone it may be one.
        const named = said(key, value)
        return shown === value && key !== '' && redact(named) !== named ? mark : shown
      }
      if (Array.isArray(value)) {
        const words = value.every((word) => typeof word === 'string') ? value : null
        if (key === 'docker_run_args' && run && words) return maskedArgs(words, run).map(redact)
        if (words && argumentList.test(key)) return maskedWords(words).map(redact)
        return value.map((item) => walk(item, ''))
      }
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, name)]))
      return value
    }
    return { message: redact(line.message), fields: walk(line.fields, '') as Record<string, unknown> }
  }
  return {
    look,
    spans,
    maskFields,
    mask(raw) {
      const cleaned = clean(raw)
      const line = parseLogLine(cleaned, '', null)
      if (line === null) return redact(cleaned)
      const masked = maskFields(line)
      if (masked.message === line.message && JSON.stringify(masked.fields) === JSON.stringify(line.fields)) return redact(cleaned)
      return redact(clean(rebuilt(cleaned, line, masked)))
    },
  }
}

/** The line as MCPProxy would have written it, with other texts in it. */
function rebuilt(raw: string, line: LogLine, { message, fields }: { message: string; fields: Record<string, unknown> }): string {
  if (raw.startsWith('{')) {
    const whole = JSON.parse(raw) as Record<string, unknown>
    const text = 'msg' in whole ? { msg: message } : { message }
    return JSON.stringify({ ...whole, ...fields, ...text })
  }
  const head = raw.slice(0, messageAt(raw, line.message))
  return `${head}${message}${Object.keys(fields).length === 0 ? '' : ` | ${spaced(fields)}`}`
}

/** What stands before it may hold the same words. */
function messageAt(raw: string, message: string): number {
  for (let at = raw.indexOf(' | {'); at >= 0; at = raw.indexOf(' | {', at + 1))
    if (raw.slice(0, at).endsWith(` | ${message}`) && isJson(raw.slice(at + 3))) return at - message.length
  return raw.length - message.length
}

// ---- on bytes -------------------------------------------------------------------------

const quote = 0x22
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

/** `""`, true, false, null or a number of at most six digits: none of them is worth hiding, whatever it is called. */
function saysNothing(block: Buffer, from: number, to: number): boolean {
  const first = block[from] as number
  if (first === quote) return to - from === 2
  if (!isDigit(first)) return first >= 0x61
  if (to - from > 6) return false
  for (let at = from; at < to; at++) if (!isDigit(block[at] as number)) return false
  return true
}

/** A string of letters, digits, `-` and `_`: no reference, nothing that a pattern ends in. */
function isPlain(block: Buffer, from: number, to: number): boolean {
  const length = to - from - 2
  if (block[from] !== quote || length < plainValue.shortest || length > plainValue.longest) return false
  for (let at = from + 1; at < to - 1; at++) {
    const byte = block[at] as number
    const isLetter = (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a)
    if (!isLetter && !isDigit(byte) && byte !== 0x5f && byte !== 0x2d) return false
  }
  return true
}

function hasDigit(block: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (isDigit(block[at] as number)) return true
  return false
}

const isSaid = (value: string): boolean => isStatement(value) || !worthHiding(value, 'token')

/** JSON with the blanks that MCPProxy writes. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, item]) => `${JSON.stringify(name)}: ${spaced(item)}`)
      .join(', ')}}`
  return JSON.stringify(value)
}
