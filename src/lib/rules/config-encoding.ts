/** Bytes that are not UTF-8, e.g. of a file saved as Latin-1: Go replaces each by U+FFFD without a word (encoding/json, unquote). */
import { citeOffset } from './cite.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'config-encoding',
  severity: 'error',
  title: 'The configuration file has bytes that are not UTF-8',
  needs: ['config'],
  detect({ config }) {
    const { document, server } = config
    const bad = document.problems.filter((p) => p.what === 'not-utf-8')
    const mine = bad.filter((p) => server === null || String(p.path?.[0]).toLowerCase() !== 'mcpservers' || p.path?.[1] === server.index)
    const shown = mine.length > 0 ? mine : bad
    if (shown.length === 0) return null
    return {
      observations: ['config'],
      severity: mine.length > 0 ? 'error' : 'info',
      facts: { places: bad.length },
      cites: shown.slice(0, 3).map((p) => citeOffset(document, p.offset, p.length, p.path)),
      detail: `MCPProxy puts U+FFFD in the place of such a byte and goes on, so that the value is not the one that was meant${mine.length > 0 ? '' : ' (of another server)'}.`,
      remedies: [{ kind: 'instruction', title: 'Save the file as UTF-8.' }],
    }
  },
})
