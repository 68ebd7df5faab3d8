/** The image or the tag does not exist, or the name is not a valid reference. */
import { citeConfig, citeEngine } from './cite.ts'
import { dockerFailure, imagePlace, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'image-unknown',
  severity: 'error',
  title: 'The image or its tag does not exist, or its name is not valid',
  needs: ['serverLog'],
  uses: ['config', 'events', 'image'],
  detect({ serverLog }, { config, events, image }) {
    const said = dockerFailure(serverLog, 'image-unknown', 'reference-invalid')
    if (!said) return null
    const { observations, cites } = refusal(said, serverLog, events)
    const place = imagePlace(config)
    return {
      observations: [...observations, ...(image?.inspect === null ? (['image'] as const) : [])],
      facts: { image: image?.reference ?? said.subject },
      cites: [
        ...(place && config ? [citeConfig(config, place)] : []),
        ...cites,
        ...(image?.inspect === null ? [citeEngine('image', `${image.reference} is not on this engine`)] : []),
      ],
      detail:
        said.kind === 'reference-invalid'
          ? `docker cannot read the name${said.detail ? `: ${said.detail}` : ''}.`
          : 'The registry was asked and does not have it.',
      remedies: [{ kind: 'instruction', title: 'Name an image and a tag that exist.' }],
    }
  },
})
