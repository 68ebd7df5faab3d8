/** The docker program and the engine do not share an API version. */
import { citeLog } from './cite.ts'
import { dockerFailure, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'api-version',
  severity: 'error',
  title: 'The docker program and the engine do not share an API version',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['events', 'engine'],
  detect({ serverLog }, { events, engine }) {
    const said = dockerFailure(serverLog, 'api-version')
    if (!said) return null
    const { observations, cites } = refusal(said, serverLog, events)
    const range = engine?.reachable.yes ? `${engine.reachable.minApiVersion ?? '?'} to ${engine.reachable.apiVersion ?? '?'}` : null
    return {
      observations: [...observations, ...(range ? (['engine'] as const) : [])],
      facts: { client: said.subject, engine: range },
      cites: cites.length > 0 ? cites : [citeLog(said.line)],
      detail: `The client asks for ${said.subject ?? 'another version'}${range ? `, the engine speaks ${range}` : ''}.`,
      remedies: [{ kind: 'instruction', title: 'Upgrade the older side, and remove DOCKER_API_VERSION from the environment of MCPProxy.' }],
    }
  },
})
