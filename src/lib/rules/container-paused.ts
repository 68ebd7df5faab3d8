/** The container is paused. */
import { citeEngine } from './cite.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'container-paused',
  severity: 'error',
  title: 'The container is paused',
  needs: ['containers'],
  detect({ containers }) {
    const paused = containers.find((c) => c.relation !== 'other' && c.state === 'paused')
    return paused
      ? {
          observations: ['containers'],
          proof: 'The engine says so.',
          facts: { container: paused.names[0] ?? paused.id },
          cites: [citeEngine('container', `${paused.names[0] ?? ''}: ${paused.status}`)],
          detail: 'A paused container neither answers nor ends.',
          remedies: [{ kind: 'command', title: 'Resume it', argv: ['docker', 'unpause', paused.names[0] ?? paused.id] }],
        }
      : null
  },
})
