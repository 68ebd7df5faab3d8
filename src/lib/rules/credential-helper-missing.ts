/** docker's config.json names a credential helper that is not installed, or cannot be read. */
import { dockerFailure, dockerSaid, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'credential-helper-missing',
  severity: 'error',
  title: "Docker's config.json names a credential helper that is not installed",
  only: 'failed',
  needs: ['serverLog'],
  uses: ['events', 'image'],
  detect({ serverLog }, { events, image }) {
    const said = dockerFailure(serverLog, 'credential-helper')
    const broken = said ? null : dockerSaid(serverLog, 'config-json-broken')
    const error = said ?? broken
    if (!error) return null
    const { observations, cites } = refusal(error, serverLog, events)
    return {
      observations: [...(said ? observations : (['serverLog'] as const)), ...(said && image?.inspect === null ? (['image'] as const) : [])],
      severity: said ? 'error' : 'warning',
      ...(broken ? { title: "Docker's config.json cannot be read; its contexts and logins are ignored" } : {}),
      facts: { helper: error.subject },
      cites,
      detail: said
        ? `The image has to be pulled, and docker asks "${said.subject ?? 'a helper'}" for the login, which is not on the PATH.`
        : 'docker goes on without it.',
      remedies: [
        {
          kind: 'instruction',
          title: said
            ? 'Remove credsStore or credHelpers from ~/.docker/config.json of the user that runs MCPProxy, or put the helper on its PATH.'
            : 'Repair the file.',
        },
      ],
    }
  },
})
