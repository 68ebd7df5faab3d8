/**
 * The tree of strict JSON, as jsonc-parser's parseTree builds it and several times faster; null for everything that is not
 * strict JSON or nested deeper than `deepest`. A file of thousands of servers is parsed with every command.
 */
import type { Node } from 'jsonc-parser'

/** A node while it is built. */
type Building = { -readonly [K in keyof Node]: Node[K] }

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y
const [quote, backslash, comma, colon] = [34, 92, 44, 58]
const [openBrace, closeBrace, openBracket, closeBracket] = [123, 125, 91, 93]

/** `spans`: objects, by offset to the offset after them, that are known to be strict JSON; their children are read when somebody asks. */
export function parseStrict(text: string, deepest: number, spans: ReadonlyMap<number, number> = none): Node | null {
  const root = parse(text, 0, deepest, spans)
  return root && /^[ \t\r\n]*$/.test(text.slice(root.offset + root.length)) ? root : null
}

const none: ReadonlyMap<number, number> = new Map()

/** The value at an offset, whatever follows it. */
export const parseStrictAt = (text: string, offset: number, deepest: number): Node | null => parse(text, offset, deepest, none)

function parse(text: string, start: number, deepest: number, spans: ReadonlyMap<number, number>): Node | null {
  let at = start
  /** The next character that is no blank; NaN at the end. */
  const next = (): number => {
    for (;;) {
      const c = text.charCodeAt(at)
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return c
      at++
    }
  }
  const leaf = (type: 'string' | 'number' | 'boolean' | 'null', offset: number, value: unknown, parent: Node | undefined): Node => {
    const node: Building = { type, offset, length: at - offset, value }
    if (parent) node.parent = parent
    return node
  }
  const string = (parent: Node | undefined): Node | null => {
    const start = at
    let i = start + 1
    let escaped = false
    for (let c = text.charCodeAt(i); c !== quote; c = text.charCodeAt(i)) {
      // A control character, or the end.
      if (!(c >= 32)) return null
      if (c === backslash) escaped = true
      i += c === backslash ? 2 : 1
    }
    at = i + 1
    const value = escaped ? unescaped(text.slice(start, at)) : text.slice(start + 1, i)
    return value === null ? null : leaf('string', start, value, parent)
  }
  const word = (name: string, type: 'boolean' | 'null', value: boolean | null, parent: Node | undefined): Node | null => {
    if (!text.startsWith(name, at)) return null
    const start = at
    at += name.length
    return leaf(type, start, value, parent)
  }
  const object = (parent: Node | undefined, depth: number): Node | null => {
    const children: Node[] = []
    const node: Building = { type: 'object', offset: at, length: -1, children, ...(parent ? { parent } : {}) }
    at++
    while (next() !== closeBrace || children.length > 0) {
      if (next() !== quote) return null
      const property: Building = { type: 'property', offset: at, length: -1, parent: node, children: [] }
      const key = string(property)
      if (!key || next() !== colon) return null
      property.colonOffset = at++
      const value = any(property, depth)
      if (!value) return null
      property.children = [key, value]
      property.length = at - property.offset
      children.push(property)
      const after = next()
      if (after === closeBrace) break
      if (after !== comma) return null
      at++
    }
    at++
    node.length = at - node.offset
    return node
  }
  const array = (parent: Node | undefined, depth: number): Node | null => {
    const children: Node[] = []
    const node: Building = { type: 'array', offset: at, length: -1, children, ...(parent ? { parent } : {}) }
    at++
    if (next() !== closeBracket) {
      for (;;) {
        const value = any(node, depth)
        if (!value) return null
        children.push(value)
        const after = next()
        if (after === closeBracket) break
        if (after !== comma) return null
        at++
      }
    }
    at++
    node.length = at - node.offset
    return node
  }
  const any = (parent: Node | undefined, depth: number): Node | null => {
    switch (next()) {
      case quote:
        return string(parent)
      case openBrace: {
        const end = spans.get(at)
        if (end === undefined || !parent) return depth >= deepest ? null : object(parent, depth + 1)
        const node = new ObjectOnDemand(text, at, end, parent)
        at = end
        return node
      }
      case openBracket:
        return depth >= deepest ? null : array(parent, depth + 1)
      case 116:
        return word('true', 'boolean', true, parent)
      case 102:
        return word('false', 'boolean', false, parent)
      case 110:
        return word('null', 'null', null, parent)
    }
    number.lastIndex = at
    const found = number.exec(text)?.[0]
    if (found === undefined) return null
    const start = at
    at += found.length
    return leaf('number', start, Number(found), parent)
  }
  return any(undefined, 0)
}

/** An object in a list, whose children are read when somebody asks for them. */
class ObjectOnDemand implements Node {
  readonly type = 'object'
  readonly offset: number
  readonly length: number
  readonly parent: Node
  readonly #text: string
  #children: Node[] | null = null

  constructor(text: string, offset: number, end: number, parent: Node) {
    this.#text = text
    this.offset = offset
    this.length = end - offset
    this.parent = parent
  }

  get children(): Node[] {
    if (this.#children === null) {
      this.#children = parse(this.#text, this.offset, Infinity, none)?.children ?? []
      for (const child of this.#children as Building[]) child.parent = this
    }
    return this.#children
  }
}

function unescaped(literal: string): string | null {
  try {
    return JSON.parse(literal) as string
  } catch {
    // An escape that JSON does not have: no strict JSON.
    return null
  }
}
