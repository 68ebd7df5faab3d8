/** The fields of an object of the configuration, read from nodes or, where they tell the same, from plain values. */
import type { Node } from 'jsonc-parser'
import { valueBelow, type ConfigPath } from './config-tree.ts'

export interface Fields {
  /** As they are written. */
  keys(): string[]
  /** Null: absent, or of another type. */
  text(key: string): string | null
  flag(key: string): boolean | null
  /** What is no string is empty in a list, and left out of a map. */
  strings(key: string): string[]
  map(key: string): Record<string, string>
  object(key: string): Fields | null
}

export class NodeFields implements Fields {
  readonly #node: Node | null
  readonly #path: ConfigPath
  /** A path, because equal object keys merge: a field may stand in any of them. */
  constructor(node: Node | null, path: ConfigPath = []) {
    this.#node = node
    this.#path = path
  }
  #at(key: string): Node | null {
    return valueBelow(this.#node, [...this.#path, key])
  }
  keys(): string[] {
    const node = valueBelow(this.#node, this.#path)
    return node?.type === 'object' ? (node.children ?? []).map((p) => String(p.children?.[0]?.value)) : []
  }
  text(key: string): string | null {
    const node = this.#at(key)
    return node?.type === 'string' ? String(node.value) : null
  }
  flag(key: string): boolean | null {
    const node = this.#at(key)
    return node?.type === 'boolean' ? Boolean(node.value) : null
  }
  strings(key: string): string[] {
    const node = this.#at(key)
    return node?.type === 'array' ? (node.children ?? []).map((c) => (c.type === 'string' ? String(c.value) : '')) : []
  }
  map(key: string): Record<string, string> {
    const node = this.#at(key)
    const entries =
      node?.type === 'object'
        ? (node.children ?? []).flatMap((p) => {
            const [name, value] = p.children ?? []
            return name && value?.type === 'string' ? [[String(name.value), String(value.value)] as const] : []
          })
        : []
    return Object.fromEntries(entries)
  }
  object(key: string): Fields | null {
    return this.#at(key)?.type === 'object' ? new NodeFields(this.#node, [...this.#path, key]) : null
  }
}

export type Plain = Readonly<Record<string, unknown>>
export const isObject = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)
const isString = (value: unknown): value is string => typeof value === 'string'

/** For an object whose keys are all spelled as they are asked for. */
export class PlainFields implements Fields {
  readonly #value: Plain
  constructor(value: Plain) {
    this.#value = value
  }
  #at(key: string): unknown {
    return Object.hasOwn(this.#value, key) ? this.#value[key] : undefined
  }
  keys(): string[] {
    return Object.keys(this.#value)
  }
  text(key: string): string | null {
    const value = this.#at(key)
    return isString(value) ? value : null
  }
  flag(key: string): boolean | null {
    const value = this.#at(key)
    return typeof value === 'boolean' ? value : null
  }
  strings(key: string): string[] {
    const value = this.#at(key)
    if (!Array.isArray(value)) return []
    return value.every(isString) ? value : (value as unknown[]).map((v) => (isString(v) ? v : ''))
  }
  map(key: string): Record<string, string> {
    const value = this.#at(key)
    if (!isObject(value)) return {}
    for (const name in value)
      if (!isString(value[name])) return Object.fromEntries(Object.entries(value).flatMap(([k, v]) => (isString(v) ? [[k, v]] : [])))
    return value as Record<string, string>
  }
  object(key: string): Fields | null {
    const value = this.#at(key)
    return isObject(value) ? new PlainFields(value) : null
  }
}

/** Tells objects whose keys are all in lower case, as are those of MCPProxy: Go would find `Args` under `args` as well. */
export function lowerCaseTest(): (value: unknown) => value is Plain {
  // A file of thousands of servers has the same few keys.
  const seen = new Set<string>()
  return (value): value is Plain => {
    if (!isObject(value)) return false
    for (const key in value) {
      if (seen.has(key)) continue
      if (key.toLowerCase() !== key) return false
      seen.add(key)
    }
    return true
  }
}
