/**
 * Finds the lines of a block of bytes that hold some text, without decoding any other.
 *
 * A short part of the text is looked for, one that is rare in this log, and the rest is compared where it is found: sixteen bytes
 * at a time (simd-search.ts), or with Buffer.indexOf. That looks for needles of at most 7 bytes by their first byte, at the speed of
 * memory; for longer ones it is four times slower (kBMMinPatternLength in Node's string_search.h).
 */

import { canSearch, isSearchable, searchPair, searchTriples, type ByteOf, type SimdSearch } from './simd-search.ts'

/** Lines that hold this text, or all of these texts; no text has a line feed. */
export type Wanted = string | readonly string[]

const needlesOf = (texts: Wanted): Buffer[] => (typeof texts === 'string' ? [texts] : texts).map((text) => Buffer.from(text))

/** Calls `hit` with the limits of each line (without its line feed), in order. */
export type LineFinder = (block: Buffer, hit: (start: number, stop: number) => void) => void

const newline = 0x0a
const longestPart = 7
const sampleSize = 65_536
/** What a pass over a sample costs, counted in finds of a first byte (2 µs and 20 ns were measured); and a find of the whole part. */
const passCost = 100
const findCost = 30
/** Sixteen bytes at a time, finds of a first byte cost nothing, and three bytes in a row are needed. */
const withIndexOf = { firstCost: 1, shortest: 2 }
const withSimd = { firstCost: 0, shortest: 3 }
/** What one text, and several, cost by WebAssembly, counted in the same way. */
const simdCost = { pair: 300, triples: 800 }

interface Use {
  /** All texts of the group, the one that the part is from first. */
  needles: readonly Buffer[]
  /** Where in the first the part begins. */
  at: number
}

interface Anchor {
  part: Buffer
  uses: Use[]
}

/** `sample`: a piece of the log, by which rare bytes are told from common ones. */
export function createLineFinder(wanted: readonly Wanted[], sample: Buffer): LineFinder {
  return finderOf(wanted, sample, false)
}

/** `anyCase`: of letters of ASCII; the texts are in lower case. */
function finderOf(wanted: readonly Wanted[], sample: Buffer, anyCase: boolean): LineFinder {
  const pieceOf = (block: Buffer): Buffer => {
    const piece = block.subarray(-sampleSize)
    return anyCase ? lowered(piece) : piece
  }
  let plain: LineFinder | undefined
  const findPlain: LineFinder = (block, hit) => {
    plain ??= plainFinder(sample.length < worthChoosing ? firstParts(wanted) : chooseAnchors(wanted, pieceOf(sample), withIndexOf))
    plain(anyCase ? lowered(block) : block, hit)
  }
  const chosen = (from: Buffer): LineSearch | null => {
    const piece = pieceOf(from)
    const anchors = chooseAnchors(wanted, piece, withSimd)
    return (
      (anyCase ? null : rareFinder(wanted, piece, anchors.length === 1 ? simdCost.pair : simdCost.triples)) ??
      (canSearch(from) ? simdFinder(anchors, piece, anyCase) : null)
    )
  }
  let search: LineSearch | null | undefined
  let choices = 0
  return (block, hit) => {
    if (!isSearchable(block)) return findPlain(block, hit)
    if (search === undefined) search = chosen(block)
    if (search === null) return findPlain(block, hit)
    const found = search(block, hit)
    // Rare in the sample, common here: chosen again, from here.
    if (choices < mostChoices && found.places > block.length / 4096 && found.places > 8 * found.lines) {
      search = chosen(block)
      choices++
    }
  }
}

const mostChoices = 4

// ---- without WebAssembly ----------------------------------------------------------

function plainFinder(anchors: readonly Anchor[]): LineFinder {
  return (block, hit) => {
    const [only] = anchors
    if (anchors.length === 1 && only !== undefined) return findLines(block, only, hit)
    const found = new Map<number, number>()
    for (const anchor of anchors) findLines(block, anchor, (start, stop) => found.set(start, stop))
    for (const [start, stop] of [...found].sort((a, b) => a[0] - b[0])) hit(start, stop)
  }
}

