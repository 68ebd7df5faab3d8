/** The engine is Podman, which speaks another dialect. */
import { citeEngine } from './cite.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'podman-engine',
  severity: 'warning',
  title: 'The engine is Podman, which speaks another dialect',
  needs: ['engine'],
  detect({ engine }) {
    if (!engine.reachable.yes || !engine.reachable.podman) return null
    return {
      observations: ['engine'],
      rank: 'supported',
      facts: { version: engine.reachable.version },
      cites: [citeEngine('/version', 'Components names Podman')],
      severity: 'info',
      detail: 'Error texts differ, and the host is host.containers.internal.',
      remedies: [{ kind: 'instruction', title: 'Use host.containers.internal instead of host.docker.internal.' }],
    }
  },
})
