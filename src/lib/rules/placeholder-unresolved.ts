/** A `${…}` reference reaches the server as literal text. */
import { parseDockerRun } from '../formats/docker-run.ts'
import { field } from '../formats/log-line.ts'
import type { ConfigPath, ServerEntry } from '../formats/mcp-config.ts'
import { baseName, stockImage } from '../mcpproxy/images.ts'
import { isDockerCommand } from '../mcpproxy/isolation.ts'
import { citeConfig, citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { serverPath } from './helpers.ts'
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
    // In a shell line ${X} is the shell's own, in a program its language's.
    if (server.args.some((a) => a.includes('$')) && !isShell(server.command)) {
      const program = programTexts(server)
      server.args.forEach((value, i) => {
        if (value.includes('$') && !program.has(i) && !/^(?:-v|--volume|--mount)$/.test(server.args[i - 1] ?? ''))
          look(value, serverPath(server, 'args', i))
      })
    }
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

const isShell = (word: string): boolean => /^(?:ba|z|da|k|a)?sh$/.test(baseName(word))

/** Which flag of an interpreter is followed by a program; null: it is none. */
function programFlag(word: string): RegExp | null {
  const name = baseName(word).replace(/\.exe$/, '')
  if (isShell(name)) return /^-\w*c$/
  if (/^(?:node|nodejs|bun|deno|tsx|ruby|perl)$/.test(name)) return /^(?:-e|--eval|-p|-pe|--print|eval)$/
  return /^(?:python[\d.]*|pypy3?)$/.test(name) ? /^-\w*c$/ : name === 'php' ? /^-r$/ : null
}

/** Indices of the arguments that are programs: `node -e 'PROGRAM'`, `docker run node:20 python -c 'PROGRAM'`, `env sh -c 'PROGRAM'`. */
function programTexts({ command, args }: ServerEntry): Set<number> {
  const run = isDockerCommand(command) ? parseDockerRun(args) : null
  const start = run === null ? 0 : run.image === null ? args.length : run.imageIndex + 1
  const found = new Set<number>()
  // The entry points of the images of interpreters hand flags over to them.
  let flag = programFlag(run === null ? command : (run.flags.find((f) => f.name === 'entrypoint')?.value ?? stockImage(run.image) ?? ''))
  for (let i = start; i < args.length; i++) {
    const word = args[i] ?? ''
    if (flag && flag.test(args[i - 1] ?? '') && i > start) found.add(i)
    else if (flag && /^--(?:eval|print)=/.test(word)) found.add(i)
    else if (!word.startsWith('-') && !(flag?.test(word) ?? false)) {
      // What follows a flag may be its value.
      const next = programFlag(word)
      if (next || !(args[i - 1] ?? '').startsWith('-')) flag = next
    }
  }
  return found
}
