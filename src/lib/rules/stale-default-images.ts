/** A map of images that an older MCPProxy wrote: from v0.24.0 on uvx runs directly in it, and it has none. */
import { citeConfig } from './cite.ts'
import { globalMode } from '../mcpproxy/isolation.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'stale-default-images',
  severity: 'warning',
  title: 'default_images still holds the map of an older MCPProxy',
  needs: ['config'],
  releases: { since: 'uvImages' },
  detect({ config }, _, { version }) {
    // Without containers the map stands there for nothing.
    if (globalMode(config.global, version.value) !== 'docker') return null
    const map = config.global.docker_isolation.default_images
    if (map['uvx'] === undefined && map['pipx'] === undefined) return null
    const stale = ['uvx', 'pip', 'pipx', 'python', 'python3'].filter((k) => /^(?:docker\.io\/library\/)?python:/.test(map[k] ?? ''))
    if (!stale.includes('uvx') && !stale.includes('pipx')) return null
    return {
      observations: ['config'],
      rank: 'supported',
      facts: { runtimes: stale },
      cites: ['uvx', 'pipx'].filter((k) => stale.includes(k)).map((k) => citeConfig(config, ['docker_isolation', 'default_images', k])),
      detail: 'Plain python images contain no uv; before v0.24.0 MCPProxy installed it first, now it runs uvx directly.',
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Take the stale entries out',
          because: 'MCPProxy then uses its present defaults',
          edits: stale.map((k) => ({ path: ['docker_isolation', 'default_images', k], value: undefined })),
        },
      ],
    }
  },
})
