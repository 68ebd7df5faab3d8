/** The signs by which a text is passed over: no pattern finds anything in a text without them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { sayings, secretPatterns, textSecrets } from '../../../src/lib/evidence/secret-patterns.ts'
import { bare } from '../../helpers/bare-pattern.ts'

test('what a pattern finds holds one of its signs', () => {
  for (const { pattern: make, signs } of [...secretPatterns, ...Object.values(sayings)]) {
    const pattern = make()
    let found = 0
    fc.assert(
      fc.property(fc.stringMatching(bare(pattern)), fc.boolean(), (text, upper) => {
        const written = upper && pattern.flags.includes('i') ? text.toUpperCase() : text
        if (written.match(pattern) === null) return
        found++
        const small = written.toLowerCase()
        assert.ok(signs === null || signs.some((sign) => small.includes(sign)), `${pattern.source} finds ${JSON.stringify(written)}`)
      }),
      { numRuns: 60 },
    )
    assert.ok(found > 0, `no text was made for ${pattern.source}`)
  }
})

test('a token is found behind a sign in any case', () => {
  for (const text of [
    'AUTHORIZATION: BEARER abcdefgh1234',
    'x ghp_0123456789abcdefghij y',
    'PASSWORD=hunter22',
    'https://me:hunter22@example.org/',
  ])
    assert.notDeepEqual(textSecrets(text), [], text)
})

test('no pattern finds anything in a short text that has no sign beside a value', () => {
  for (const { pattern: make } of [...secretPatterns, ...Object.values(sayings)]) {
    const pattern = make()
    fc.assert(
      fc.property(fc.stringMatching(bare(pattern)), (text) => {
        const found = text.match(pattern)?.[0] ?? ''
        assert.ok(found === '' || found.length >= 12 || /[\s=:@"']/.test(found), `${pattern.source} finds ${JSON.stringify(found)}`)
      }),
      { numRuns: 200 },
    )
  }
})
