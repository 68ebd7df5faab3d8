/**
 * Edits of the configuration's text. The smallest change: key order, indentation, unknown keys and everything else outside the
 * edited values stay as they are. jsonc-parser's own `modify` formats the whole line again, so only its tree is used.
 */
import { createScanner, parseTree, type Node } from 'jsonc-parser'
import { deepest } from '../formats/json-depth.ts'
import { plain, valueAt, type ConfigPath } from '../formats/mcp-config.ts'
import { parseStrict } from '../formats/strict-json.ts'
import type { ConfigEdit } from './remedy.ts'

/** What a remedy does to the text: first made strict JSON (when `strict`), then the edits. */
export interface ConfigChange {
  edits: readonly ConfigEdit[]
  strict?: true
}

interface Splice {
  offset: number
  length: number
  text: string
}

/** Null where the change does not fit the text. */
export function applyChange(text: string, change: ConfigChange): string | null {
  const strict = change.strict ? mendStrict(text) : text
  return strict === null ? null : applyConfigEdits(strict, change.edits)
}

/** Paths are those of the given text; null where one does not fit it. */
export function applyConfigEdits(text: string, edits: readonly ConfigEdit[]): string | null {
  let result: string | null = text
  for (const { path, value } of inOrder(edits)) {
    result = value === undefined ? remove(result, path) : set(result, path, value)
    if (result === null) return null
  }
  return result
}

/** Later elements of an array first where some are removed, so that the numbers stay right. */
function inOrder(edits: readonly ConfigEdit[]): ConfigEdit[] {
  const index = (e: ConfigEdit): number => {
    const last = e.path.at(-1)
    return typeof last === 'number' ? last : -1
  }
  const kept = edits.filter((e) => e.value !== undefined)
  const removed = edits.filter((e) => e.value === undefined).sort((a, b) => index(b) - index(a))
  return [...kept, ...removed]
}

/** Strict JSON is read several times faster. */
export const treeOf = (text: string): Node | null => parseStrict(text, deepest) ?? parseTree(text, [], { allowTrailingComma: true }) ?? null

/** As MCPProxy finds it: keys in any case, the last of equal ones. */
const nodeAt = (text: string, path: ConfigPath): Node | null => valueAt({ path: '', text, root: treeOf(text), problems: [] }, path)

function set(text: string, path: ConfigPath, value: unknown): string | null {
  const node = nodeAt(text, path)
  if (node) {
    if (node.type === 'array' && Array.isArray(value)) return spliced(text, arraySplices(text, node, value))
    return spliced(text, [{ offset: node.offset, length: node.length, text: written(text, value) }])
  }
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const parent = nodeAt(text, path.slice(0, depth))
    if (parent) return insert(text, parent, path.slice(depth), value)
  }
  return null
}

/** A value below a container that has no such key yet; what is missing in between comes with it. */
function insert(text: string, parent: Node, [key, ...rest]: ConfigPath, value: unknown): string | null {
  if (key === undefined || rest.some((step) => typeof step === 'number')) return null
  const whole = rest.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value)
  const children = parent.children ?? []
  if (parent.type === 'object' && typeof key === 'string') {
    const piece = `${JSON.stringify(key)}${colon(text, parent)}${written(text, whole)}`
    return spliced(text, [insertion(text, parent, children.length, [piece])])
  }
  if (parent.type === 'array' && key === children.length)
    return spliced(text, [insertion(text, parent, children.length, [written(text, whole)])])
  if (parent.type === 'null' && typeof key === 'string')
    return spliced(text, [{ offset: parent.offset, length: parent.length, text: written(text, { [key]: whole }) }])
  return null
}

/** Equal keys are all taken out: without the last one an earlier one would count. */
function remove(text: string, path: ConfigPath): string {
  let result = text
  for (;;) {
    const node = path.length === 0 ? null : nodeAt(result, path)
    const item = node?.parent?.type === 'property' ? node.parent : node
    const container = item?.parent
    if (!item || !container) return result
    const at = container.children?.indexOf(item) ?? -1
    result = spliced(result, [removal(container, at, at + 1)])
    if (container.type === 'array') return result
  }
}

/** Elements that stay are not touched. */
function arraySplices(text: string, node: Node, values: readonly unknown[]): Splice[] {
  const children = node.children ?? []
  const same = (a: Node | undefined, b: unknown): boolean => a !== undefined && JSON.stringify(plain(a)) === JSON.stringify(b)
  let head = 0
  while (head < children.length && head < values.length && same(children[head], values[head])) head++
  let tail = 0
  while (
    tail < children.length - head &&
    tail < values.length - head &&
    same(children[children.length - 1 - tail], values[values.length - 1 - tail])
  )
    tail++
  const [oldEnd, newEnd] = [children.length - tail, values.length - tail]
  const replaced = Math.min(oldEnd, newEnd) - head
  const splices: Splice[] = []
  for (let i = head; i < head + replaced; i++) {
    const child = children[i]
    if (child) splices.push({ offset: child.offset, length: child.length, text: written(text, values[i]) })
  }
  const at = head + replaced
  if (oldEnd > at) splices.push(removal(node, at, oldEnd))
  if (newEnd > at)
    splices.push(
      insertion(
        text,
        node,
        at,
        values.slice(at, newEnd).map((v) => written(text, v)),
      ),
    )
  return splices
}

const endOf = (node: Node | undefined): number => (node ? node.offset + node.length : 0)

