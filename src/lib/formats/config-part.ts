/** One entry of mcpServers as a document of its own, for what would cost too much for all of thousands. */
import type { Node } from 'jsonc-parser'
import { deepest } from './json-depth.ts'
import { parseStrictAt } from './strict-json.ts'
import { valueAt, type ConfigDocument } from './config-tree.ts'

export interface ConfigPart {
  /** The lines of the entry. */
  document: ConfigDocument
  /** Where they begin in the whole text. */
  start: number
}

/** The lines of the entry in which a stretch stands; null where they hold anything else, or the file is no strict JSON. */
export function partAround(document: ConfigDocument, offset: number, length: number): ConfigPart | null {
  if (!document.entries) return null
  const entry = entryAround(valueAt(document, ['mcpServers'])?.children ?? [], offset)
  if (!entry || entry.type !== 'object' || offset + length > entry.offset + entry.length) return null
  let part = parts.get(entry)
  if (part === undefined) {
    part = partOf(document, entry)
    parts.set(entry, part)
  }
  return part
}

// Several findings are about one entry.
const parts = new WeakMap<Node, ConfigPart | null>()

function partOf({ path, text }: ConfigDocument, entry: Node): ConfigPart | null {
  const start = text.lastIndexOf('\n', entry.offset) + 1
  const newline = text.indexOf('\n', entry.offset + entry.length)
  const end = newline < 0 ? text.length : newline
  const alone = /^\s*$/.test(text.slice(start, entry.offset)) && /^[\s,\]}]*$/.test(text.slice(entry.offset + entry.length, end))
  if (!alone) return null
  const lines = text.slice(start, end)
  return { document: { path, text: lines, root: parseStrictAt(lines, entry.offset - start, deepest), problems: [] }, start }
}

/** The last one that begins at or before an offset. */
function entryAround(entries: readonly Node[], offset: number): Node | undefined {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle]?.offset ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return entries[low - 1]
}
