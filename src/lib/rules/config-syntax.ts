/** The file is not strict JSON; MCPProxy refuses the whole of it, at start and at each reload. */
import { citeLog, citeOffset } from './cite.ts'
import { refusedReload } from './helpers.ts'
import { defineRule } from './rule.ts'

/** What can be taken out without guessing what was meant. */
const removable = new Set(['comment', 'trailing-comma', 'byte-order-mark'])

export default defineRule({
  code: 'config-syntax',
  severity: 'error',
  title: 'The configuration file is not strict JSON, so MCPProxy refuses all of it',
  needs: ['config'],
  uses: ['mainLog'],
  detect({ config }, { mainLog }) {
    const problems = config.document.problems.filter((p) => p.kind === 'syntax' && p.what !== 'text-after-end')
    const second = config.document.problems.find((p) => p.what === 'text-after-end')
    const [first] = problems.length > 0 ? problems : second && !/^\s*\{/.test(config.document.text.slice(second.offset)) ? [second] : []
    if (!first) return null
    const refused = refusedReload(mainLog)
    return {
      observations: refused ? ['config', 'mainLog'] : ['config'],
      proof: 'A strict JSON parser stops here, and MCPProxy uses one.',
      facts: { what: first.what, problems: problems.length },
      cites: [
        ...(problems.length > 0 ? problems.slice(0, 3) : [first]).map((p) => citeOffset(config.document, p.offset, p.length, p.path)),
        ...(refused ? [citeLog(refused)] : []),
      ],
      detail: `${first.message}${problems.length > 1 ? ` (${problems.length} such places)` : ''} A running MCPProxy keeps the last good configuration; one that starts ends at once with exit code 4.`,
      remedies: problems.every((p) => removable.has(p.what))
        ? [
            {
              kind: 'config-edit',
              class: 'safe',
              title: remedy(first.what),
              because: 'MCPProxy reads strict JSON; what is taken out stays in the backup',
              strict: true,
              edits: [],
            },
          ]
        : [{ kind: 'instruction', title: remedy(first.what) }],
    }
  },
})

function remedy(what: string): string {
  if (what === 'comment') return 'Remove the comments; JSON has none.'
  if (what === 'trailing-comma') return 'Remove the comma before the closing bracket.'
  if (what === 'byte-order-mark') return 'Save the file as UTF-8 without byte order mark.'
  if (what === 'utf-16') return 'Save the file as UTF-8.'
  if (what === 'smart-quote' || what === 'single-quote') return 'Use straight double quotes (").'
  if (what === 'incomplete') return 'Close what is open: a bracket or a quotation mark is missing at the end.'
  return 'Correct the marked place, so that the file is strict JSON.'
}
