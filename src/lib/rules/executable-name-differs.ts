/** The package has no program of its own name. */
import { citeLog } from './cite.ts'
import { programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'executable-name-differs',
  severity: 'error',
  title: 'The package has no program of its own name',
  needs: ['serverLog'],
  detect({ serverLog }) {
    const said = programSaid(serverLog, 'npm-no-program', 'uv-program-differs')
    return said
      ? {
          observations: ['serverLog'],
          facts: { program: said.subject },
          cites: [citeLog(said.line)],
          detail: 'The runner found the package, but no program to run in it.',
          remedies: [{ kind: 'instruction', title: 'Name both: uvx --from PACKAGE PROGRAM, npx -p PACKAGE PROGRAM.' }],
        }
      : null
  },
})
