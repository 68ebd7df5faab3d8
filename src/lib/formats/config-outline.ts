/**
 * A file of thousands of servers, of which few are looked at closely: its plain values, which V8 reads far faster than any
 * tree with positions can be built, and where each entry of `mcpServers` stands, so that its tree can be built on demand.
 */
export interface Outline {
  /** The entries of `mcpServers` as plain values. */
  entries: readonly unknown[]
  /** The offset of each entry that is an object, to the offset after it, in the order of the text. */
  spans: ReadonlyMap<number, number>
  /** The offsets at which lines begin: strict JSON has none that begins within a string. */
  lines: readonly number[]
}

const [newline, quote, backslash, colon] = [10, 34, 92, 58]
const [openBrace, closeBrace, openBracket, closeBracket] = [123, 125, 91, 93]

/**
 * Null for everything of which plain values do not tell all: what is not strict JSON or is nested deeper than `deepest`, a key
 * that stands twice in an object, and a file without an array `mcpServers` in this spelling.
 */
export function outlineOf(text: string, deepest: number): Outline | null {
  const seen = scan(text, deepest)
  if (seen === null) return null
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    // The parsers with positions say what is wrong.
    return null
  }
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return null
  const { mcpServers } = root as { mcpServers?: unknown }
  // Of two equal keys only one is left in the values.
  if (!Array.isArray(mcpServers) || keysIn(root) !== seen.keys) return null
  return { entries: mcpServers as unknown[], spans: seen.spans, lines: seen.lines }
}

/** Brackets, colons and lines outside of strings; of anything but strict JSON the result means nothing. */
function scan(text: string, deepest: number): { keys: number; spans: Map<number, number>; lines: number[] } | null {
  const spans = new Map<number, number>()
  const lines = [0]
  let [keys, depth, start, from, to] = [0, 0, 0, 0, 0]
  let within = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === newline) lines.push(i + 1)
    else if (c === quote) {
      from = i
      i = endOfString(text, i)
      if (i < 0) return null
      to = i
    } else if (c === colon) {
      keys++
      if (depth === 1) within = text.slice(from + 1, to) === 'mcpServers'
    } else if (c === openBrace || c === openBracket) {
      if (++depth > deepest) return null
      if (depth === 3 && within) start = i
    } else if (c === closeBrace || c === closeBracket) {
      if (depth === 3 && within && c === closeBrace) spans.set(start, i + 1)
      depth--
    }
  }
  return { keys, spans, lines }
}

/** The offset of the closing quotation mark; -1: there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end
    while (text.charCodeAt(before - 1) === backslash) before--
    if ((end - before) % 2 === 0) return end
  }
  return -1
}

function keysIn(value: object): number {
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (typeof item === 'object' && item !== null) count += keysIn(item)
    return count
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key]
    count += typeof item === 'object' && item !== null ? 1 + keysIn(item) : 1
  }
  return count
}
