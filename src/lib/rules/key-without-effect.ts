/** Keys that MCPProxy ignores: they were never read, or are misspelt. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { nearest } from '../errors.ts'
import { knownKeys, plain, valueAt, type ConfigPath } from '../formats/mcp-config.ts'
import { neverRead } from '../mcpproxy/effective.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { citeKey } from './cite.ts'
import { failure, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'key-without-effect',
  severity: 'warning',
  title: 'The configuration sets keys that MCPProxy ignores',
  needs: ['config'],
  uses: ['serverLog'],
  detect({ config }, { serverLog }) {
    const found = ignoredKeys(config)
    if (found.length === 0) return null
    const [first] = found
    const missed = found.some((f) => f.matters) && failure(serverLog) !== null
    return {
      observations: ['config'],
      rank: 'supported',
      severity: missed ? 'warning' : found.some((f) => f.own) ? 'warning' : 'info',
      facts: { keys: found.map((f) => f.path.join('.')) },
      cites: found.slice(0, 6).map((f) => citeKey(config, f.path)),
      detail: found
        .slice(0, 6)
        .map((f) => f.why)
        .join(' '),
      remedies: found
        .flatMap((f) => (f.remedy ? [f.remedy] : []))
        .concat(
          first && found.every((f) => !f.remedy) ? [{ kind: 'instruction', title: 'Remove them, or spell them as MCPProxy does.' }] : [],
        ),
    }
  },
})

const known = {
  isolation: new Set(knownKeys.isolation),
  docker_isolation: new Set(knownKeys.docker_isolation),
  server: new Set(knownKeys.server),
}

interface Ignored {
  path: ConfigPath
  why: string
  own: boolean
  matters: boolean
  remedy: Remedy | null
}

function ignoredKeys(config: ConfigEvidence): Ignored[] {
  const { server } = config
  const found: Ignored[] = []
  const unknown = (base: ConfigPath, keys: readonly string[], among: ReadonlySet<string>, own: boolean): void => {
    for (const key of keys) {
      if (among.has(key) || among.has(key.toLowerCase())) continue
      const path = [...base, key]
      const instead = neverRead[key]
      const near = nearest(key, [...among])
      // Keys that nobody could mean are left alone: newer releases and other tools add their own.
      if (base.length > 2 && base.at(-1) === 'isolation' ? false : !near && !instead) continue
      const label = [...base.filter((p) => typeof p === 'string' && p !== 'mcpServers'), key].join('.')
      found.push({
        path,
        own,
        matters: instead !== undefined,
        why: `${label} is not read${instead ? `; use ${instead}` : near ? `; did you mean ${near}?` : ''}.`,
        remedy: server && base.at(-1) === 'isolation' ? replacement(config, path, key) : null,
      })
    }
  }
  if (server) {
    if (server.isolation) unknown(serverPath(server, 'isolation'), server.isolation.keys, known.isolation, true)
    unknown(serverPath(server), server.keys, known.server, true)
  }
  unknown(['docker_isolation'], config.global.docker_isolation.keys, known.docker_isolation, true)
  // Parsed and shown, but no code enforces it; MCPProxy writes it itself, so the default says nothing.
  const timeout = config.global.docker_isolation.timeout
  if (timeout !== null && timeout !== '30s' && timeout !== '')
    found.push({
      path: ['docker_isolation', 'timeout'],
      own: false,
      matters: false,
      why: 'docker_isolation.timeout is read but never used; the deadline of a start is init_timeout.',
      remedy: null,
    })
  return found
}

/** The working substitute, with the flags of extra_args appended. */
function replacement(config: ConfigEvidence, path: ConfigPath, key: string): Remedy | null {
  const { server } = config
  const value = plain(valueAt(config.document, path))
  if (!server?.isolation) return null
  const flags =
    key === 'memory_limit'
      ? ['--memory', String(value)]
      : key === 'cpu_limit'
        ? ['--cpus', String(value)]
        : (key === 'volumes' || key === 'mounts') && Array.isArray(value)
          ? value.flatMap((v) => ['-v', String(v)])
          : null
  if (!flags) return null
  const kind =
    key === 'memory_limit' || key === 'cpu_limit' ? 'limits' : flags.every((f) => f === '-v' || f.endsWith(':ro')) ? 'safe' : 'mounts'
  return {
    kind: 'config-edit',
    class: kind,
    title: `Write it as extra_args`,
    because: `${key} has never been read`,
    edits: [
      { path: serverPath(server, 'isolation', 'extra_args'), value: [...server.isolation.extra_args, ...flags] },
      { path, value: undefined },
    ],
  }
}
