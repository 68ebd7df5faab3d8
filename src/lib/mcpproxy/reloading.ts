/** How a change of the file reaches a running server, and whom a restart hits. By version; facts read from MCPProxy's tags. */
import type { ConfigPath } from '../formats/mcp-config.ts'
import { cleanupPattern, containerToken } from './names.ts'
import { since, type Version } from './versions.ts'

/**
 * `watch`: MCPProxy takes the file by itself within a second (v0.52.0), then the server is restarted through the API.
 * `restart`: the restart of a server reads its entry from the file again (v0.33.1).
 * `own-restart`: only a start of MCPProxy itself takes the file.
 */
export type ReloadWay = { way: 'watch' } | { way: 'restart' } | { way: 'own-restart'; because: string }

/** `changed`: the places of the file that differ from what MCPProxy has in memory; empty: nothing does. */
export function reloadWay(version: Version, changed: readonly ConfigPath[]): ReloadWay {
  if (since(version, 'hotReload')) return { way: 'watch' }
  if (!since(version, 'restartApi'))
    return { way: 'own-restart', because: `MCPProxy ${version.text} has no API for restarting one server (v0.9.0 brought it)` }
  if (changed.length === 0) return { way: 'restart' }
  if (!since(version, 'restartReadsFile'))
    return {
      way: 'own-restart',
      because: `MCPProxy ${version.text} reads the file only when it starts (v0.33.1 reads a server's entry at its restart)`,
    }
  // The restart reads the one entry, and nothing else of the file.
  if (changed.some((p) => p[0] !== 'mcpServers'))
    return {
      way: 'own-restart',
      because: `MCPProxy ${version.text} reads what stands outside mcpServers only when it starts (v0.52.0 watches the file)`,
    }
  return { way: 'restart' }
}

/** How to restart the program itself, and what that does. */
export const ownRestart = (pid: number | null): string =>
  `Stop MCPProxy${pid === null ? '' : ` (kill -TERM ${pid})`}, wait until it has ended (up to 45 s), and start it as it was started. ` +
  'Stopping it stops the containers of every MCPProxy on this engine. Until then change nothing in its UI: saving there would undo the change of the file.'

export interface ProxyContainer {
  name: string
  /** Of its label `com.mcpproxy.server`; null: not one of MCPProxy's. */
  server: string | null
  running: boolean
}

/**
 * Other servers that lose their running container when `server` is restarted: MCPProxy removes every container whose name
 * contains `mcpproxy-<name>-`, so `web` removes that of `web-api`.
 */
export function hitByRestart(server: string, containers: readonly ProxyContainer[]): string[] {
  const pattern = cleanupPattern(server)
  const hit = containers.filter((c) => c.running && c.name.includes(pattern) && c.server !== server)
  return [...new Set(hit.map((c) => c.server ?? `the container ${c.name}`))]
}

/** The same from the names alone, for when the engine cannot be asked. */
export const mayBeHit = (server: string, others: readonly string[]): string[] =>
  others.filter((o) => o !== server && `mcpproxy-${containerToken(o)}-`.includes(cleanupPattern(server)))
