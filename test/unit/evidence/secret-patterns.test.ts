/** The signs by which a text is passed over: no pattern finds anything in a text without them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { isSecretWord, querySigns, queryValues, secretWordSigns } from '../../../src/lib/evidence/secret-arguments.ts'
import { sayings, secretPatterns, textSecrets } from '../../../src/lib/evidence/secret-patterns.ts'
import { bare } from '../../helpers/bare-pattern.ts'

const query = { pattern: () => queryValues, signs: [querySigns] }
const all = [
  ...secretPatterns.map(({ pattern, signs }) => ({ pattern, signs: signs === null ? [] : [signs] })),
  // Which names are meant is for those who are told them.
  ...[...Object.values(sayings), query].map(({ pattern, signs }) => ({ pattern, signs: signs.filter((list) => list !== secretWordSigns) })),
]

test('what a pattern finds holds one of its signs', () => {
  for (const { pattern: make, signs } of all) {
    const pattern = make()
    let found = 0
    fc.assert(
      fc.property(fc.stringMatching(bare(pattern)), fc.boolean(), (text, upper) => {
        const written = upper && pattern.flags.includes('i') ? text.toUpperCase() : text
        if (written.match(pattern) === null) return
        found++
        const small = written.toLowerCase()
        const isFound = signs.every((list) => list.some((sign) => small.includes(sign)))
        assert.ok(isFound, `${pattern.source} finds ${JSON.stringify(written)}`)
      }),
      { numRuns: 60 },
    )
    assert.ok(found > 0, `no text was made for ${pattern.source}`)
  }
})

test('a name that makes its value a secret holds one of the signs of such names', () => {
  const words =
    'key token secret passwd pass pat pw auth credentials bearer cookie jwt signature dsn webhookUrl session_id api max toVALUE_0123456789abken'
  const word = fc.oneof(fc.constantFrom(...words.split(' ')), fc.stringMatching(/^[A-Za-z0-9]{1,3}$/))
  const written = fc.tuple(word, fc.constantFrom('', '-', '_', '.'), fc.boolean()).map(([text, behind, upper]) => {
    const [first = '', ...rest] = text
    return (upper && !text.includes('VALUE_') ? first.toUpperCase() + rest.join('') : text) + behind
  })
  let secret = 0
  fc.assert(
    fc.property(fc.array(written, { minLength: 1, maxLength: 5 }), (parts) => {
      const name = parts.join('')
      if (!isSecretWord(name)) return
      secret++
      const small = name.toLowerCase()
      assert.ok(
        secretWordSigns.some((sign) => small.includes(sign)),
        name,
      )
    }),
    { numRuns: 3000 },
  )
  assert.ok(secret > 500)
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
