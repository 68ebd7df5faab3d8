/**
 * Tells in one pass over the bytes of a line whether it could hold a secret or a control: an automaton of all that must stand in
 * a text for `maskShapes`, the known values or `clean` to change it. What it lets through they leave as it is.
 */

/** One byte out of a set; `many`: any number of them. */
interface Element {
  set: Uint8Array
  many: boolean
}
/** Begins with one byte, never with any number of them. */
type Pattern = readonly Element[]

const setOf = (holds: (character: string) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (holds(String.fromCharCode(byte)) ? 1 : 0))
const one = (expression: RegExp): Element => ({ set: setOf((c) => expression.test(c)), many: false })
const many = (expression: RegExp): Element => ({ set: setOf((c) => expression.test(c)), many: true })
const bytes = Array.from({ length: 256 }, (_, byte): Element => ({ set: setOf((c) => c.charCodeAt(0) === byte), many: false }))
const exactly = (text: string): Element[] => [...Buffer.from(text)].map((byte) => bytes[byte] as Element)
const anyCase = (text: string): Element[] => [...text].map((letter) => one(new RegExp(letter.replace(/[^\w]/g, '\\$&'), 'i')))

const separator = one(/[\s"'`[,({;]/)
const escape = one(/\\/)
const escaped = one(/[nrtbf]/)

/** Words of which one is in every name that makes a secret of what follows it, at the beginning of a word or anywhere. */
const stems = ['key', 'token', 'secret', 'pass', 'pwd', 'auth', 'cred', 'bearer', 'cookie', 'webhook', 'session', 'signature']
const wholeWords = ['pat', 'pw', 'sig', 'jwt', 'dsn']
/** How tokens of the usual services begin. */
const beginnings =
  'ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glcbt- glptt- glsoat- glsa_ glc_ sk- xapp- hooks.slack.com/ api/webhooks/ ' +
  'AKIA ASIA ABIA ACCA AIza ya29. GOCSPX- eyJ npm_ pypi- hf_ _live_ _test_ whsec_ SG. _v1_ :AA dapi lin_api_ lin_oauth_ ntn_ secret_ figd_ ' +
  'PMAK- shpat_ shpca_ shppa_ shpss_ sq0 hvs. hvb. hvr. dp. dckr_ pplx- gsk_ xai- r8_ tvly- sbp_ sb_ ATATT ATCTT ATBB AGE-SECRET mcp_agt_ ' +
  'sntrys_ sntryu_ tskey- fm1a_ fm1r_ fm2_ NRAK- pcsk_ .atlasv1. nfp_ nfc_ nfo_ nfu_ nfb_ pscale_ HRKU- CCIPAT_ CCIPRJ_ 7Q~ 8Q~ ops_eyJ ' +
  'apify_ ctx7sk- CFPAT- webhookb2/ dt0c dt0s lsv2_ 1//0 ' +
  '-----BEGIN SECRET_ VALUE_'

/** What stands in every text that `maskShapes` or `clean` changes, also inside a JSON string; but for `names` and `drawn`. */
function shapes(): Pattern[] {
  const letter = one(/[A-Za-z]/)
  const x = one(/[xX]/)
  const dash = exactly('-')
  const hex = one(/[0-9a-f]/)
  const word = one(/[\w-]/)
  const alphanumeric = one(/[A-Za-z0-9]/)
  return [
    // Controls; whatever is not ASCII may be one too, or be drawn as nothing.
    [one(/[\0-\x09\x0b-\x1f\x7f-\xff]/)],
    // Escapes that hide a character of a name or a token.
    [escape, one(/[u/]/)],
    ...beginnings.split(' ').map(exactly),
    ...['bearer ', 'basic ', 'token '].map(anyCase),
    [...exactly('xox'), one(/[abeoprs]/), ...dash],
    [...exactly('SK'), hex, hex, hex, hex],
    ...['key-', 'pul-', 'fc-', 'sk_', 'e2b_', 'rubygems_'].map((begin) => [...exactly(begin), hex, hex, hex, hex]),
    [...exactly('bk'), letter, letter, ...exactly('_'), hex, hex, hex, hex],
    [...exactly('napi_'), ...Array.from({ length: 8 }, () => alphanumeric)],
    [...exactly('EAA'), ...Array.from({ length: 16 }, () => alphanumeric)],
    [...exactly('re_'), ...Array.from({ length: 8 }, () => alphanumeric), ...exactly('_')],
    // Three parts with dots between them, and `pat…`, which goes on behind one.
    [...exactly('.'), ...Array.from({ length: 6 }, () => word), ...exactly('.')],
    [...exactly('pat'), ...Array.from({ length: 14 }, () => alphanumeric), ...exactly('.')],
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
  ]
}

/** Names that may make a secret of what follows them, up to the sign between the two. */
function names(): Pattern[] {
  // A break between them is an escape in JSON.
  const given = [many(/[\\"']/), many(/[\s\\nrtbf]/), one(/[=:]/)]
  const rest = many(/[\w.-]/)
  return [
    ...stems.map((stem) => [...anyCase(stem), rest, ...given]),
    ...wholeWords.flatMap((word) => [
      [...anyCase(word), ...given],
      [...anyCase(word), one(/[A-Z0-9_.-]/), rest, ...given],
    ]),
  ]
}

// ---- characters drawn by lot ---------------------------------------------------------

const shortestDrawn = 40
const drawn = setOf((c) => /[A-Za-z0-9+/_-]/.test(c))
const notBeforeDrawn = setOf((c) => /[=@:.]/.test(c))

/** Forty characters or more with letters of both cases and three digits among them. */
function hasDrawn(block: Uint8Array, start: number, stop: number): boolean {
  // Every fortieth byte, and what stands before it.
  for (let from = start, at = start + shortestDrawn - 1; at < stop; at = from + shortestDrawn - 1) {
    let first = at
    while (first >= from && drawn[block[first] as number] === 1) first--
    if (first >= from) {
      from = first + 1
      continue
    }
    let lower = false
    let upper = false
    let digits = 0
    const free = first < start || notBeforeDrawn[block[first] as number] === 0
    for (first++; first < stop && drawn[block[first] as number] === 1; first++) {
      const byte = block[first] as number
      if (byte >= 0x61 && byte <= 0x7a) lower = true
      else if (byte >= 0x41 && byte <= 0x5a) upper = true
      else if (byte >= 0x30 && byte <= 0x39) digits++
    }
    if (free && lower && upper && digits >= 3) return true
    from = first
  }
  return false
}

// ---- the automaton ----------------------------------------------------------------------

const mostStates = 4000
const mostNames = 32
const longestLiteral = 16
const lineFeed = 0x0a
const known = -1

/** The longest piece of a value that is written the same in JSON, and in JSON inside JSON. */
const pieceOf = (value: string): string =>
  value
    .split(/["\\\0-\x1f\x7f-\uffff<>&]/)
    .reduce((a, b) => (b.length > a.length ? b : a), '')
    .slice(0, longestLiteral)

function larger(table: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const twice = new Int32Array(table.length * 2)
  twice.set(table)
  return twice
}

/** A set of places in patterns for every state, made when it is first reached. */
export class Suspicion {
  /** Of the newest line that was scanned: where the signs behind suspicious names stand. */
  readonly named = new Int32Array(mostNames)
  /** Patterns one behind the other; a place is an index of it. */
  readonly #elements: Element[] = []
  /** By place, of the last element of a pattern: 1, of a name's 2. */
  readonly #ends: number[] = []
  readonly #first: number[] = []
  /** Bytes that no element tells apart are one class. */
  readonly #classes = new Uint8Array(256)
  #classCount = 1
  /** By class: a byte of it, and what is reached from the beginnings of all patterns. */
  readonly #examples: number[] = []
  readonly #begun: { places: number[]; end: number }[] = []
  readonly #ids = new Map<string, number>()
  #sets: number[][] = []
  /**
   * By row (state times number of classes) and class: the row of the next state, negative when a name ends there, `known` when
   * anything else does, 0: not known yet.
   */
  #table = new Int32Array(0)
  /** The same with 0 for all that is not a row. */
  #plain = new Int32Array(0)
  #start = 0

  /** `traces`: of known values what must stand in a text that holds one. */
  constructor(traces: Iterable<string>) {
    // A value without such a piece has a sign in it that is suspect by itself, but for quotes and backslashes.
    const pieces = new Set([...traces].map(pieceOf))
    const literals = [...pieces].map((piece) => (piece === '' ? [one(/["\\]/)] : exactly(piece)))
    for (const pattern of [...shapes(), ...literals]) this.#add(pattern, 1)
    for (const pattern of names()) this.#add(pattern, 2)
    this.#classify()
    for (let c = 0; c < this.#classCount; c++) this.#begun.push(this.#stepped(this.#first, c))
    this.#restart()
  }

  #add(pattern: Pattern, end: number): void {
    this.#first.push(this.#elements.length)
    for (const element of pattern) {
      this.#elements.push(element)
      this.#ends.push(0)
    }
    this.#ends[this.#ends.length - 1] = end
  }

  #classify(): void {
    for (const set of new Set(this.#elements.map((element) => element.set))) {
      const split = new Map<number, number>()
      for (let byte = 0; byte < 256; byte++) {
        const both = (this.#classes[byte] as number) * 2 + (set[byte] as number)
        const id = split.get(both) ?? split.size
        split.set(both, id)
        this.#classes[byte] = id
      }
      this.#classCount = split.size
    }
    this.#classes.forEach((c, byte) => (this.#examples[c] = byte))
  }

  /** How many suspicious names stand in a line, all of them in `named`; -1: it could hold something else, or there are too many. */
  scan(block: Uint8Array, start: number, stop: number): number {
    const classes = this.#classes
    let plain = this.#plain
    let row = this.#start
    let count = 0
    for (let i = start; i < stop;) {
      if (i + 4 <= stop) {
        // What is not plain leads to row 0, from which all leads to row 0: it is enough to look after four bytes.
        let next = plain[row + (classes[block[i] as number] as number)] as number
        next = plain[next + (classes[block[i + 1] as number] as number)] as number
        next = plain[next + (classes[block[i + 2] as number] as number)] as number
        next = plain[next + (classes[block[i + 3] as number] as number)] as number
        if (next !== 0) {
          row = next
          i += 4
          continue
        }
      }
      const column = classes[block[i] as number] as number
      let next = this.#table[row + column] as number
      if (next === 0) {
        // Too many states for one table: begin again. That many are reached by no ordinary log.
        if (this.#sets.length > mostStates) {
          this.#restart()
          return -1
        }
        next = this.#step(row, column)
        plain = this.#plain
      }
      if (next === known) return -1
      if (next < 0) {
        if (count === mostNames) return -1
        this.named[count++] = i
        next = -next
      }
      row = next
      i++
    }
    return hasDrawn(block, start, stop) ? -1 : count
  }

  #restart(): void {
    // No state is 0, and a row is never as small as the number of a sign.
    this.#sets = [[]]
    this.#ids.clear()
    this.#table = new Int32Array(this.#classCount * 64)
    this.#plain = new Int32Array(this.#table.length)
    const empty = this.#rowOf([])
    const next = this.#step(empty, this.#classes[lineFeed] as number)
    this.#start = next === known ? empty : Math.abs(next)
  }

  /** The places after all of these that a byte of this class may stand at, and what ends there. */
  #stepped(places: readonly number[], column: number): { places: number[]; end: number } {
    const byte = this.#examples[column] as number
    const reached = new Set<number>()
    let end = 0
    const add = (place: number): void => {
      // Those that may be left out stand for what follows them, too.
      for (let at = place; !reached.has(at); at++) {
        reached.add(at)
        if (this.#elements[at]?.many !== true) break
      }
    }
    for (const place of places) {
      const element = this.#elements[place] as Element
      if (element.set[byte] !== 1) continue
      if (element.many) add(place)
      else if (this.#ends[place] === 0) add(place + 1)
      // What is more than a name counts.
      else end = end === 1 ? 1 : (this.#ends[place] as number)
    }
    return { places: [...reached], end }
  }

  #rowOf(places: number[]): number {
    const key = places.sort((a, b) => a - b).join()
    let id = this.#ids.get(key)
    if (id === undefined) {
      id = this.#sets.length
      this.#sets.push(places)
      this.#ids.set(key, id)
      if (this.#table.length < (id + 1) * this.#classCount) {
        this.#table = larger(this.#table)
        this.#plain = larger(this.#plain)
      }
    }
    return id * this.#classCount
  }

  #step(row: number, column: number): number {
    const begun = this.#begun[column] as { places: number[]; end: number }
    const gone = this.#stepped(this.#sets[row / this.#classCount] as number[], column)
    let next = known
    if (begun.end !== 1 && gone.end !== 1) {
      next = this.#rowOf([...new Set([...begun.places, ...gone.places])])
      if (begun.end + gone.end > 0) next = -next
    }
    this.#table[row + column] = next
    this.#plain[row + column] = Math.max(0, next)
    return next
  }
}
