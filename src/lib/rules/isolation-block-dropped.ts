/** Before v0.13.1 a block without "enabled" meant off. */
import { citeConfig } from './cite.ts'
import { serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'isolation-block-dropped',
  severity: 'warning',
  title: 'This MCPProxy reads an isolation block without "enabled" as off',
  needs: ['config'],
  releases: { before: 'triStateIsolation' },
  detect({ config }, _, { version }) {
    const { server } = config
    if (!server?.isolation || server.isolation.enabled !== null || !config.global.docker_isolation.enabled) return null
    return {
      observations: ['config'],
      rank: 'supported',
      facts: { version: version.value.text },
      cites: [citeConfig(config, serverPath(server, 'isolation'))],
      detail: `${version.value.text} runs this server on the host; since v0.13.1 an absent "enabled" means: as globally.`,
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Write enabled explicitly',
          because: 'it means the same in every release',
          edits: [{ path: serverPath(server, 'isolation', 'enabled'), value: true }],
        },
      ],
    }
  },
})
