/** How one value may be written in different texts. */

/**
 * `raw`: the text is no JSON, so a quote in it is a quote. `plain`: readable, in quotes of all kinds. `encoded`: URL and base64, also as a part of
 * something longer.
 */
export function spellings(value: string, raw: boolean): { plain: string[]; encoded: string[] } {
  const plain = new Set([
    value,
    value.replaceAll("'", `'\\''`),
    value.replace(/["$`\\]/g, '\\$&'),
    value.replace(/[^\w@%+=:,./-]/g, '\\$&'),
  ])
  for (const spelled of [...plain]) {
    const json = JSON.stringify(spelled).slice(1, -1)
    plain.add(json)
    plain.add(JSON.stringify(json).slice(1, -1))
    // encoding/json of Go writes these three so.
    plain.add(json.replaceAll('&', '\\u0026').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e'))
    if (/[^\0-\x7f]/.test(spelled)) plain.add(json.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))
    // A file that is no UTF-8 is read byte by byte.
    if (/[^\0-\x7f]/.test(spelled)) plain.add(Buffer.from(spelled).toString('latin1'))
  }
  // A lone surrogate cannot be URL-encoded.
  const whole = value.replace(/[\uD800-\uDFFF]/g, '')
  const url = encodeURIComponent(whole)
  const encoded = new Set([
    url,
    url.replace(/%[0-9A-F]{2}/g, (c) => c.toLowerCase()),
    url.replaceAll('%20', '+'),
    url.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
    encodeURIComponent(url),
    ...base64Of(value),
  ])
  // A quote or backslash of JSON's own must not be eaten: such spellings only where they are escaped.
  return {
    plain: [...plain].filter((s) => s !== '' && (raw || !/(?<!\\)(?:\\\\)*"/.test(s))).sort((a, b) => b.length - a.length),
    encoded: [...encoded].filter((s) => !plain.has(s) && s.length >= 8),
  }
}

/** What a part of an address stands for: programs name a password as it is, `p@ss` for `p%40ss`. Null: it is not spelled so. */
export function percentDecoded(value: string): string | null {
  if (!/%[0-9A-Fa-f]{2}/.test(value)) return null
  try {
    const text = decodeURIComponent(value)
    return text.length < 4 || /\p{Cc}/u.test(text) ? null : text
  } catch {
    return null
  }
}

/** What of it is the same wherever it stands in something longer, e.g. `user:password` of a Basic header. */
function base64Of(value: string): string[] {
  const bytes = Buffer.from(value)
  if (bytes.length < 8) return []
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes])
    const text = padded.toString('base64').replace(/=+$/, '')
    const from = before === 0 ? 0 : before + 1
    const to = padded.length % 3 === 0 ? text.length : text.length - 1
    const middle = text.slice(from, to)
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_'), middle.replaceAll('/', '\\/')]
  })
}

export interface Spelled {
  text: string
  /** Struck only where no letter or digit stands before or behind it. */
  word: boolean
}

/** Replaces all of them in one pass over a text, at each place the longest; their number does not matter. At least four characters each. */
export function makeStriker<T extends Spelled>(all: readonly T[], mark: (found: T) => string): (text: string) => string {
  const byStart = new Map<string, T[]>()
  for (const spelled of [...all].sort((a, b) => b.text.length - a.text.length)) {
    if (spelled.text.length < keyLength) continue
    const key = spelled.text.slice(0, keyLength)
    const same = byStart.get(key)
    if (same) same.push(spelled)
    else byStart.set(key, [spelled])
  }
  return (text) => {
    if (byStart.size === 0) return text
    let result = ''
    let from = 0
    for (let at = 0; at + keyLength <= text.length; at++) {
      const found = byStart
        .get(text.slice(at, at + keyLength))
        ?.find((s) => text.startsWith(s.text, at) && !(s.word && (isWord(text[at - 1]) || isWord(text[at + s.text.length]))))
      if (!found) continue
      result += text.slice(from, at) + mark(found)
      from = at + found.text.length
      at = from - 1
    }
    return from === 0 ? text : result + text.slice(from)
  }
}
const keyLength = 4

const shortest = 8
const shortestBeforeCut = 3
/** MCPProxy and others end what they cut off so. */
const cutMarks = ['\u2026', '\\u2026', '...']

/**
 * Strikes what is left of values that were cut off, at their end (MCPProxy keeps 512 bytes of a line and writes … behind them) or at
 * their beginning (the next field goes on). Fragments of at least eight characters, before the mark of a cut of at least three; of
 * plain words none, they are in other texts too. One value after the other, as they are given.
 */
