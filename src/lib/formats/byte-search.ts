/**
 * Finds the lines of a block of bytes that hold some text, without decoding any other.
 *
 * Buffer.indexOf looks for needles of at most 7 bytes by their first byte, at the speed of memory; for longer ones it
 * is four times slower (kBMMinPatternLength in Node's string_search.h). So a short part of the text is looked for whose
 * first byte is rare in this log, and the rest is compared where it is found.
 */

import { createLowerCase } from './lower-case.ts'

/** Lines that hold this text, or all of these texts. */
export type Wanted = string | readonly string[]

/** Calls `hit` with the limits of each line (without its line feed), in order. */
export type LineFinder = (block: Buffer, hit: (start: number, stop: number) => void) => void

const newline = 0x0a
const longestPart = 7
const shortestPart = 2
const sampleSize = 65_536
/** What a pass over a sample costs, counted in finds of a first byte (2 µs and 20 ns were measured); and a find of the whole part. */
const passCost = 100
const findCost = 30

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
  const anchors = chooseAnchors(wanted, sample)
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

/** Few parts that together stand for all that is wanted: one that several have in common saves a pass. */
function chooseAnchors(wanted: readonly Wanted[], sample: Buffer): Anchor[] {
  const piece = sample.subarray(-sampleSize)
  const frequency = new Uint32Array(256)
  for (const byte of piece) frequency[byte] = (frequency[byte] as number) + 1
  const parts = new Map<string, { part: Buffer; uses: Map<number, Use>; cost: number | null }>()
  wanted.forEach((texts, group) => {
    const needles = (typeof texts === 'string' ? [texts] : texts).map((text) => Buffer.from(text))
    needles.forEach((needle, i) => {
      const use = [needle, ...needles.filter((_, j) => j !== i)]
      for (let at = 0; at === 0 || at + shortestPart <= needle.length; at++) {
        const part = needle.subarray(at, at + longestPart)
        const key = part.toString('latin1')
        const known = parts.get(key) ?? { part, uses: new Map<number, Use>(), cost: null }
        if (!known.uses.has(group)) known.uses.set(group, { needles: use, at })
        parts.set(key, known)
      }
    })
  })
  const first = ({ part }: { part: Buffer }): number => frequency[part[0] as number] as number
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

function occurrences(sample: Buffer, part: Buffer): number {
  let n = 0
  for (let at = sample.indexOf(part); at >= 0 && n < 5000; at = sample.indexOf(part, at + 1)) n++
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
    return { find: asciiFinder(needle, sample), test: (line) => lowered(line).includes(needle) }
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

/** The block in lower case, and there as with any other text. */
function asciiFinder(needle: Buffer, sample: Buffer): LineFinder {
  const text = needle.toString('latin1')
  const find = createLineFinder([text], lowered(sample.subarray(-sampleSize)))
  // Without letters there is nothing to fold.
  if (!/[a-z]/.test(text)) return find
  const lower = createLowerCase()
  return (block, hit) => find(lower(block), hit)
}

function lowered(line: Buffer): Buffer {
  const result = Buffer.allocUnsafe(line.length)
  for (let i = 0; i < line.length; i++) {
    const byte = line[i] as number
    result[i] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
  }
  return result
}