/** The children from `from` to before `to`, with the commas and the space that belong to them. */
function removal(container: Node, from: number, to: number): Splice {
  const children = container.children ?? []
  const cut = (start: number, end: number): Splice => ({ offset: start, length: end - start, text: '' })
  if (from === 0 && to >= children.length) return cut(container.offset + 1, endOf(container) - 1)
  const next = children[to]
  if (next) return cut(children[from]?.offset ?? next.offset, next.offset)
  return cut(endOf(children[from - 1]), endOf(children.at(-1)))
}

/** New children before the one at `at`, separated like those that are there. */
function insertion(text: string, container: Node, at: number, pieces: readonly string[]): Splice {
  const children = container.children ?? []
  const put = (offset: number, content: string): Splice => ({ offset, length: 0, text: content })
  if (children.length === 0) return put(container.offset + 1, intoEmpty(text, container, pieces))
  const gap = gapOf(text, container, at)
  const before = children[at - 1]
  if (before) return put(endOf(before), pieces.map((p) => `,${gap}${p}`).join(''))
  return put(children[0]?.offset ?? container.offset + 1, pieces.map((p) => `${p},${gap}`).join(''))
}

function intoEmpty(text: string, container: Node, pieces: readonly string[]): string {
  const inner = text.slice(container.offset + 1, endOf(container) - 1)
  const gap = /(\r?\n)[^\n]*$/.exec(inner)
  if (gap) {
    const indent = `${gap[1] ?? ''}${/[ \t]*$/.exec(inner)?.[0] ?? ''}${/\n([ \t]+)\S/.exec(text)?.[1] ?? '  '}`
    return `${indent}${pieces.join(`,${indent}`)}`
  }
  const list = pieces.join(isCompact(text) ? ',' : ', ')
  if (container.type === 'array' || isCompact(text)) return list
  return inner === '' ? ` ${list} ` : ` ${list}`
}

/** The space between a comma and the next child: as between the neighbours of the new place. */
function gapOf(text: string, container: Node, at: number): string {
  const children = container.children ?? []
  const right = Math.max(children.length === 1 ? 0 : 1, Math.min(at, children.length - 1))
  const start = right === 0 ? container.offset + 1 : endOf(children[right - 1])
  const between = text.slice(start, children[right]?.offset ?? start)
  const line = /\r?\n[ \t]*$/.exec(between)
  if (line) return line[0]
  if (right === 0) return isCompact(text) ? '' : ' '
  return /[ \t]*$/.exec(between)?.[0] ?? ' '
}

/** What stands between a key and its value, as with the neighbours. */
function colon(text: string, parent: Node): string {
  const [key, value] = parent.children?.at(-1)?.children ?? []
  const between = key && value ? text.slice(endOf(key), value.offset) : ''
  return /^\s*:\s*$/.test(between) && !between.includes('\n') ? between : isCompact(text) ? ':' : ': '
}

/** A file without a space after any comma or colon, as programs write it. */
const isCompact = (text: string): boolean => !/[:,]\s/.test(text)
const written = (text: string, value: unknown): string => (isCompact(text) ? JSON.stringify(value) : inline(value))

/** JSON in one line, with spaces as people write it. */
export function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${inline(v)}`)
    return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
  }
  return JSON.stringify(value) ?? 'null'
}

function spliced(text: string, splices: readonly Splice[]): string {
  let result = text
  for (const s of [...splices].sort((a, b) => b.offset - a.offset)) {
    result = result.slice(0, s.offset) + s.text + result.slice(s.offset + s.length)
  }
  return result
}

// ---- strict JSON ------------------------------------------------------------------

/**
 * Without comments, commas that nothing follows and a byte order mark: MCPProxy reads strict JSON (Go's encoding/json).
 * Null when that is not enough to make it so.
 */
export function mendStrict(text: string): string | null {
  const cuts: Splice[] = text.startsWith('\uFEFF') ? [{ offset: 0, length: 1, text: '' }] : []
  const scanner = createScanner(text, false)
  let comma: number | null = null
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const offset = scanner.getTokenOffset()
    const token = text.slice(offset, offset + scanner.getTokenLength())
    if (/^\/[/*]/.test(token)) cuts.push(commentCut(text, offset, offset + token.length))
    else if (token === ',') comma = offset
    else if (token === '}' || token === ']') {
      if (comma !== null) cuts.push({ offset: comma, length: 1, text: '' })
      comma = null
    } else if (token.trim() !== '') comma = null
  }
  const mended = spliced(text, cuts)
  try {
    JSON.parse(mended)
    return mended
  } catch {
    return null
  }
}

/** A comment with a line of its own goes with the line, one at the end of a line with the space before it. */
function commentCut(text: string, start: number, end: number): Splice {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const newline = text.indexOf('\n', end)
  const lineEnd = newline < 0 ? text.length : newline
  const before = text.slice(lineStart, start)
  if (text.slice(end, lineEnd).trim() !== '') return { offset: start, length: end - start, text: '' }
  if (before.trim() === '' || before === '\uFEFF') {
    const from = lineStart + (before.startsWith('\uFEFF') ? 1 : 0)
    return { offset: from, length: (newline < 0 ? lineEnd : newline + 1) - from, text: '' }
  }
  const from = lineStart + before.trimEnd().length
  // A comma or bracket in front of it may be cut on its own.
  return { offset: from, length: end - from, text: '' }
}
