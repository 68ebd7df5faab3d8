/** Two servers of one name: MCPProxy refuses the whole file. */
import { citeLog, citeOffset } from './cite.ts'
import { refusedReload } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'duplicate-name',
  severity: 'error',
  title: 'Two servers have the same name, so MCPProxy refuses the whole file',
  needs: ['config'],
  uses: ['mainLog'],
  detect({ config }, { mainLog }) {
    const problems = config.document.problems.filter((p) => p.kind === 'duplicate-name')
    if (problems.length === 0) return null
    const refused = refusedReload(mainLog)
    return {
      observations: ['config', ...(refused ? (['mainLog'] as const) : [])],
      proof: 'Names must be unique; the first equal one is an error of the whole file.',
      facts: { names: problems.map((p) => p.message) },
      cites: [...problems.map((p) => citeOffset(config.document, p.offset, p.length, p.path)), ...(refused ? [citeLog(refused)] : [])],
      detail: `${problems[0]?.message ?? ''} A running MCPProxy keeps its old configuration; one that starts ends at once.`,
      remedies: [{ kind: 'instruction', title: 'Rename or remove one of them.' }],
    }
  },
})
