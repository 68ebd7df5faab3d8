import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../../src/lib/formats/mcp-config.ts'
import { citationLines } from '../../../src/lib/report/citations.ts'
import { createTheme } from '../../../src/lib/report/theme.ts'
import { citeOffset } from '../../../src/lib/rules/cite.ts'
import type { Citation } from '../../../src/lib/rules/rule.ts'

type ConfigCitation = Extract<Citation, { type: 'config' }>
const cite = (text: string, culprit: string): ConfigCitation => {
  const citation = citeOffset(parseConfig('/c.json', Buffer.from(text)), text.indexOf(culprit), culprit.length, null)
  assert.equal(citation.type, 'config')
  return citation
}
const theme = await createTheme({ env: {}, platform: 'linux', isTerminal: false, columns: 100, noColor: true })
/** What the caret stands under. */
const marked = (citation: Citation): string => {
  const [line = '', carets = ''] = citationLines([citation], { theme }, '').slice(-2)
  return line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)
}

test('line and column are those of the file, also where a secret before them is masked', () => {
  const text = '{"mcpServers": [\n  {"name": "a", "env": {"TOKEN": "hush-hush-hush-7"}, "command": "npx"}]}'
  const citation = cite(text, '"npx"')
  assert.deepEqual([citation.line, citation.column], [2, (text.split('\n')[1]?.indexOf('"npx"') as number) + 1])
  assert.doesNotMatch(citation.excerpt, /hush/)
  assert.equal(citation.excerpt.slice((citation.excerptColumn ?? citation.column) - 1).slice(0, 5), '"npx"')
  assert.equal(marked(citation), '"npx"')
})

test('of a very long line the part around the culprit is shown, and the caret still fits', () => {
  const text = `{"listen": "${'x'.repeat(3000)}", "tools_limit": "npx", "listen": "${'y'.repeat(3000)}"}`
  const citation = cite(text, '"npx"')
  assert.equal(citation.column, text.indexOf('"npx"') + 1)
  assert.ok(citation.excerpt.length <= 400)
  assert.equal(marked(citation), '"npx"')
})
