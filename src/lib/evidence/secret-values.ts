/** Where secret values stand in what MCPProxy and the engine write: by the name that they have there. */
import { object } from '../formats/loose.ts'
import { argumentSecrets, authScheme, isSecretKey } from './secret-arguments.ts'
import { textSecrets } from './secret-patterns.ts'
import { secretName, worthHiding } from './secret-worth.ts'

export interface NamedSecret {
  name: string
  value: string
  /** `secret`: by its name or its place. `value`: the value of a variable whose name does not tell. */
  strength: 'secret' | 'value'
  kind: string
}

const valueHolders = new Set(['env', 'environment', 'headers', 'custom_vars', 'extra_params', 'build_args'])
/** Lists of arguments and of variables, as MCPProxy, docker's inspect and images call them. */
const argumentLists = /(?:^|_)(?:args|argv|cmd|command|entrypoint|env|environment|test|extra_args)$/i

/** In any value that was JSON. */
export function namedSecrets(root: unknown): NamedSecret[] {
  const found: NamedSecret[] = []
  const visit = (value: unknown, key: string, parent: string): void => {
    if (Array.isArray(value)) {
      const items = value as unknown[]
      const words = items.map((item) => (typeof item === 'string' ? item : ''))
      if (argumentLists.test(key)) found.push(...wordSecrets(words, /env/i.test(key) ? 'env' : 'argument'))
      else words.forEach((word) => found.push(...statedSecrets(word)))
      for (const item of items) if (typeof item !== 'string') visit(item, key, '')
      return
    }
    if (typeof value === 'object' && value !== null) {
      for (const [k, item] of Object.entries(object(value))) visit(item, k, key)
      return
    }
    if (typeof value !== 'string' && typeof value !== 'number') return
    const text = String(value)
    const holder = parent.toLowerCase()
    if (valueHolders.has(holder)) add(found, key, text, holder === 'headers' ? 'header' : 'env', secretName.test(key))
    else if (isSecretKey(key) && typeof value === 'string') add(found, key, text, 'named', true)
    else if (typeof value === 'string')
      found.push(...(/^(?:command|cmd|entrypoint)$/i.test(key) ? wordSecrets([text]) : []), ...statedSecrets(text))
  }
  visit(root, '', '')
  return found
}

/** In an argument list. */
export function wordSecrets(words: readonly string[], kind = 'argument'): NamedSecret[] {
  const found: NamedSecret[] = []
  argumentSecrets(words).forEach((spans, i) => {
    const word = words[i] ?? ''
    for (const { from, to, name } of spans) {
      // By the variable's own name, else by its place.
      const before = /([A-Za-z_][\w.-]*)[=:]\s*$/.exec(word.slice(0, from))?.[1] ?? words[i - 1]?.replace(/^-+/, '') ?? name
      add(found, name === 'token' ? before : name, word.slice(from, to), kind, name === 'token' || secretName.test(name))
    }
  })
  return found
}

/** In a text: `NAME=value`, `--token value`, an address, or a form of its own. */
export function statedSecrets(text: string): NamedSecret[] {
  const found: NamedSecret[] = []
  for (const { from, to, name, kind } of textSecrets(text)) {
    const written = text.slice(from, to)
    const quote = text[from - 1] === text[to] ? text[to] : undefined
    const before = /([A-Za-z_][\w.-]*)["']?\s*[=:]\s*["']?$|(--?[\w-]+)\s+["']?$/.exec(text.slice(Math.max(0, from - 200), from))
    const as = before?.[1] ?? before?.[2]?.replace(/^-+/, '') ?? name
    for (const value of new Set([written, ...unquoted(written, quote)]))
      add(found, as, value, kind, name === 'token' || secretName.test(name))
    // The name before the colon goes where it stands, and nowhere else: it may be `user`.
    if (kind === 'url-credentials' && written.includes(':')) add(found, 'password', written.slice(written.indexOf(':') + 1), kind, true)
  }
  return found
}

/** What a value in quotes stands for. */
function unquoted(written: string, quote: string | undefined): string[] {
  if (quote === "'") return [written.replaceAll(`'\\''`, "'")]
  if (quote !== '"') return []
  const forShell = written.replace(/\\(["\\$`])/g, '$1')
  try {
    return [JSON.parse(`"${written}"`) as string, forShell]
  } catch {
    return [forShell]
  }
}

function add(found: NamedSecret[], name: string, value: string, kind: string, strong: boolean): void {
  for (const part of strong ? new Set([value, value.replace(authScheme, '')]) : [value])
    if (!/\*{3}|••|\$\{/.test(part) && worthHiding(part, strong ? `${name}_token` : name))
      found.push({ name, value: part, strength: strong ? 'secret' : 'value', kind })
}
