import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { displayWidth } from '../../../src/lib/report/clean.ts'
import { excerptLines } from '../../../src/lib/report/excerpt.ts'
import { createTheme, plainTheme } from '../../../src/lib/report/theme.ts'
import { nasty } from './clean.test.ts'

const theme = plainTheme()

/** What stands above the carets. */
function marked([line = '', carets = '']: readonly string[]): string {
  const from = carets.indexOf('^')
  let column = 0
  let out = ''
  for (const c of line) {
    if (column >= from && column < carets.length) out += c
    column += displayWidth(c)
  }
  return out
}
const at = (text: string, culprit: string, width = 80): string[] =>
  excerptLines({ line: 9, column: text.indexOf(culprit) + 1, length: culprit.length, text }, theme, width, '    ')

test('the caret stands under the culprit', () => {
  assert.deepEqual(at('      "args": ["run", "-it", "--rm"],', '"-it"'), [
    '    9 │ "args": ["run", "-it", "--rm"],',
    '      │                 ^^^^^',
  ])
})

test('tabs and wide characters before it, and in it', () => {
  assert.equal(marked(at('\t\t"name":\t"日本語", "x": "-it"', '"-it"')), '"-it"')
  assert.equal(marked(at('"日本語", "名前"', '"名前"')), '"名前"')
})

test('a long line is cut around the culprit', () => {
  const text = `"args": [${'"--first-of-many", '.repeat(20)}"-it"${', "--last-of-many"'.repeat(20)}]`
  for (const width of [40, 80, 120]) {
    const lines = at(text, '"-it"', width)
    assert.ok(lines.every((l) => displayWidth(l) <= width))
    assert.equal(marked(lines), '"-it"')
    assert.match(lines[0] ?? '', /… *.*"-it".*…$|…/)
  }
})

test('a culprit longer than the line shows its beginning', () => {
  const culprit = `"${'x'.repeat(200)}"`
  const [line = '', carets = ''] = at(`"key": ${culprit}`, culprit, 60)
  assert.ok(displayWidth(line) <= 60 && displayWidth(carets) <= 60)
  assert.match(line, /"xxx/)
})

test('places outside the line do no harm', () => {
  for (const [column, length] of [
    [1, 0],
    [99, 5],
    [0, 3],
    [-4, -1],
  ] as const) {
    const [, carets = ''] = excerptLines({ line: 1, column, length, text: '{}' }, theme, 40)
    assert.match(carets, /\^/)
  }
})

const ascii = await createTheme({ env: {}, platform: 'linux', isTerminal: false })
test('whatever the line: it fits, is clean, and both gutters agree', () => {
  fc.assert(
    fc.property(nasty, fc.nat(60), fc.nat(60), fc.integer({ min: 40, max: 120 }), fc.boolean(), (text, column, length, width, unicode) => {
      const look = unicode ? theme : ascii
      const lines = excerptLines({ line: 1234, column, length, text }, look, width, '    ')
      for (const line of lines) {
        assert.ok(displayWidth(line) <= width, `${JSON.stringify(line)} in ${width}`)
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u)
      }
      assert.equal(lines[0]?.indexOf(look.symbols.gutter), lines[1]?.indexOf(look.symbols.gutter))
    }),
    { numRuns: 500 },
  )
})
