/** The name of the host resolves, and what answers there refuses: the service listens on loopback only, or not at all. */
import { flagValue } from '../formats/docker-run.ts'
import { citeConfig, citeLog } from './cite.ts'
import { effectiveRun, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

const hostName = /\bhost\.(?:docker|containers|lima|orb)\.internal\b|\bgateway\.docker\.internal\b|\bhost-gateway\b/
// docker0, the first address of a bridge network, and what Docker Desktop gives host.docker.internal.
const gateway = /^(?:172\.(?:1[6-9]|2\d|3[01])\.0\.1|192\.168\.65\.(?:1|2|254)|10\.88\.0\.1)$/

export default defineRule({
  code: 'host-loopback-only',
  severity: 'error',
  title: 'The host is reached, but the service there refuses: it listens on loopback only, or does not run',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup'],
  detect({ config, serverLog }, { setup }) {
    const { server } = config
    const run = effectiveRun(config, setup)?.run
    if (!server || !run || ['host', 'none'].includes(flagValue(run, 'network') ?? '')) return null
    const said = programSaid(serverLog, 'connection-refused')
    const named = said?.subject != null && hostName.test(said.subject)
    const address = said?.subject != null && gateway.test(said.subject)
    if (!said || (!named && !address)) return null
    const about = (text: string): boolean => hostName.test(text) || text.includes(said.subject ?? '')
    const argument = server.args.findIndex(about)
    const variable = Object.entries(server.env).find(([, v]) => about(v))?.[0]
    const place = argument >= 0 ? serverPath(server, 'args', argument) : variable !== undefined ? serverPath(server, 'env', variable) : null
    return {
      observations: ['serverLog', ...(place ? (['config'] as const) : [])],
      // Only a look at the host's sockets tells a service on loopback from one that is down.
      rank: 'suspected',
      facts: { address: said.subject, port: said.detail },
      cites: [...(place ? [citeConfig(config, place)] : []), citeLog(said.line)],
      detail: `${said.subject ?? 'The host'}${said.detail ? `:${said.detail}` : ''} is the host as containers see it. A service that listens on 127.0.0.1 there refuses everybody else.`,
      remedies: [
        {
          kind: 'instruction',
          title:
            'See on the host whether and where it listens (ss -ltn); let it listen on the address of the bridge, or use network_mode "host" on Linux.',
        },
      ],
    }
  },
})
