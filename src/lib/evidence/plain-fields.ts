/**
 * Reads lines of MCPProxy's logs byte by byte, and only those in which all is written in the one way in which JSON.stringify writes
 * it: of these a value can be replaced where it stands.
 */

/** Places of one value: where its name begins and ends, without quotes, and where it begins and ends itself, with quotes if any. */
export const placesPerValue = 4

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const minus = 0x2d
const dot = 0x2e
const colon = 0x3a
const blank = 0x20
const bar = 0x7c
const zero = 0x30
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

const mostNames = 256
const mostDepth = 8
/** More digits are not always the same number in JavaScript. */
const mostDigits = 15

const tableOf = (expression: RegExp): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (expression.test(String.fromCharCode(byte)) ? 1 : 0))
const upper = tableOf(/[A-Z]/)
const digit = tableOf(/\d/)
/** A name that begins with a digit may be moved to the front. */
const nameBegins = tableOf(/[A-Za-z_]/)
/** What stands for itself in a string. */
const plain = tableOf(/[ !#-[\]-~]/)
const escapes = tableOf(/["\\nrtbf]/)

export class PlainFields {
  /** Of the newest line that was read: by sign the places of its value, one behind the other. */
  places = new Int32Array(0)
  /** In the names of an object none may be there twice. */
  readonly #hashes = new Int32Array(mostNames)
  #block: Uint8Array = new Uint8Array(0)
  #signs: Int32Array = new Int32Array(0)
  #count = 0
  /** Of the signs those that were met. */
  #met = 0
  /** Blanks behind a colon or comma. */
  #blanks = 0
  #isJson = false
  #hasTime = false
  #hasMessage = false

  /**
   * False: the line is another one, or one of the signs is not the colon between a name and a string, number, true, false or null.
   * `signs`: `count` places, in order.
   */
  read(block: Uint8Array, start: number, stop: number, signs: Int32Array, count: number): boolean {
    this.#block = block
    this.#signs = signs
    this.#count = count
    this.#met = 0
    if (this.places.length < count * placesPerValue) this.places = new Int32Array(signs.length * placesPerValue)
    this.#isJson = block[start] === openBrace
    this.#blanks = this.#isJson ? 0 : 1
    this.#hasTime = this.#hasMessage = false
    const from = this.#isJson ? start : fieldsOf(block, start, stop)
    if (from < 0 || this.#object(from, stop, 0, 0) !== stop || this.#met !== count) return false
    return !this.#isJson || (this.#hasTime && this.#hasMessage)
  }

  /** Each of these gives the place behind what it has read, -1: something else stands there. `names`: so many hashes are taken. */
  #object(start: number, stop: number, depth: number, names: number): number {
    const block = this.#block
    let at = start + 1
    if (block[at] === closeBrace) return at + 1
    if (depth === mostDepth) return -1
    for (let taken = names; ; at++) {
      if (block[at] !== quote || nameBegins[block[at + 1] as number] !== 1) return -1
      const name = at + 1
      let hash = 0
      for (at = name; at < stop && plain[block[at] as number] === 1; at++) hash = (Math.imul(hash, 31) + (block[at] as number)) | 0
      const nameStop = at
      if (block[at] !== quote || block[at + 1] !== colon) return -1
      for (let other = names; other < taken; other++) if (this.#hashes[other] === hash) return -1
      if (taken === mostNames) return -1
      this.#hashes[taken++] = hash
      const sign = at + 1
      at = sign + 1
      if (this.#blanks === 1 && block[at++] !== blank) return -1
      const from = at
      at = this.#value(at, stop, depth, taken)
      if (at < 0) return -1
      if (this.#isJson && depth === 0) this.#known(name, nameStop, from, at)
      if (this.#met < this.#count && this.#signs[this.#met] === sign) {
        if (block[from] === openBrace || block[from] === openBracket) return -1
        const place = this.#met++ * placesPerValue
        this.places[place] = name
        this.places[place + 1] = nameStop
        this.places[place + 2] = from
        this.places[place + 3] = at
      }
      if (block[at] === closeBrace) return at + 1
      if (block[at] !== comma) return -1
      if (this.#blanks === 1 && block[++at] !== blank) return -1
    }
  }

  #array(start: number, stop: number, depth: number, names: number): number {
    const block = this.#block
    let at = start + 1
    if (block[at] === closeBracket) return at + 1
    if (depth === mostDepth) return -1
    for (; ; at++) {
      at = this.#value(at, stop, depth, names)
      if (at < 0) return -1
      if (block[at] === closeBracket) return at + 1
      if (block[at] !== comma) return -1
      if (this.#blanks === 1 && block[++at] !== blank) return -1
    }
  }

  #value(start: number, stop: number, depth: number, names: number): number {
    const block = this.#block
    const first = block[start] as number
    if (first === quote) {
      for (let at = start + 1; at < stop; at++) {
        const byte = block[at] as number
        if (plain[byte] === 1) continue
        if (byte === quote) return at + 1
        if (byte !== backslash || escapes[block[++at] as number] !== 1) return -1
      }
      return -1
    }
    if (first === openBrace) return this.#object(start, stop, depth + 1, names)
    if (first === openBracket) return this.#array(start, stop, depth + 1, names)
    if (first === minus || digit[first] === 1) return numberStop(block, start, stop)
    for (const word of words) if (block[start] === word[0] && startsWith(block, start, stop, word)) return start + word.length
    return -1
  }

  /** Without these two it is no line of a log. */
  #known(name: number, nameStop: number, from: number, to: number): void {
    const isText = this.#block[from] === quote
    if (isText && nameStop - name === time.length && startsWith(this.#block, name, nameStop, time))
      this.#hasTime = timeStop(this.#block, from + 1) === to - 1
    else if (isText && nameStop - name === message.length && startsWith(this.#block, name, nameStop, message)) this.#hasMessage = true
  }
}

const words = ['true', 'false', 'null'].map((word) => Buffer.from(word))
const time = Buffer.from('ts')
const message = Buffer.from('msg')

function startsWith(block: Uint8Array, at: number, stop: number, word: Uint8Array): boolean {
  if (at + word.length > stop) return false
  for (let i = 0; i < word.length; i++) if (block[at + i] !== word[i]) return false
  return true
}

/** Without an exponent, zeros that could be left out, or more digits than a number keeps. */
function numberStop(block: Uint8Array, start: number, stop: number): number {
  let at = block[start] === minus ? start + 1 : start
  const whole = at
  while (at < stop && digit[block[at] as number] === 1) at++
  const isZero = block[whole] === zero
  if (at === whole || (isZero && at - whole > 1)) return -1
  if (block[at] !== dot) return at - whole > mostDigits || (isZero && whole > start) ? -1 : at
  const point = at++
  while (at < stop && digit[block[at] as number] === 1) at++
  // Small ones are written with an exponent.
  if (at - point === 1 || block[at - 1] === zero || at - whole > mostDigits || (isZero && block[point + 1] === zero)) return -1
  return at
}

/** Where `2026-11-22T21:47:29.136Z`, `2026-11-22T21:47:29+02:00` ends; -1: something else. */
function timeStop(block: Uint8Array, start: number): number {
  const two = (at: number, most: number): boolean => {
    const value = ((block[at] as number) - zero) * 10 + (block[at + 1] as number) - zero
    return digit[block[at] as number] === 1 && digit[block[at + 1] as number] === 1 && value <= most
  }
  const isZero = (at: number): boolean => block[at] === zero && block[at + 1] === zero
  if (!two(start, 99) || !two(start + 2, 99) || block[start + 4] !== minus || !two(start + 5, 12) || isZero(start + 5)) return -1
  if (block[start + 7] !== minus || !two(start + 8, 31) || isZero(start + 8) || block[start + 10] !== 0x54) return -1
  if (!two(start + 11, 23) || block[start + 13] !== colon || !two(start + 14, 59) || block[start + 16] !== colon) return -1
  if (!two(start + 17, 59)) return -1
  let at = start + 19
  if (block[at] === dot) {
    const point = at++
    while (digit[block[at] as number] === 1) at++
    if (at - point === 1) return -1
  }
  if (block[at] === 0x5a) return at + 1
  if (block[at] !== 0x2b && block[at] !== minus) return -1
  return two(at + 1, 23) && block[at + 3] === colon && two(at + 4, 59) ? at + 6 : -1
}

const isBar = (block: Uint8Array, at: number): boolean => block[at] === blank && block[at + 1] === bar && block[at + 2] === blank

function barFrom(block: Uint8Array, start: number, stop: number): number {
  for (let at = start; at < stop - 2; at++) if (block[at + 1] === bar && isBar(block, at)) return at
  return -1
}

/** Where the fields begin of `TIME | LEVEL | [logger | ]caller.go:1 | message | {`; -1: it is another line. */
function fieldsOf(block: Uint8Array, start: number, stop: number): number {
  let at = timeStop(block, start)
  if (at < 0 || at > stop || !isBar(block, at)) return -1
  const level = at + 3
  for (at = level; at < stop && upper[block[at] as number] === 1;) at++
  if (at === level || !isBar(block, at)) return -1
  let next = at + 3
  for (let columns = 0; ; columns++) {
    if (columns === 2) return -1
    const from = next
    at = barFrom(block, from, stop)
    if (at < 0) return -1
    next = at + 3
    if (isCaller(block, from, at)) break
  }
  for (at = barFrom(block, next, stop); at >= 0; at = barFrom(block, at + 1, stop)) if (block[at + 3] === openBrace) return at + 3
  return -1
}

/** `t/main.go:40`, `asm.s:7` */
function isCaller(block: Uint8Array, start: number, stop: number): boolean {
  let at = stop - 1
  while (at > start && digit[block[at] as number] === 1) at--
  if (at === stop - 1 || block[at] !== colon) return false
  if (at - 2 >= start && block[at - 1] === 0x73 && block[at - 2] === dot) return true
  return at - 3 >= start && block[at - 1] === 0x6f && block[at - 2] === 0x67 && block[at - 3] === dot
}
