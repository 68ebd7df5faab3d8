/** The image or the tag does not exist, or the name is not a valid reference. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { builtInImages, detectRuntime } from '../mcpproxy/images.ts'
import type { Version } from '../mcpproxy/versions.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { citeConfig } from './cite.ts'
import { imagePlace } from './helpers.ts'
import { pullRule } from './pull-rule.ts'
import type { Detection } from './rule.ts'

export default pullRule({
  code: 'image-unknown',
  title: 'The image or its tag does not exist, or its name is not valid',
  kinds: ['image-unknown', 'reference-invalid'],
  detail: (said) =>
    said.kind === 'reference-invalid'
      ? `docker cannot read the name${said.detail ? `: ${said.detail}` : ''}.`
      : 'The registry was asked and does not have it.',
  edits: withoutOwnImage,
  hint: capitals,
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

/**
 * docker takes capitals in the name of a registry and in a tag, and nowhere else; a first part with capitals is a registry for it
 * (reference.ParseNormalizedNamed of github.com/distribution/reference).
 */
function capitals(config: ConfigEvidence): Detection | null {
  const place = imagePlace(config)
  const image = config.expected?.run.image ?? ''
  if (!place || !/[A-Z]/.test(image)) return null
  const name = image.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
  const [, first, rest] = /^([^/]*)\/(.*)$/.exec(name) ?? []
  const isRegistry = first !== undefined && (/[.:]/.test(first) || first === 'localhost' || /[A-Z]/.test(first))
  const repository = isRegistry ? (rest ?? '') : name
  const mistaken = isRegistry && /[A-Z]/.test(first) && !/[.:]/.test(first)
  if (!/[A-Z]/.test(repository) && !mistaken) return null
  return {
    observations: ['config'],
    title: 'The name of the image has capitals',
    facts: { image },
    cites: [citeConfig(config, place)],
    detail: /[A-Z]/.test(repository)
      ? `docker refuses it: repository name (${repository}) must be lowercase.`
      : `docker takes "${first ?? ''}" for the name of a registry, because a repository has no capitals.`,
    remedies: [{ kind: 'instruction', title: `Write the name in lower case: ${image.replace(name, name.toLowerCase())}.` }],
  }
}
