/** docker_isolation.registry goes in front of a short image name, and there is no such repository. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import type { ConfigPath } from '../formats/mcp-config.ts'
import { builtInImages, chooseImage } from '../mcpproxy/images.ts'
import type { Version } from '../mcpproxy/versions.ts'
import { citeConfig } from './cite.ts'
import { dockerFailure, imagePlace, isIsolated, refusal, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'registry-prefix',
  severity: 'error',
  title: 'docker_isolation.registry turns a short image name into one that does not exist',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['events'],
  detect({ config, serverLog }, { events }, { version }) {
    const { registry } = config.global.docker_isolation
    if (!config.server || !isIsolated(config) || !registry || /^(?:docker\.io|index\.docker\.io)$/.test(registry)) return null
    const image = config.expected?.run.image ?? ''
    const short = shortName(config, version.value)
    const said = dockerFailure(serverLog, 'image-unknown', 'registry-login')
    // A registry that knows the repository but not the tag has the image in its place.
    if (!short || !said || /manifest/i.test(said.text) || !image.startsWith(`${registry}/library/`)) return null
    const named = said.text.includes(image.replace(/[:@][^/]*$/, ''))
    const { observations, cites } = refusal(said, serverLog, events)
    return {
      observations: [...observations, ...(named ? (['config'] as const) : [])],
      facts: { registry, written: short.name, asked: image },
      cites: [
        citeConfig(config, ['docker_isolation', 'registry']),
        ...(imagePlace(config) ? [citeConfig(config, short.place)] : []),
        ...cites,
      ],
      detail: `"${short.name}" has no slash, so MCPProxy asks for ${image}. The registry has no such repository.`,
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Write the image with its registry and path',
          because: 'a name with a slash is taken as it is',
          edits: [{ path: short.place, value: `docker.io/library/${short.name}` }],
        },
      ],
    }
  },
  hint(config, { version }) {
    const { registry } = config.global.docker_isolation
    const short = registry && config.server && isIsolated(config) ? shortName(config, version.value) : null
    const image = config.expected?.run.image ?? ''
    if (!short || !registry || !image.startsWith(`${registry}/library/`) || /^(?:docker\.io|index\.docker\.io)$/.test(registry)) return null
    return {
      observations: ['config'],
      facts: { registry, written: short.name, asked: image },
      cites: [citeConfig(config, ['docker_isolation', 'registry']), citeConfig(config, short.place)],
      detail: `"${short.name}" has no slash, so MCPProxy asks for ${image}, which few registries have.`,
      remedies: [
        { kind: 'instruction', title: `Write it in full, e.g. docker.io/library/${short.name}, if ${registry} has no such repository.` },
      ],
    }
  },
})

/** The image as it is written, if it has no slash, and where to write it in full. */
function shortName(config: ConfigEvidence, version: Version): { name: string; place: ConfigPath } | null {
  const { server, global } = config
  if (!server) return null
  const { from, runtimeType } = chooseImage(server, global, version)
  const own = serverPath(server, 'isolation', 'image')
  const [name, place] =
    from === 'server'
      ? [server.isolation?.image, own]
      : from === 'default_images'
        ? [global.docker_isolation.default_images[runtimeType], ['docker_isolation', 'default_images', runtimeType]]
        : [builtInImages(version)[runtimeType], own]
  return name && !name.includes('/') ? { name, place } : null
}
