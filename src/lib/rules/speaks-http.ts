/** The server speaks HTTP instead of standard input and output. */
import { citeLog } from './cite.ts'
import { failure, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'speaks-http',
  severity: 'error',
  title: 'The program starts an HTTP server instead of speaking over standard input and output',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['image'],
  detect({ serverLog }, { image }) {
    const said = programSaid(serverLog, 'speaks-http')
    if (!said || failure(serverLog)?.outcome !== 'no-answer') return null
    const exposes = (image?.inspect?.exposedPorts.length ?? 0) > 0
    return {
      observations: ['serverLog', ...(exposes ? (['image'] as const) : [])],
      facts: { port: said.subject },
      cites: [citeLog(said.line)],
      detail: 'It listens on a port, and nothing comes on standard output.',
      remedies: [
        { kind: 'instruction', title: 'Ask for stdio by the flag or variable of this server, or configure it as an HTTP upstream.' },
      ],
    }
  },
})
