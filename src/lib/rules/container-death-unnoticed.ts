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
    return {
      observations: ['status', ...(docker ? (['containers'] as const) : []), ...(closed ? (['serverLog'] as const) : [])],
      proof: 'MCPProxy says connected, and no container of this server runs.',
      facts: { exitCode: s?.exitCode ?? null },
      cites: [citeApi('/api/v1/servers', 'connected', 'true'), ...(closed ? [citeLog(closed)] : []), ...(s ? [citeStory(s)] : [])],
      detail: 'MCPProxy does not look after the containers of isolated servers: "connected" stays until the next restart.',
      remedies: [{ kind: 'reload', title: 'Restart the server' }],
    }
  },
})
