/** A `${…}` reference reaches the server as literal text. */
import { field } from '../formats/log-line.ts'
import type { ConfigPath, ServerEntry } from '../formats/mcp-config.ts'
import { citeConfig, citeLog } from './cite.ts'
import { isConnected, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'placeholder-unresolved',
  severity: 'error',
  title: 'A ${…} reference reaches the server as literal text',
  needs: ['config'],
  uses: ['mainLog', 'serverLog', 'status'],
  detect({ config }, { mainLog, serverLog, status }) {
    const { server } = config
    if (!server) return null
    const told = mainLog?.lines.findLast((l) => l.message.startsWith('CRITICAL: Failed to resolve secret reference'))
    const places: { path: ConfigPath; reference: string }[] = []
    const look = (value: string, path: ConfigPath): void => {
      for (const m of value.matchAll(/\$\{([^}]*)\}/g)) {
        // MCPProxy expands ${env:NAME} and ${keyring:NAME}, nothing else.
        if (!/^(?:env|keyring):[^}]+$/.test(m[1] ?? '')) places.push({ path, reference: m[0] })
      }
    }
    for (const name of Object.keys(server.env)) {
      const value = server.env[name] ?? ''
      if (!value.includes('$')) continue
      look(value, serverPath(server, 'env', name))
      if (/^\$[A-Z_][A-Z0-9_]*$/.test(value)) places.push({ path: serverPath(server, 'env', name), reference: value })
    }
    // In a shell line ${X} is the shell's own.
    if (server.args.some((a) => a.includes('$')) && !/^(?:.*\/)?(?:ba|z|da|k|a)?sh$/.test(server.command))
      server.args.forEach((value, i) => {
        if (value.includes('$') && !/^(?:-v|--volume|--mount)$/.test(server.args[i - 1] ?? '')) look(value, serverPath(server, 'args', i))
      })
    if (places.length === 0 && !told) return null
    const reference = told ? field(told, 'reference') : null
    const still = reference === null || JSON.stringify(server).includes(reference.replaceAll('"', '\\"'))
    if (places.length === 0 && !(told && still)) return null
    const healthy = isConnected(serverLog, status)
    const first = places[0]
    const named = told && reference ? Object.entries(server.env).find(([, v]) => v.includes(reference))?.[0] : undefined
    const place =
      first?.path ?? (named ? serverPath(server, 'env', named) : told ? argPlace(server.args, reference ?? '', server.index) : null)
    return {
      observations: [...(first || place ? (['config'] as const) : []), ...(told && still ? (['mainLog'] as const) : [])],
      severity: healthy ? 'warning' : 'error',
      ...(told && still ? { proof: 'MCPProxy logged that it could not resolve it and passed the text on.' } : {}),
      facts: { reference: first?.reference ?? reference, field: told ? field(told, 'field') : null },
      cites: [...(place ? [citeConfig(config, place)] : []), ...(told && still ? [citeLog(told)] : [])],
      detail: first
        ? `MCPProxy expands only \${env:NAME} and \${keyring:NAME}; ${first.reference} stays as it is.`
        : `${reference ?? 'The reference'} names something that does not exist for MCPProxy, so the server gets the text itself.`,
      remedies: [
        {
          kind: 'instruction',
          title: first
            ? 'Spell it ${env:NAME} or ${keyring:NAME}.'
            : 'Make the variable or the keyring entry exist for MCPProxy, then restart the server.',
        },
      ],
    }
  },
})

function argPlace(args: readonly string[], reference: string, index: ServerEntry['index']): ConfigPath | null {
  const i = args.findIndex((a) => a.includes(reference))
  return i < 0 ? null : ['mcpServers', index, 'args', i]
}