function findLines(block: Buffer, { part, uses }: Anchor, hit: (start: number, stop: number) => void): void {
  for (let at = block.indexOf(part); at >= 0;) {
    const stop = uses.some((use) => holdsFirst(block, at - use.at, use)) ? lineEnd(block, at) : -1
    const start = stop < 0 ? -1 : block.lastIndexOf(newline, at) + 1
    if (stop >= 0 && uses.some((use) => holdsFirst(block, at - use.at, use) && holdsOthers(block, start, stop, use))) {
      hit(start, stop)
      at = block.indexOf(part, stop + 1)
    } else at = block.indexOf(part, at + 1)
  }
}

function holdsFirst(block: Buffer, begin: number, { needles }: Use): boolean {
  const [first] = needles as [Buffer]
  return begin >= 0 && begin + first.length <= block.length && first.compare(block, begin, begin + first.length) === 0
}

const holdsOthers = (block: Buffer, start: number, stop: number, { needles }: Use): boolean =>
  needles.length === 1 || needles.every((needle, i) => i === 0 || block.subarray(start, stop).includes(needle))

const lineEnd = (block: Buffer, from: number): number => {
  const stop = block.indexOf(newline, from)
  return stop < 0 ? block.length : stop
}

// ---- with it ----------------------------------------------------------------------

/** `places`: where something could have begun. */
type LineSearch = (block: Buffer, hit: (start: number, stop: number) => void) => { places: number; lines: number }

/** What the first bytes cost is counted once in so many blocks. */
const countedEach = 8

/**
 * Parts that begin with bytes that are rare in this log are found by Node (`memchr`) at several times the speed of two bytes at their
 * distance. Null: that costs more than `limit` here.
 */
function rareFinder(wanted: readonly Wanted[], sample: Buffer, limit: number): LineSearch | null {
  const anchors = chooseAnchors(wanted, sample, withIndexOf)
  const costs = (piece: Buffer): number =>
    anchors.reduce((sum, { part }) => sum + passCost + occurrences(piece, part.subarray(0, 1)) + findCost * occurrences(piece, part), 0)
  if (costs(sample) > limit) return null
  const find = plainFinder(anchors)
  let blocks = 0
  return (block, hit) => {
    let lines = 0
    find(block, (start, stop) => {
      lines++
      hit(start, stop)
    })
    const common = blocks++ % countedEach === 0 && costs(block.subarray(-sampleSize)) > 2 * limit
    return { places: common ? block.length : lines, lines }
  }
}

/** What is looked for in lines, by a part of it that most of the log does not have. */
export interface Sought {
  part: Buffer
  /** All that stands in such a line. */
  texts: readonly Buffer[]
}

/** Each takes a pass. */
const mostSought = 3
/** In a piece of the log; each takes some microseconds. */
const seldom = 4

/** By parts that are rare in this piece of the log, so that most pieces can be passed over; null: there are none, or too many to look for. */
export function rareParts(wanted: readonly Wanted[], piece: Buffer): Sought[] | null {
  if (wanted.length > mostSought) return null
  const frequency = frequencies(piece, everywhere)
  const often = (part: Buffer): number => frequency[part[0] as number] as number
  const sought: Sought[] = []
  for (const group of wanted) {
    const texts = needlesOf(group)
    const parts = texts.flatMap((text) =>
      Array.from({ length: Math.max(1, text.length - longestPart + 1) }, (_, at) => text.subarray(at, at + longestPart)),
    )
    const part = parts.sort((x, y) => often(x) - often(y)).find((one) => occurrences(piece, one, seldom + 1) <= seldom)
    if (part === undefined) return null
    sought.push({ part, texts })
  }
  return sought
}

/**
 * Whether one of these lines is wanted, or may be: the first and the last may go on before and behind these bytes, and where parts are not
 * rare, not all are looked at. It uses nothing from around it, because another thread gets its text (second-reader.ts).
 */
export function mayHold(bytes: Buffer, sought: readonly Sought[]): boolean {
  const [newline, most] = [0x0a, 16]
  let places = 0
  for (const { part, texts } of sought) {
    for (let at = bytes.indexOf(part); at >= 0;) {
      const before = bytes.lastIndexOf(newline, at)
      const stop = bytes.indexOf(newline, at)
      if (before < 0 || stop < 0 || ++places > most) return true
      const line = bytes.subarray(before + 1, stop)
      if (texts.every((text) => line.includes(text))) return true
      at = bytes.indexOf(part, stop + 1)
    }
  }
  return false
}

interface Probe {
  /** Of the part. */
  search: SimdSearch
  /** What may begin where the byte is this one, each with the distance from its first byte to there. */
  byByte: (readonly { use: Use; distance: number }[] | undefined)[]
}

