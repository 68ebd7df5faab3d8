/** How long MCPProxy waits for the answer to `initialize` (facts of v0.7.0 to v0.60.0). */
import type { GlobalConfig, ServerEntry } from '../formats/mcp-config.ts'
import { since, type Version } from './versions.ts'

const standardMs = 30_000
const floorMs = 180_000

export interface Deadlines {
  /** The attempts that MCPProxy makes by itself: at program start and every 30 s. No setting changes it. */
  byItselfMs: number
  /** The attempt of a restart through the API. */
  restartMs: number
}

/** `init_timeout` counts on the restart path only; since v0.24.0 a server that is docker has at least 3 minutes there. */
export function deadlines(server: ServerEntry, global: GlobalConfig, version: Version, isDocker: boolean): Deadlines {
  const wished = since(version, 'initTimeout') ? (parseDuration(server.init_timeout) ?? parseDuration(global.init_timeout)) : null
  const floor = isDocker && global.docker_isolation.enabled && since(version, 'connectFloor') ? floorMs : 0
  return { byItselfMs: standardMs, restartMs: Math.max(wished !== null && wished > 0 ? wished : standardMs, floor) }
}

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000001 }

/** Go's time.ParseDuration for positive values, e.g. `1m30s`, in milliseconds; null: not a duration. */
export function parseDuration(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return null
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)].reduce((sum, m) => sum + Number(m[1]) * (units[m[2] ?? ''] ?? 0), 0)
}
