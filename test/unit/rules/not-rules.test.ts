import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rules } from '../../../src/lib/rules/index.ts'
import { notRules } from '../../../src/lib/rules/not-rules.ts'

test('a code has a rule or a reason why not, never both', () => {
  const codes = rules.map((r) => r.code)
  assert.equal(new Set(codes).size, codes.length)
  for (const [code, reason] of Object.entries(notRules)) {
    assert.ok(!codes.includes(code), code)
    assert.match(reason, /\.$/)
  }
})
