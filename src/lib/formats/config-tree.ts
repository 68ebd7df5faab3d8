/** A configuration file as a tree with positions, and the ways to find a place in it. */
import type { Node } from 'jsonc-parser'

export type ConfigPath = (string | number)[]

export interface ConfigProblem {
  /** `syntax`: not strict JSON. `encoding`: not UTF-8. `shape`: JSON, but a type or value that MCPProxy refuses. */
  kind: 'syntax' | 'encoding' | 'shape' | 'duplicate-name' | 'duplicate-key'
  /** e.g. `comment`, `trailing-comma`, `byte-order-mark`, `wrong-type`. */
  what: string
  offset: number
  length: number
  message: string
  path: ConfigPath | null
}

export interface ConfigDocument {
  path: string
  text: string
  /** Null when not even a tolerant parser finds a value. */
  root: Node | null
  /**
   * The entries of mcpServers as plain values, of strict JSON in which no key stands twice; their nodes are read from the text
   * when somebody asks for children, which costs far more. Absent: only the nodes tell.
   */
  entries?: readonly unknown[]
  /** The offsets at which its lines begin, where they are known already. */
  lines?: readonly number[]
  problems: ConfigProblem[]
}

/**
 * The value node at a path, as Go finds it: an exact key before one in other case; the last of
 * equal scalar keys; for equal object keys the last one that has the rest of the path.
 */
export const valueAt = (document: ConfigDocument, path: ConfigPath): Node | null => valueBelow(document.root, path)

/** The same from a node on. */
export function valueBelow(node: Node | null | undefined, path: ConfigPath, from = 0): Node | null {
  if (!node) return null
  const step = path[from]
  if (step === undefined) return node
  if (typeof step === 'number') return node.type === 'array' ? valueBelow(node.children?.[step], path, from + 1) : null
  if (node.type !== 'object') return null
  const properties = node.children ?? []
  for (let i = properties.length - 1; i >= 0; i--) {
    const property = properties[i]?.children
    if (!isKey(property?.[0]?.value, step)) continue
    const found = valueBelow(property?.[1], path, from + 1)
    if (found) return found
  }
  return null
}

/** Go's encoding/json takes keys in any case. */
function isKey(key: unknown, name: string): boolean {
  if (key === name) return true
  // Most keys differ in length: no need to make lower case of them.
  return typeof key === 'string' && key.length === name.length && key.toLowerCase() === name.toLowerCase()
}

/** The node of the property's name at a path. */
export function keyAt(document: ConfigDocument, path: ConfigPath): Node | null {
  const property = valueAt(document, path)?.parent
  return property?.type === 'property' ? (property.children?.[0] ?? null) : null
}

/** The plain value of a node (duplicate keys: the last). */
export function plain(node: Node | null | undefined): unknown {
  if (!node) return undefined
  if (node.type === 'object') {
    const result: Record<string, unknown> = {}
    for (const p of node.children ?? []) {
      const [key, value] = p.children ?? []
      if (key && value)
        Object.defineProperty(result, String(key.value), { value: plain(value), enumerable: true, configurable: true, writable: true })
    }
    return result
  }
  if (node.type === 'array') return (node.children ?? []).map((child) => plain(child))
  return node.value
}

export const pointer = (path: ConfigPath): string => path.map((p) => `/${String(p).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** Line and column, both from 1, of an offset; columns count UTF-16 units as editors do. */
export function positionIn(starts: readonly number[], offset: number): { line: number; column: number } {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
}

/** The offsets at which the lines of a text begin. */
export function lineStarts(text: string): number[] {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

const starts = new WeakMap<ConfigDocument, readonly number[]>()

/** Line and column of an offset in a document; the lines are counted once. */
export function position(document: ConfigDocument, offset: number): { line: number; column: number } {
  let known = document.lines ?? starts.get(document)
  if (!known) {
    known = lineStarts(document.text)
    starts.set(document, known)
  }
  return positionIn(known, offset)
}