/** Null: a part is too short. Several texts are not looked for in any case. */
function simdFinder(anchors: readonly Anchor[], sample: Buffer, anyCase: boolean): LineSearch | null {
  const probe = anchors.length === 1 ? pairProbe(anchors[0] as Anchor, sample, anyCase) : triplesProbe(anchors, sample)
  if (probe === null) return null
  const { search, byByte } = probe
  return (block, hit) => {
    let places = 0
    let lines = 0
    let past = 0
    const found = (at: number): void => {
      places++
      // Beyond the line that was the last hit, or beyond the block.
      if (at < past || at >= block.length) return
      const uses = byByte[block[at] as number]
      if (uses === undefined) return
      let stop = -1
      let start = -1
      for (const { use, distance } of uses) {
        if (!holds(block, at - distance, use.needles[0] as Buffer, anyCase)) continue
        if (stop < 0) {
          stop = lineEnd(block, at)
          start = block.lastIndexOf(newline, at) + 1
        }
        if (!holdsOthers(block, start, stop, use)) continue
        lines++
        past = stop + 1
        return hit(start, stop)
      }
    }
    search(block, found)
    return { places, lines }
  }
}

function holds(block: Buffer, begin: number, needle: Buffer, anyCase: boolean): boolean {
  if (begin < 0 || begin + needle.length > block.length) return false
  for (let i = 0; i < needle.length; i++) {
    const byte = block[begin + i] as number
    if ((anyCase ? lowerCase(byte) : byte) !== needle[i]) return false
  }
  return true
}

const isLetter = (lower: number): boolean => lower >= 0x61 && lower <= 0x7a

/** Of the part, the two bytes that are there together most seldom. */
function pairProbe({ part, uses }: Anchor, sample: Buffer, anyCase: boolean): Probe {
  const frequency = frequencies(sample)
  const often = (i: number): number => frequency[part[i] as number] as number
  const rarest = [...part.keys()].reduce((a, b) => (often(b) < often(a) ? b : a))
  const places: number[] = []
  const first = part[rarest] as number
  for (let at = sample.indexOf(first); at >= 0 && places.length < mostCounted; at = sample.indexOf(first, at + 1)) places.push(at)
  const together = (i: number): number => places.filter((at) => sample[at + i - rarest] === part[i]).length
  const other = [...part.keys()].filter((i) => i !== rarest).reduce((a, b) => (a === rarest || together(b) < together(a) ? b : a), rarest)
  const [from, to] = [Math.min(rarest, other), Math.max(rarest, other)]
  const byteOf = (at: number): ByteOf => ({ value: part[at] as number, anyCase: anyCase && isLetter(part[at] as number) })
  const byByte: Probe['byByte'] = []
  const begun = byteOf(from)
  for (const byte of begun.anyCase ? [begun.value, begun.value & ~0x20] : [begun.value])
    byByte[byte] = uses.map((use) => ({ use, distance: use.at + from }))
  return { search: searchPair(begun, byteOf(to), to - from), byByte }
}

/** Null: one of the parts is too short. */
function triplesProbe(anchors: readonly Anchor[], sample: Buffer): Probe | null {
  if (anchors.some(({ part }) => part.length < 3)) return null
  const frequency = frequencies(sample)
  const weight = (three: Buffer): number => three.reduce((product, byte) => product * (frequency[byte] as number), 1)
  const triples: Buffer[] = []
  const byByte: { use: Use; distance: number }[][] = []
  for (const { part, uses } of anchors) {
    const all = Array.from({ length: part.length - 2 }, (_, at) => part.subarray(at, at + 3))
    const best = all.reduce((a, b) => (weight(b) < weight(a) ? b : a))
    triples.push(best)
    const known = (byByte[best[0] as number] ??= [])
    known.push(...uses.map((use) => ({ use, distance: use.at + all.indexOf(best) })))
  }
  return { search: searchTriples(triples), byByte }
}

/** Prime numbers, so that they do not fall into step with anything in the lines. */
const [nearby, everywhere] = [31, 509]

/** Of some bytes, and counted for all: that tells rare ones from common ones as well. */
function frequencies(sample: Buffer, stride = nearby): Uint32Array {
  const frequency = new Uint32Array(256)
  const step = sample.length < 4096 ? 1 : stride
  for (let at = 0; at < sample.length; at += step) frequency[sample[at] as number] = (frequency[sample[at] as number] as number) + step
  return frequency
}

