/** Isolation happens, but deadlines, recovery and clean-up look only at `enabled`. */
import { citeConfig } from './cite.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'mode-without-enabled',
  severity: 'warning',
  title: 'docker_isolation.mode is "docker" but enabled is not true, so deadlines, recovery and clean-up act as if it were off',
  needs: ['config'],
  releases: { since: 'isolationMode' },
  detect({ config }) {
    const { mode, enabled } = config.global.docker_isolation
    if (mode !== 'docker' || enabled) return null
    return {
      observations: ['config'],
      rank: 'supported',
      facts: { mode, enabled },
      cites: [citeConfig(config, ['docker_isolation', 'mode']), citeConfig(config, ['docker_isolation', 'enabled'])],
      detail:
        'The servers are isolated, but they get 30 seconds instead of three minutes to start, and their containers are not looked after.',
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Set both',
          because: 'several parts of MCPProxy look only at enabled',
          edits: [{ path: ['docker_isolation', 'enabled'], value: true }],
        },
      ],
    }
  },
})
