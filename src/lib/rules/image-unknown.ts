/** The image or the tag does not exist, or the name is not a valid reference. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { builtInImages, detectRuntime } from '../mcpproxy/images.ts'
import type { Version } from '../mcpproxy/versions.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { citeConfig, citeEngine } from './cite.ts'
import { dockerFailure, imagePlace, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'image-unknown',
  severity: 'error',
  title: 'The image or its tag does not exist, or its name is not valid',
  needs: ['serverLog'],
  uses: ['config', 'events', 'image'],
  detect({ serverLog }, { config, events, image }, { version }) {
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
      remedies: [
        ...(config ? withoutOwnImage(config, version.value) : []),
        { kind: 'instruction', title: 'Name an image and a tag that exist.' },
      ],
    }
  },
})

/** Where the runtime has an image of MCPProxy's own: without the one that does not exist. */
function withoutOwnImage(config: ConfigEvidence, version: Version): Remedy[] {
  const place = imagePlace(config)
  const runtime = detectRuntime(config.server?.command ?? '')
  const own = builtInImages(version)[runtime]
  if (!place || config.decision?.runs !== 'docker' || !own || ['binary', 'bash', 'sh', 'pipx'].includes(runtime)) return []
  return [
    {
      kind: 'config-edit',
      class: 'safe',
      title: 'Take out the image that does not exist',
      because: `MCPProxy then uses its own image for ${runtime}, ${own}`,
      edits: [{ path: place, value: undefined }],
    },
  ]
}
