/** The image is not on this machine and the engine cannot reach the registry. */
import { citeConfig, citeEngine } from './cite.ts'
import { dockerFailure, imagePlace, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'registry-unreachable',
  severity: 'error',
  title: 'The image is not on this machine and the engine cannot reach the registry',
  needs: ['serverLog'],
  uses: ['config', 'events', 'image'],
  detect({ serverLog }, { config, events, image }) {
    const said = dockerFailure(serverLog, 'registry-unreachable')
    if (!said) return null
    const { observations, cites } = refusal(said, serverLog, events)
    const place = imagePlace(config)
    return {
      observations: [...observations, ...(image?.inspect === null ? (['image'] as const) : [])],
      facts: { registry: said.subject, why: said.detail },
      cites: [
        ...(place && config ? [citeConfig(config, place)] : []),
        ...cites,
        ...(image?.inspect === null ? [citeEngine('image', `${image.reference} is not on this engine`)] : []),
      ],
      detail: `It is the engine, not the container, that has to reach ${said.subject ?? 'the registry'}.`,
      remedies: [
        { kind: 'instruction', title: 'Name an image that is here, pull it another way, or repair DNS or the proxy of the engine.' },
      ],
    }
  },
})
