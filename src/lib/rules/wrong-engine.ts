/** The docker that MCPProxy starts looks at another engine than the one that runs. */
import type { DockerEngine } from '../evidence/evidence.ts'
import { citeEngine, citeLog } from './cite.ts'
import { dockerFailure, story } from './helpers.ts'
import { defineRule } from './rule.ts'

// Sockets that a context of Docker Desktop, Colima, OrbStack, Rancher Desktop or Lima leaves behind.
const contextSocket = /\/\.(?:docker\/(?:desktop|run)|colima|orbstack|rd|lima)\//

/** An engine answers, but not at the address that the text names, and that address is a context's. */
export function elsewhere(host: string | null, engine: DockerEngine | undefined): boolean {
  return (
    host !== null &&
    engine?.reachable.yes === true &&
    (contextSocket.test(host) || (engine.endpoint.context !== null && engine.endpoint.host !== host))
  )
}

export default defineRule({
  code: 'wrong-engine',
  severity: 'error',
  title: 'The docker command of MCPProxy looks at another engine than the one that runs',
  needs: ['serverLog', 'engine'],
  uses: ['events'],
  detect({ serverLog, engine }, { events }) {
    const said = dockerFailure(serverLog, 'cannot-connect')
    if (!said || story(events)?.startedAt != null || !elsewhere(said.subject, engine)) return null
    return {
      observations: ['serverLog', 'engine'],
      facts: { looksAt: said.subject, answers: engine.endpoint.host },
      cites: [citeLog(said.line), citeEngine(engine.endpoint.host ?? 'engine', `answers (${engine.endpoint.decidedBy})`)],
      detail: `docker was sent to ${said.subject ?? 'another address'}, where nothing answers, while an engine answers here. The address comes from DOCKER_HOST, DOCKER_CONTEXT or the current context of the user that runs MCPProxy.`,
      remedies: [
        {
          kind: 'command',
          title: 'Select the running engine for the user that runs MCPProxy, then restart the server',
          argv: ['docker', 'context', 'use', 'default'],
        },
      ],
    }
  },
})
