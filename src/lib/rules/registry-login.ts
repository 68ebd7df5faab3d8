/** The registry refuses the pull: no login, a wrong one, or an expired one; or there is no such repository. */
import { citeConfig } from './cite.ts'
import { dockerFailure, imagePlace, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'registry-login',
  severity: 'error',
  title: 'The registry refuses the pull: no login, a wrong or expired one, or no such repository',
  needs: ['serverLog'],
  uses: ['config', 'events', 'image'],
  detect({ serverLog }, { config, events, image }) {
    const said = dockerFailure(serverLog, 'registry-login')
    if (!said) return null
    const { observations, cites } = refusal(said, serverLog, events)
    const place = imagePlace(config)
    return {
      observations: [...observations, ...(image?.inspect === null ? (['image'] as const) : [])],
      facts: { image: image?.reference ?? said.subject },
      cites: [...(place && config ? [citeConfig(config, place)] : []), ...cites],
      detail: 'A registry that hides what it does not have answers the same for a mistyped name.',
      remedies: [
        {
          kind: 'instruction',
          title: 'Log in with docker login as the user that runs MCPProxy, or log out where an expired login blocks a public image.',
        },
      ],
    }
  },
})