export function makeFragmentStriker<T extends { value: string }>(all: readonly T[]): (text: string, mark: (found: T) => string) => string {
  const parts = all
    .filter(({ value }) => mayBeCut(value) && isTelling(value))
    .map((found) => {
      const [head, tail] = [found.value.slice(0, shortest), found.value.slice(-shortest)]
      const beginning = found.value.slice(0, shortestBeforeCut)
      return { found, value: found.value, beginning, head: isTelling(head) ? head : null, tail: isTelling(tail) ? tail : null }
    })
  const longest = parts.reduce((most, { value }) => Math.max(most, value.length - 1), 0)
  return (text, mark) => {
    let result = text
    let beginnings: ReadonlySet<string> | null = null
    for (const { found, value, beginning, head, tail } of parts) {
      const before: string = result
      const say = (): string => mark(found)
      beginnings ??= beginningsBeforeCuts(result, longest)
      if (beginnings.has(beginning)) result = strikeBeforeCut(result, value, say)
      if (head !== null) result = strikeFromHead(result, value, head, say)
      if (tail !== null) result = strikeToTail(result, value, tail, say)
      if (result !== before) beginnings = null
    }
    return result
  }
}

/** One of these, or three characters of the beginning before the mark of a cut, stands in each text that a fragment of the value is struck from. */
export const fragmentEnds = (value: string): string[] => (mayBeCut(value) ? [value.slice(0, shortest), value.slice(-shortest)] : [])

const mayBeCut = (value: string): boolean => value.length >= shortest + 4 && !/[\s"\\]/.test(value)

/** Where what is cut off ends, in order. */
function cutsIn(text: string): number[] {
  const cuts = cutMarks.flatMap((cut) => {
    const found: number[] = []
    for (let at = text.indexOf(cut); at >= 0; at = text.indexOf(cut, at + cut.length)) found.push(at)
    return found
  })
  return cuts.sort((a, b) => a - b)
}

/** How everything begins that may be a fragment before a cut. */
function beginningsBeforeCuts(text: string, longest: number): Set<string> {
  const found = new Set<string>()
  for (const cut of cutsIn(text))
    for (let at = cut - shortestBeforeCut; at >= 0 && at >= cut - longest; at--)
      if (!isWord(text[at - 1])) found.add(text.slice(at, at + shortestBeforeCut))
  return found
}

function strikeBeforeCut(text: string, value: string, mark: () => string): string {
  let result = ''
  let from = 0
  for (const index of cutsIn(text)) {
    let length = value.length - 1
    while (length >= shortestBeforeCut && (!text.startsWith(value.slice(0, length), index - length) || isWord(text[index - length - 1])))
      length--
    if (length < shortestBeforeCut || index - length < from) continue
    result += text.slice(from, index - length) + mark()
    from = index
  }
  return from === 0 ? text : result + text.slice(from)
}

/** The beginning of the value, up to where something else goes on. */
const strikeFromHead = (text: string, value: string, head: string, mark: () => string): string =>
  strike(text, head, mark, (at) => {
    let end = at + shortest
    while (end - at < value.length && text[end] === value[end - at]) end++
    return !isWord(text[at - 1]) && /^(?:$|\.{3}|[…"'\\\s,;)\]}&<])/.test(text.slice(end, end + 3)) ? [at, end] : null
  })

/** Its end, from where something else ended. */
const strikeToTail = (text: string, value: string, tail: string, mark: () => string): string =>
  strike(text, tail, mark, (at) => {
    const end = at + shortest
    let start = at
    while (value.length - (end - start) > 0 && start > 0 && text[start - 1] === value[value.length - (end - start) - 1]) start--
    return !isWord(text[end]) && /(?:^|\.{3}|["'\s,;([{=:…])$/.test(text.slice(Math.max(0, start - 3), start)) ? [start, end] : null
  })

function strike(text: string, needle: string, mark: () => string, extent: (at: number) => [number, number] | null): string {
  let result = ''
  let from = 0
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const found = at < from ? null : extent(at)
    if (found === null || found[0] < from) continue
    result += text.slice(from, found[0]) + mark()
    from = found[1]
  }
  return from === 0 ? text : result + text.slice(from)
}

const isWord = (c: string | undefined): boolean => c !== undefined && /[\w-]/.test(c)
const isTelling = (part: string): boolean => (/\d/.test(part) && /[A-Za-z]/.test(part)) || (/[a-z]/.test(part) && /[A-Z]/.test(part))
