/** In quarantine its tools are not offered, and it is started and stopped again and again. */
import { citeApi, citeConfig, citeLog } from './cite.ts'
import { serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'server-quarantined',
  severity: 'error',
  title: 'The server is in quarantine: its tools are not offered until somebody has reviewed it',
  needs: ['config'],
  uses: ['status', 'mainLog'],
  detect({ config }, { status, mainLog }) {
    const { server } = config
    if (!server || server.enabled !== true) return null
    const api = status?.server?.quarantined ?? null
    const line = [...(mainLog?.lines ?? [])]
      .reverse()
      .find((l) =>
        /Quarantining first-seen server|Skipping quarantined client|Server is quarantined|Retaining recorded quarantine/.test(l.message),
      )
    const file = server.quarantined
    // The API knows best; without it the file, and for an entry that does not say, the log.
    const quarantined = api ?? file ?? line !== undefined
    if (!quarantined) return null
    const proven = api === true || file === true
    return {
      observations: [
        ...(file === true ? (['config'] as const) : []),
        ...(api === true ? (['status'] as const) : []),
        ...(line ? (['mainLog'] as const) : []),
      ],
      ...(proven ? { proof: api === true ? 'MCPProxy itself says so.' : 'The entry says "quarantined": true.' } : {}),
      facts: { file, api },
      cites: [
        citeConfig(config, serverPath(server, 'quarantined')),
        ...(api === true ? [citeApi('/api/v1/servers', 'quarantined', 'true')] : []),
        ...(line ? [citeLog(line)] : []),
      ],
      detail:
        file === null
          ? 'The entry does not state "quarantined", and since v0.53.0 a server first seen in the file is held for review.'
          : 'A quarantined server is started for inspection and stopped again; clients do not see its tools.',
      remedies: [
        {
          kind: 'instruction',
          title: 'Review its tools in the Web UI or with `mcpproxy upstream inspect`, then approve it. Do not approve it unseen.',
        },
      ],
    }
  },
})
