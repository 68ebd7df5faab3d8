/** The engine's disk, or a volume, is full. */
import { citeLog } from './cite.ts'
import { dockerFailure, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'disk-full',
  severity: 'error',
  title: 'The disk of the engine, or a volume, is full',
  only: 'failed',
  needs: ['serverLog'],
  detect({ serverLog }) {
    const said = dockerFailure(serverLog, 'no-space') ?? programSaid(serverLog, 'no-space')
    return said
      ? {
          observations: ['serverLog'],
          facts: {},
          cites: [citeLog(said.line)],
          detail: 'It is the disk of the engine (of its virtual machine), or a small tmpfs.',
          remedies: [{ kind: 'command', title: 'See what uses the space', argv: ['docker', 'system', 'df'] }],
        }
      : null
  },
})
