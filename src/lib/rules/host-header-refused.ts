/** An HTTP MCP server refuses the Host header under which it is reached. */
import { citeConfig, citeLog } from './cite.ts'
import { failure, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

// The protection of the MCP SDKs against DNS rebinding lets these through by itself.
const own = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

export default defineRule({
  code: 'host-header-refused',
  severity: 'error',
  title: 'The HTTP server refuses the Host header under which it is reached',
  only: 'failed',
  needs: ['config', 'serverLog'],
  detect({ config, serverLog }) {
    const { server } = config
    const attempt = failure(serverLog)
    if (!server || !attempt) return null
    const said = programSaid(serverLog, 'host-header')?.line
    // MCPProxy is itself the client of a remote server: the answer stands in its own error.
    const answered =
      attempt.errorLine && /421 Misdirected Request|Invalid Host header/i.test(attempt.error ?? '') ? attempt.errorLine : null
    const line = said ?? answered
    if (!line) return null
    const written = [server.url, ...server.args].find((a) => /^https?:/.test(a) && URL.canParse(a))
    const address = written === undefined ? null : new URL(written)
    const foreign = address !== null && !own.test(address.hostname)
    const at = server.args.indexOf(written ?? '')
    return {
      observations: ['serverLog', ...(foreign ? (['config'] as const) : [])],
      facts: { host: address?.host ?? null },
      cites: [
        ...(foreign ? [citeConfig(config, server.url !== '' ? serverPath(server, 'url') : serverPath(server, 'args', at))] : []),
        citeLog(line),
      ],
      detail: `The server is protected against DNS rebinding and knows only certain names; ${address ? `${address.host} is not among them` : 'the one that it is called by is not among them'}.`,
      remedies: [
        {
          kind: 'instruction',
          title: `Add ${address ? `"${address.host}"` : 'the name'} to the allowed hosts of that server (in the SDKs: allowed_hosts, allowedHosts).`,
        },
      ],
    }
  },
})
