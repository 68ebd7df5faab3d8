/** Where secret values stand in what MCPProxy and the engine write: by the name that they have there. */
import { object } from '../formats/loose.ts'
import { secretName, worthHiding } from './secrets.ts'

export interface NamedSecret {
  name: string
  value: string
  /** `secret`: by its name. `value`: the value of a variable whose name does not tell. */
  strength: 'secret' | 'value'
  kind: string
}

const valueHolders = new Set(['env', 'environment', 'headers', 'custom_vars', 'extra_params', 'build_args'])
/** Names whose values are secrets wherever they stand. Stricter than for variables: `Author`, `keys`, `auth_type` are none. */
const strict =
  /(?:^|[_.\-/])(?:api_?key|access_?key|secret(?:_?key)?|token|passw(?:or)?d|passphrase|pwd|credentials?|auth(?:orization|config)?|cookie|private_?key|client_?secret|signing_?key|encryption_?key|master_?key|dsn|session_?(?:id|key|token)|bearer|identity_?token|registry_?token|webhook_?(?:url|secret))$/i
const flagName = /^--?[\w-]*(?:key|token|secret|passw|pwd|credential|auth|bearer)[\w-]*$/i

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2')
export const isSecretName = (name: string): boolean => strict.test(snake(name))

/** In any value that was JSON. */
export function namedSecrets(root: unknown): NamedSecret[] {
  const found: NamedSecret[] = []
  const add = (name: string, value: string, kind: string, strong: boolean): void => {
    if (/\*{3}|••|\$\{/.test(value) || !worthHiding(value, strong ? `${name}_token` : name)) return
    found.push({ name, value, strength: strong || secretName.test(name) ? 'secret' : 'value', kind })
  }
  const pair = (text: string, kind: string, all: boolean): void => {
    const at = text.indexOf('=')
    if (at < 1) return
    const [name, value] = [text.slice(0, at), text.slice(at + 1)]
    if (all || secretName.test(name) || isSecretName(name)) add(name, value, kind, false)
  }
  const visitArray = (items: readonly unknown[], key: string): void => {
    items.forEach((item, i) => {
      if (typeof item !== 'string') return visit(item, key, '')
      const previous = typeof items[i - 1] === 'string' ? String(items[i - 1]) : ''
      const own = /^(?:-e|--env|--build-arg)=?([A-Za-z_][\w.-]*=[^]*)$/.exec(item)?.[1]
      const option = /^(--?[\w-]+)=([^]+)$/.exec(item)
      if (own !== undefined) pair(own, 'env', true)
      else if (/^(?:-[a-z]*e|--env|--build-arg)$/.test(previous)) pair(item, 'env', true)
      else if (/^(?:-H|--header)$/.test(previous)) header(item)
      else if (option && flagName.test(option[1] ?? '')) add((option[1] ?? '').replace(/^-+/, ''), option[2] ?? '', 'argument', true)
      else if (flagName.test(previous) && !item.startsWith('-')) add(previous.replace(/^-+/, ''), item, 'argument', true)
      else pair(item, /^env$/i.test(key) ? 'env' : 'argument', false)
    })
  }
  const header = (text: string): void => {
    const [, name, value] = /^([\w-]+):\s*([^]*)$/.exec(text) ?? []
    if (name !== undefined && value !== undefined && (secretName.test(name) || isSecretName(name))) add(name, value, 'header', true)
  }
  const visit = (value: unknown, key: string, parent: string): void => {
    if (Array.isArray(value)) return visitArray(value, key)
    if (typeof value === 'object' && value !== null) {
      for (const [k, item] of Object.entries(object(value))) visit(item, k, key)
      return
    }
    if (typeof value !== 'string' && typeof value !== 'number') return
    const holder = parent.toLowerCase()
    if (valueHolders.has(holder))
      add(key, String(value), holder === 'headers' ? 'header' : 'env', holder === 'headers' && secretName.test(key))
    else if (isSecretName(key) && typeof value === 'string') add(key, value, 'named', true)
  }
  visit(root, '', '')
  return found
}

const word = `("(?:[^"\\\\]|\\\\.)*"|'[^']*'|[^\\s"'\\\\]+)`
const variables = new RegExp(`(?:^|\\s)(?:-e|--env|--build-arg)[ =]["']?([A-Za-z_]\\w*)=${word}`, 'g')
const options = new RegExp(`(?:^|\\s)(--[\\w-]+)[ =]${word}`, 'g')

/** In a command line that stands in a text: `docker run -e NAME=value --token value`. */
export function commandLineSecrets(text: string): NamedSecret[] {
  const found: NamedSecret[] = []
  const unquoted = (value: string): string => value.replace(/^["']|["']$/g, '')
  for (const [, name = '', value = ''] of text.matchAll(variables)) found.push(...namedSecrets(['-e', `${name}=${unquoted(value)}`]))
  for (const [, name = '', value = ''] of text.matchAll(options))
    if (flagName.test(name)) found.push(...namedSecrets([name, unquoted(value)]))
  return found
}
