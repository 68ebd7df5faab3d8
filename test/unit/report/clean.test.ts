import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { processorTime } from '../../helpers/processor-time.ts'
import { clean, cleanLines, displayWidth, headOf } from '../../../src/lib/report/clean.ts'

/** Text as an attacker would write it: introducers, ends, parameters, invisible characters, halves of pairs. */
export const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\u001b[31m',
        '\u001b]0;title\u0007',
        '\u001b]8;;http://x\u001b\\',
        '\u001b',
        '\u009b',
        '\u009d',
        '\u001bP',
        '\u001b[',
        '[2J',
        '\r',
        '\n',
        '\t',
        '\u202e',
        '\u2066',
        '\u200b',
        '\u200d',
        '\ufeff',
        '\u00ad',
        '\u0000',
        '\u007f',
        '\u{e0041}',
        '\ud800',
        '\udc00',
        'e\u0301\u0301\u0301\u0301\u0301\u0301',
        '日本',
        '👩‍👩‍👧',
        'ﷺ',
        '%s',
        ' ',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ maxLength: 12 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

const forbidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

test('what is clean has nothing that a terminal acts on or does not show', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const shown = clean(text)
      assert.doesNotMatch(shown, forbidden)
      assert.equal(clean(shown), shown)
    }),
    { numRuns: 500 },
  )
})

test('plain text stays as it is', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => assert.equal(clean(text), text)))
  for (const text of ['Grüße, 日本語', 'naïve café', 'a • b → c']) assert.equal(clean(text), text)
})

test('sequences go as a whole, their text stays', () => {
  assert.equal(clean('\u001b[1;31mred\u001b[0m'), 'red')
  assert.equal(clean('\u001b]8;;https://example.org\u0007link\u001b]8;;\u0007'), 'link')
  assert.equal(clean('\u009b2Jgone'), 'gone')
  assert.equal(clean('a\u001bPdevice\u001b\\b'), 'ab')
})

test('a sequence without an end hides nothing', () => {
  assert.match(clean('\u001b]0;the input device is not a TTY'), /the input device is not a TTY/)
})

test('a carriage return does not overwrite', () => {
  assert.equal(clean('all is well\rERROR'), 'all is well ERROR')
})

test('bidi and zero-width characters go', () => {
  assert.equal(clean('user\u202Etxt.exe\u202C'), 'usertxt.exe')
  assert.equal(clean('pass\u200Bword'), 'password')
})

test('long input takes no more than linear time', () => {
  const spent = processorTime()
  for (const piece of ['\u001b]', '\u009d', '\u001b[0', '\u0301', ' ']) clean(piece.repeat(100_000))
  assert.ok(spent() < 2000)
})

test('cleanLines keeps lines apart and trims empty ones at the ends', () => {
  assert.deepEqual(cleanLines('\n a \r\n\u001b[1mb\u001b[0m\n\n'), [' a', 'b'])
})

test('width counts columns', () => {
  assert.equal(displayWidth('abc'), 3)
  assert.equal(displayWidth('日本語'), 6)
  assert.equal(displayWidth('e\u0301'), 1)
  assert.equal(displayWidth('👍'), 2)
  // Asked for without the tables of Unicode, in which they are what they are taken for.
  for (const symbol of '✓✗·–—→│…') {
    assert.equal(displayWidth(symbol), 1)
    assert.ok(!/\p{M}|\p{Emoji_Presentation}/u.test(symbol), symbol)
  }
})

test('headOf fits, and takes at least one character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(30), (text, columns) => {
      const head = headOf(text, columns)
      assert.ok(text.startsWith(head) && head.length > 0)
      assert.ok(displayWidth(head) <= Math.max(columns, 2))
    }),
  )
})
