/** Names that MCPProxy derives from a server's name. */
import { since, type Version } from './versions.ts'

/**
 * The middle of a container's name, `mcpproxy-<token>-<4 characters>` (since v0.8.3): every run
 * of characters outside `[A-Za-z0-9_.-]` becomes one `-`, `--` collapses, a first character that
 * is not alphanumeric gets `server-` in front, trailing `-` and `.` go, at most 200 characters.
 */
export function containerToken(server: string): string {
  if (plainName.test(server)) return server
  const collapse = (s: string): string => s.replace(/-{2,}/g, '-')
  let token = collapse(server.replace(/[^A-Za-z0-9_.-]+/g, '-'))
  if (token !== '' && !/^[A-Za-z0-9]/.test(token)) token = collapse(`server-${token}`)
  token = token.replace(/[-.]+$/, '')
  return (token === '' ? 'server' : token).slice(0, 200)
}

/** Most names stay as they are. */
const plainName = /^[A-Za-z0-9](?:[A-Za-z0-9_.]|-(?=[A-Za-z0-9_.])){0,198}(?<![-.])$/

/** `docker ps --filter name=` of MCPProxy's clean-up: a substring match on the container's name. */
export const cleanupPattern = (server: string): string => `mcpproxy-${containerToken(server)}-`

/** The per-server log: since v0.38.0 every character outside `[A-Za-z0-9._-]` is `_`; before, the raw name. */
export function serverLogName(server: string, version: Version): string {
  return since(version, 'sanitisedLogNames') ? `server-${server.replace(/[^A-Za-z0-9._-]/gu, '_')}.log` : `server-${server}.log`
}
