/** Not enabled; a missing "enabled" means false. */
import { citeApi, citeConfig } from './cite.ts'
import { serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'server-disabled',
  severity: 'error',
  title: 'The server is not enabled',
  needs: ['config'],
  uses: ['status', 'serverLog'],
  detect({ config }, { status, serverLog }) {
    const { server } = config
    if (!server || server.enabled === true) return null
    const says = status?.server
    if (says?.enabled === true && says.connected) return null
    // The file said so after the daemon had started the server: then not-restarted is the finding.
    if (says === undefined && serverLog?.newest?.outcome === 'connected' && status) return null
    return {
      observations: ['config', ...(says?.enabled === false ? (['status'] as const) : [])],
      proof: server.enabled === null ? 'An absent "enabled" means false.' : 'MCPProxy starts only servers with "enabled": true.',
      facts: { enabled: server.enabled },
      cites: [
        citeConfig(config, serverPath(server, 'enabled')),
        ...(says?.enabled === false ? [citeApi('/api/v1/servers', 'enabled', 'false')] : []),
      ],
      detail:
        server.enabled === null ? 'The entry has no "enabled", and MCPProxy takes that as false.' : 'The entry says "enabled": false.',
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Enable the server',
          because: 'MCPProxy does not start it otherwise',
          edits: [{ path: serverPath(server, 'enabled'), value: true }],
        },
      ],
    }
  },
})
