/** The values of a configuration one by one, to compare two of them. */
import { maskedConfig } from '../evidence/secrets.ts'
import { parseConfig, plain, position, valueAt, type ConfigDocument, type ConfigPath } from '../formats/mcp-config.ts'

export interface ConfigFacts {
  /** `what`: the keys, joined by dots. `value`: JSON, secrets in it. */
  facts: { group: 'configuration'; what: string; value: string; place: { file: string; line: number } }[]
  unknown: Record<string, never>
  /** The value with its secrets masked. */
  shown(what: string): string | null
}

/** Whose home it is makes no difference. */
export const tilde = (text: string, home: string): string => (home.length > 1 ? text.replaceAll(`${home}/`, '~/') : text)

/** Every value below a place of the configuration, but for the servers. */
export function configFacts(document: ConfigDocument, at: ConfigPath, home: string): ConfigFacts {
  const masked = parseConfig(document.path, Buffer.from(maskedConfig(document).text))
  const facts: ConfigFacts['facts'] = []
  const shown = new Map<string, string>()
  const visit = (path: ConfigPath): void => {
    const node = valueAt(document, path)
    if (!node) return
    if (node.type === 'object') {
      for (const property of node.children ?? []) {
        const key = String(property.children?.[0]?.value)
        // MCPProxy writes the times itself, at each change of its own.
        if (path.length === 0 ? key !== 'mcpServers' : !(path.length === at.length && /^(?:created|updated)$/.test(key)))
          visit([...path, key])
      }
      return
    }
    const what = path.slice(at.length).join('.')
    const { line } = position(document, node.offset)
    facts.push({
      group: 'configuration',
      what,
      value: JSON.stringify(plain(node)),
      place: { file: tilde(document.path, home), line },
    })
    shown.set(what, tilde(JSON.stringify(plain(valueAt(masked, path)) ?? ''), home))
  }
  visit(at)
  return { facts, unknown: {}, shown: (what) => shown.get(what) ?? null }
}
