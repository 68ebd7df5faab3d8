/** The image or the tag does not exist, or the name is not a valid reference. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { builtInImages, detectRuntime } from '../mcpproxy/images.ts'
import type { Version } from '../mcpproxy/versions.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { imagePlace } from './helpers.ts'
import { pullRule } from './pull-rule.ts'

export default pullRule({
  code: 'image-unknown',
  title: 'The image or its tag does not exist, or its name is not valid',
  kinds: ['image-unknown', 'reference-invalid'],
  detail: (said) =>
    said.kind === 'reference-invalid'
      ? `docker cannot read the name${said.detail ? `: ${said.detail}` : ''}.`
      : 'The registry was asked and does not have it.',
  edits: withoutOwnImage,
  remedy: 'Name an image and a tag that exist.',
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
