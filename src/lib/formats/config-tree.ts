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
  problems: ConfigProblem[]
}

/**
 * The value node at a path, as Go finds it: an exact key before one in other case; the last of
 * equal scalar keys; for equal object keys the last one that has the rest of the path.
 */
export function valueAt(document: ConfigDocument, path: ConfigPath): Node | null {
  const find = (node: Node | null | undefined, rest: ConfigPath): Node | null => {
    if (!node) return null
    const [step, ...more] = rest
    if (step === undefined) return node
    if (typeof step === 'number') return node.type === 'array' ? find(node.children?.[step], more) : null
    if (node.type !== 'object') return null
    const same = (node.children ?? []).filter((p) => String(p.children?.[0]?.value).toLowerCase() === step.toLowerCase())
    for (const property of same.reverse()) {
      const found = find(property.children?.[1], more)
      if (found) return found
    }
    return null
  }
  return find(document.root, path)
}

/** The node of the property's name at a path. */
export function keyAt(document: ConfigDocument, path: ConfigPath): Node | null {
  return valueAt(document, path)?.parent?.type === 'property' ? (valueAt(document, path)?.parent?.children?.[0] ?? null) : null
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

const starts = new WeakMap<ConfigDocument, number[]>()

/** Line and column of an offset in a document; the lines are counted once. */
export function position(document: ConfigDocument, offset: number): { line: number; column: number } {
  let known = starts.get(document)
  if (!known) {
    known = lineStarts(document.text)
    starts.set(document, known)
  }
  return positionIn(known, offset)
}
