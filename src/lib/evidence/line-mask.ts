/**
 * Keeps secrets and controls out of log lines that are shown as they are, at the speed of the disk: one pass over the bytes
 * tells the few lines that could hold any, and only those are decoded, parsed and masked.
 *
 * What the pass lets through must be exactly what masking would leave as it is; a test holds that.
 */
import { parseDockerRun } from '../formats/docker-run.ts'
import { list, parseLogLine, type LogLine } from '../formats/log-line.ts'
import { makeRedactor, maskedArgs, maskedWords, runSecrets, secretTraces, type Redactor } from './secrets.ts'

/** One byte out of a set; `many`: any number of them. */
interface Element {
  set: Uint8Array
  many: boolean
}
type Pattern = readonly Element[]

const setOf = (holds: (character: string) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (holds(String.fromCharCode(byte)) ? 1 : 0))
const one = (expression: RegExp): Element => ({ set: setOf((c) => expression.test(c)), many: false })
const many = (expression: RegExp): Element => ({ set: setOf((c) => expression.test(c)), many: true })
const exactly = (text: string): Element[] =>
  [...Buffer.from(text)].map((byte) => ({ set: setOf((c) => c.charCodeAt(0) === byte), many: false }))
const anyCase = (text: string): Element[] => [...text].map((letter) => one(new RegExp(letter.replace(/[^\w]/g, '\\$&'), 'i')))

