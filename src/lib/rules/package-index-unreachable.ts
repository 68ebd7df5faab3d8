/** The package index that is configured for npm or uv cannot be reached from the container. */
import { citeLog } from './cite.ts'
import { programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'package-index-unreachable',
  severity: 'error',
  title: 'The package index cannot be reached from the container',
  only: 'failed',
  needs: ['serverLog'],
  detect({ serverLog }) {
    const said = programSaid(serverLog, 'npm-network', 'uv-network')
    return said && !programSaid(serverLog, 'npm-dns', 'uv-dns', 'certificate')
      ? {
          observations: ['serverLog'],
          facts: { url: said.subject },
          cites: [citeLog(said.line)],
          detail: 'The address is known, but nothing answers there.',
          remedies: [
            {
              kind: 'instruction',
              title: 'Correct the index in env (npm_config_registry, UV_INDEX_URL), or pass on the proxy that leads to it.',
            },
          ],
        }
      : null
  },
})
