/** Of two equal keys the last wins without a word; a second document is refused. */
import { citeOffset } from './cite.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'duplicate-keys',
  severity: 'error',
  title: 'A key stands twice in the configuration; the last one wins silently',
  needs: ['config'],
  detect({ config }) {
    const second = config.document.problems.find((p) => p.what === 'text-after-end')
    if (second && /^\s*\{/.test(config.document.text.slice(second.offset))) {
      return {
        observations: ['config'],
        proof: 'Go reads one document and refuses what follows it.',
        facts: { what: 'second-document' },
        cites: [citeOffset(config.document, second.offset, 1, null)],
        title: 'A second document stands after the end of the first',
        detail: 'Two pasted blocks: MCPProxy refuses the whole file (invalid character after top-level value).',
        remedies: [{ kind: 'instruction', title: 'Merge the two documents into one object.' }],
      }
    }
    const problems = config.document.problems.filter((p) => p.kind === 'duplicate-key')
    const [first] = problems
    if (!first) return null
    // Two blocks of one name merge; two values of one name hide the first.
    const keys = problems.map((p) => String(p.path?.at(-1)))
    const mine =
      config.server === null ||
      problems.some((p) => p.path?.[0] !== 'mcpServers' || p.path[1] === config.server?.index || p.path.length === 1)
    return {
      observations: ['config'],
      facts: { keys },
      severity: mine ? 'warning' : 'info',
      rank: 'supported',
      cites: problems.slice(0, 3).map((p) => citeOffset(config.document, p.offset, p.length, p.path)),
      detail: `${first.message} MCPProxy takes the last of two values without notice, and merges two objects.`,
      remedies: [{ kind: 'instruction', title: 'Keep one of them.' }],
    }
  },
})
