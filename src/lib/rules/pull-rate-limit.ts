/** The registry refuses the pull because too many were made from this address. */
import { dockerFailure, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'pull-rate-limit',
  severity: 'error',
  title: 'The registry refuses the pull because too many were made from this address',
  needs: ['serverLog'],
  uses: ['events', 'image'],
  detect({ serverLog }, { events, image }) {
    const said = dockerFailure(serverLog, 'rate-limit')
    if (!said) return null
    const { observations, cites } = refusal(said, serverLog, events)
    return {
      observations: [...observations, ...(image?.inspect === null ? (['image'] as const) : [])],
      facts: { image: image?.reference ?? null },
      cites,
      detail: 'The image is not on this engine, and the quota of the registry is used up.',
      remedies: [{ kind: 'instruction', title: 'Log in, use a mirror, or pull later; pin the image by digest.' }],
    }
  },
})