const separator = one(/[\s"'`[,({;]/)
const escape = one(/\\/)
const escaped = one(/[nrt]/)

/** Words of which one is in every name that makes a secret of what follows it, at the beginning of a word or anywhere. */
const stems = ['key', 'token', 'secret', 'pass', 'pwd', 'auth', 'cred', 'bearer', 'cookie', 'webhook']
const wholeWords = ['pat', 'pw', 'sig', 'jwt', 'dsn', 'session']
/** How tokens of the usual services begin. */
const beginnings =
  'ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glcbt- glptt- glsoat- glsa_ glc_ sk- xapp- hooks.slack.com/ api/webhooks/ ' +
  'AKIA ASIA ABIA ACCA AIza ya29. GOCSPX- eyJ npm_ pypi- hf_ _live_ _test_ whsec_ SG. _v1_ :AA dapi lin_api_ lin_oauth_ ntn_ secret_ figd_ ' +
  'PMAK- shpat_ shpca_ shppa_ shpss_ sq0 hvs. hvb. hvr. dp. dckr_ pplx- gsk_ xai- r8_ tvly- sbp_ sb_ ATATT ATCTT ATBB AGE-SECRET mcp_agt_ ' +
  '-----BEGIN SECRET_ VALUE_'

/** What stands in every text that `maskShapes` or `clean` changes, also inside a JSON string. */
function shapes(): Pattern[] {
  const letter = one(/[A-Za-z]/)
  const x = one(/[xX]/)
  const dash = exactly('-')
  const hex = one(/[0-9a-f]/)
  const given = [many(/[\\"']/), many(/\s/), one(/[=:]/)]
  const random = /[A-Za-z0-9+/_-]/
  return [
    // Controls; whatever is not ASCII may be one too, or be drawn as nothing.
    [one(/[\0-\x09\x0b-\x1f\x7f-\xff]/)],
    [...exactly('\\u')],
    ...beginnings.split(' ').map(exactly),
    ...['bearer ', 'basic ', 'token '].map(anyCase),
    [...exactly('xox'), one(/[abeoprs]/), ...dash],
    [...exactly('SK'), hex, hex, hex, hex],
    [...exactly('key-'), hex, hex, hex, hex],
    // Three parts with dots between them, and `pat…`, which goes on behind one.
    [...exactly('.'), ...Array.from({ length: 6 }, () => one(/[\w-]/)), ...exactly('.')],
    [...exactly('pat'), ...Array.from({ length: 14 }, () => one(/[A-Za-z0-9]/)), ...exactly('.')],
    // Forty characters drawn by lot.
    [one(/[^\w+/=@:.-]/), ...Array.from({ length: 40 }, () => one(random))],
    [...exactly('://'), many(/[^\s]/), ...exactly('@')],
    [one(/[?&;]/), many(/[\w.[\]-]/), ...exactly('=')],
    [...exactly('--'), letter],
    [separator, ...dash, one(/[ditqPe]/)],
    [escape, escaped, ...dash, one(/[ditqPe]/)],
    [one(/[^\w]/), x, ...dash],
    [escape, escaped, x, ...dash],
    anyCase('authorization'),
    anyCase('cookie'),
    // Three dots end what was cut off.
    exactly('...'),
    // Of arguments some are masked for how they follow on each other.
    [...exactly('args'), many(/[\\"]/), many(/\s/), ...exactly(':')],
    ...stems.map((stem) => [...anyCase(stem), many(/[\w.-]/), ...given]),
    ...wholeWords.flatMap((word) => [
      [...anyCase(word), ...given],
      [...anyCase(word), one(/[A-Z0-9_.-]/), many(/[\w.-]/), ...given],
    ]),
  ]
}

const mostStates = 4000
const longestLiteral = 16
/** The longest piece of a value that is written the same in JSON, and in JSON inside JSON. */
const pieceOf = (value: string): string =>
  value
    .split(/["\\\0-\x1f\x7f-\uffff<>&]/)
    .reduce((a, b) => (b.length > a.length ? b : a), '')
    .slice(0, longestLiteral)
const startOfLine = 0x0a

/** A set of places in patterns for every state, made when it is first reached. */
class Suspicion {
  readonly #patterns: readonly Pattern[]
  readonly #places: { pattern: Pattern; at: number }[] = []
  readonly #first: number[]
  readonly #ids = new Map<string, number>()
  #sets: number[][] = []
  /** By state and byte: the next state, `hit`, or 0: not known yet. */
  #table = new Uint16Array(0)
  #start: number

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns
    this.#first = []
    let place = 0
    for (const pattern of this.#patterns) {
      this.#first.push(place)
      pattern.forEach((_, at) => this.#places.push({ pattern, at }))
      place += pattern.length
    }
    this.#start = this.#restart()
  }

  /** Whether a line could hold something. */
  test(block: Buffer, start: number, stop: number, again = false): boolean {
    let state = this.#start
    let table = this.#table
    for (let i = start; i < stop; i++) {
      const byte = block[i] as number
      let next = table[(state << 8) | byte] as number
      if (next === 0) {
        // Too many states for one table: begin again with this line.
        if (this.#sets.length > mostStates) {
          this.#start = this.#restart()
          return again || this.test(block, start, stop, true)
        }
        next = this.#step(state, byte)
        table = this.#table
      }
      if (next === hit) return true
      state = next
    }
    return false
  }

  #restart(): number {
    this.#sets = [[]]
    this.#ids.clear()
    this.#table = new Uint16Array(256 * 64)
    const empty = this.#stateOf(this.#closure(this.#first))
    const next = this.#step(empty, startOfLine)
    return next === hit ? empty : next
  }

  /** With the places after elements that may be left out. */
  #closure(places: Iterable<number>): number[] {
    const closed = new Set<number>()
    const add = (place: number): void => {
      if (closed.has(place)) return
      closed.add(place)
      const { pattern, at } = this.#places[place] as { pattern: Pattern; at: number }
      if (pattern[at]?.many === true) add(place + 1)
    }
    for (const place of places) add(place)
    return [...closed].sort((a, b) => a - b)
  }

  #stateOf(places: number[]): number {
    const key = places.join()
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#sets.length
    this.#sets.push(places)
    this.#ids.set(key, id)
    if (this.#table.length < (id + 1) << 8) {
      const larger = new Uint16Array(this.#table.length * 2)
      larger.set(this.#table)
      this.#table = larger
    }
    return id
  }

  #step(state: number, byte: number): number {
    const reached = new Set(this.#first)
    let next = -1
    for (const place of this.#sets[state] as number[]) {
      const { pattern, at } = this.#places[place] as { pattern: Pattern; at: number }
      const element = pattern[at] as Element
      if (element.set[byte] !== 1) continue
      if (element.many) reached.add(place)
      else if (at === pattern.length - 1) next = hit
      else reached.add(place + 1)
    }
    if (next < 0) next = this.#stateOf(this.#closure(reached))
    this.#table[(state << 8) | byte] = next
    return next
  }
}

const hit = 0xffff
/** `args`, `container_args`, `final_args`: what follows `--token` in them is a secret. */
const argumentList = /args$/

export interface LineMask {
  /** Whether the line must go through `mask`. */
  suspect(block: Buffer, start: number, stop: number): boolean
  /** The line without secrets. What it tells of further secrets is known from then on. */
  mask(line: string): string
  /** The same of a line that was parsed. */
  maskFields(line: LogLine): { message: string; fields: Record<string, unknown> }
}

/** `secrets`: known values. `clean`: takes controls out of a text. */
export function createLineMask(secrets: Iterable<string>, clean: (text: string) => string): LineMask {
  const values = new Set(secrets)
  let redact: Redactor
  let suspicion: Suspicion
  const learn = (): void => {
    redact = makeRedactor(values)
    // A value without such a piece has a sign in it that is suspect by itself, but for quotes and backslashes.
    const pieces = new Set(secretTraces(values).map(pieceOf))
    const literals = [...pieces].map((piece) => (piece === '' ? [one(/["\\]/)] : exactly(piece)))
    suspicion = new Suspicion([...shapes(), ...literals])
  }
  learn()
  const maskFields = (line: LogLine): { message: string; fields: Record<string, unknown> } => {
    const args = list(line, 'docker_run_args')
    const run = args.length > 0 ? parseDockerRun(args) : null
    const told = run ? runSecrets(run).filter((value) => !values.has(value)) : []
    if (told.length > 0) {
      for (const value of told) values.add(value)
      learn()
    }
    const walk = (value: unknown, key: string): unknown => {
      if (typeof value === 'string') return redact(value)
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
    suspect: (block, start, stop) => suspicion.test(block, start, stop),
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
  // What stands before the message stays.
  const at = raw.indexOf(` | ${line.message}`)
  const head = at < 0 ? `${line.time} | ${line.level}` : raw.slice(0, at)
  return `${head} | ${message}${Object.keys(fields).length === 0 ? '' : ` | ${spaced(fields)}`}`
}

/** JSON with the blanks that MCPProxy writes. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, item]) => `${JSON.stringify(name)}: ${spaced(item)}`)
      .join(', ')}}`
  return JSON.stringify(value)
}
