/** Whether a server works, as far as its log and MCPProxy tell. */
import type { ProxyStatus, ServerLog } from '../evidence/evidence.ts'

/** The newest attempt did the handshake, and nothing says that it ended since. */
export function isConnected(log: ServerLog | undefined, status?: ProxyStatus | null): boolean {
  const newest = log?.newest
  if (newest?.outcome === 'connected') return newest.closedAfterConnect === null && newest.disconnectedAt === null
  if (newest?.outcome === 'pending' || !newest) return log?.failed == null && status?.server?.connected === true
  return false
}
