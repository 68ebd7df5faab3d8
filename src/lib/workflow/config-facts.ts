/** What a configuration says, value by value, so that two of them can be compared. */
import { maskedConfig } from '../evidence/secrets.ts'
import { parseConfig, plain, position, valueAt, type ConfigDocument, type ConfigPath } from '../formats/mcp-config.ts'
import type { DiffGroup, DiffSide } from '../report/diff-report.ts'

/** Whose home it is makes no difference. */
export const tilde = (text: string, home: string): string => (home.length > 1 ? text.replaceAll(`${home}/`, '~/') : text)

export interface Facts {
  facts: { group: DiffGroup; what: string; value: string | null; place?: DiffSide['place'] }[]
  unknown: Partial<Record<DiffGroup, string>>
  /** What people see of it, where it is known better than by striking secrets. */
  shown?: (what: string) => string | null
}

/** Every value below a place of the configuration, but for the servers. */
export function configFacts(document: ConfigDocument, at: ConfigPath, home: string): Facts {
  const masked = parseConfig(document.path, Buffer.from(maskedConfig(document).text))
  const facts: Facts['facts'] = []
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