// ---- parts ------------------------------------------------------------------------

/** Few parts that together stand for all that is wanted: one that several have in common saves a pass. */
function chooseAnchors(wanted: readonly Wanted[], piece: Buffer, { firstCost, shortest }: typeof withSimd): Anchor[] {
  const frequency = frequencies(piece)
  const parts = new Map<string, { part: Buffer; uses: Map<number, Use>; cost: number | null }>()
  wanted.forEach((texts, group) => {
    const needles = needlesOf(texts)
    needles.forEach((needle, i) => {
      const use = [needle, ...needles.filter((_, j) => j !== i)]
      for (let at = 0; at === 0 || at + shortest <= needle.length; at++) {
        const part = needle.subarray(at, at + longestPart)
        const key = part.toString('latin1')
        const known = parts.get(key) ?? { part, uses: new Map<number, Use>(), cost: null }
        if (!known.uses.has(group)) known.uses.set(group, { needles: use, at })
        parts.set(key, known)
      }
    })
  })
  const first = ({ part }: { part: Buffer }): number => firstCost * (frequency[part[0] as number] as number)
  const left = new Set(wanted.keys())
  const anchors: Anchor[] = []
  while (left.size > 0) {
    let best: { part: Buffer; uses: Use[]; covered: number[]; each: number } | null = null
    for (const known of parts.values()) {
      const covered = [...known.uses.keys()].filter((group) => left.has(group))
      if (covered.length === 0 || (best && (passCost + first(known)) / covered.length >= best.each)) continue
      known.cost ??= passCost + first(known) + findCost * occurrences(piece, known.part)
      const each = known.cost / covered.length
      if (best === null || each < best.each)
        best = { part: known.part, uses: covered.map((group) => known.uses.get(group) as Use), covered, each }
    }
    if (best === null) break
    for (const group of best.covered) left.delete(group)
    anchors.push({ part: best.part, uses: best.uses })
  }
  return anchors
}

/** To search less than this is over before the parts are chosen. */
const worthChoosing = 512 * 1024

/** How each text, the longest of its group, begins. */
const firstParts = (wanted: readonly Wanted[]): Anchor[] =>
  wanted.map((texts) => {
    const needles = needlesOf(texts)
    const longest = needles.reduce((a, b) => (b.length > a.length ? b : a))
    return { part: longest.subarray(0, longestPart), uses: [{ needles: [longest, ...needles.filter((n) => n !== longest)], at: 0 }] }
  })

const mostCounted = 5000

function occurrences(sample: Buffer, part: Buffer, most = mostCounted): number {
  let n = 0
  for (let at = sample.indexOf(part); at >= 0 && n < most; at = sample.indexOf(part, at + 1)) n++
  return n
}

// ---- any case ---------------------------------------------------------------------

/** A text in any case: the letters of ASCII in bytes, others by comparing decoded lines. */
export interface AnyCase {
  find: LineFinder
  /** Whether a line holds it. */
  test(line: Buffer): boolean
}

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text)

/** `text`: not empty, one line. */
export function createAnyCase(text: string, sample: Buffer): AnyCase {
  const lower = text.toLowerCase()
  const decoded = (line: Buffer): boolean => line.toString('utf8').toLowerCase().includes(lower)
  if (isAscii(text)) {
    const needle = Buffer.from(lower)
    return { find: finderOf([lower], sample, /[a-z]/.test(lower)), test: (line) => lowered(line).includes(needle) }
  }
  // What has no case can be looked for as it is.
  if (lower === text.toUpperCase()) {
    const needle = Buffer.from(text)
    return { find: createLineFinder([text], sample), test: (line) => line.includes(needle) }
  }
  return {
    find: (block, hit) => {
      eachLine(block, (start, stop) => {
        if (decoded(block.subarray(start, stop))) hit(start, stop)
      })
    },
    test: decoded,
  }
}

/** All lines of a block; an empty last one is none. */
export function eachLine(block: Buffer, hit: (start: number, stop: number) => void): void {
  for (let start = 0; start < block.length;) {
    const stop = lineEnd(block, start)
    hit(start, stop)
    start = stop + 1
  }
}

const lowerCase = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)

function lowered(line: Buffer): Buffer {
  const result = Buffer.allocUnsafe(line.length)
  for (let i = 0; i < line.length; i++) result[i] = lowerCase(line[i] as number)
  return result
}
