/** The container is gone, but MCPProxy still shows the server as connected. */
import { citeApi, citeLog, citeStory } from './cite.ts'
import { callsDocker, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'container-death-unnoticed',
  severity: 'error',
  title: 'The container is gone, but MCPProxy still shows the server as connected',
  needs: ['status', 'containers', 'serverLog'],
  uses: ['events', 'config'],
  detect({ status, containers, serverLog }, { events, config }) {
    const newest = serverLog.newest
    const docker = callsDocker(config)
    if (status?.server?.connected !== true || newest?.outcome !== 'connected') return null
    const alive = containers.some((c) => c.relation !== 'other' && ['running', 'paused'].includes(c.state))
    const closed = newest.closedAfterConnect
    if (alive || (!closed && !docker) || (!closed && newest.isolated === null)) return null
    const s = story(events)
    // The engine that was asked may be another one than the container's: its end has to be seen as well.
    const ended = closed !== null || s?.diedAt != null
    return {
      observations: ['status', ...(docker ? (['containers'] as const) : []), ...(closed ? (['serverLog'] as const) : [])],
      ...(ended
        ? { proof: 'MCPProxy says connected, its process ended, and no container of this server runs.' }
        : { rank: 'suspected' as const }),
      facts: { exitCode: s?.exitCode ?? null },
      cites: [citeApi('/api/v1/servers', 'connected', 'true'), ...(closed ? [citeLog(closed)] : []), ...(s ? [citeStory(s)] : [])],
      detail: 'MCPProxy does not look after the containers of isolated servers: "connected" stays until the next restart.',
      remedies: [{ kind: 'reload', title: 'Restart the server' }],
    }
  },
})
