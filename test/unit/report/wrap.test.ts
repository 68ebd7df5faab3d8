import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { clean, displayWidth } from '../../../src/lib/report/clean.ts'
import { flow, paragraph } from '../../../src/lib/report/wrap.ts'

test('wraps by words', () => {
  assert.deepEqual(paragraph('one two three four', 9), ['one two', 'three', 'four'])
  assert.deepEqual(flow([{ text: 'one two three' }], { width: 10, first: '> ', rest: '  ' }), ['> one two', '  three'])
})

test('cuts what is longer than a line', () => {
  assert.deepEqual(paragraph('abcdefgh', 3), ['abc', 'def', 'gh'])
  assert.deepEqual(paragraph('日本語', 4), ['日本', '語'])
})

test('a whole span is never cut', () => {
  assert.deepEqual(flow([{ text: 'run' }, { text: ' ' }, { text: 'a b c d e f', whole: true }], { width: 5, rest: '  ' }), [
    'run',
    '  a b c d e f',
  ])
})

test('styles go around words and the spaces between them, not around indents', () => {
  const style = (text: string): string => `<${text}>`
  assert.deepEqual(flow([{ text: 'a b c', style }], { width: 5, first: '  ' }), ['  <a b>', '  <c>'])
})

test('no line is wider than asked, and no word is lost', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }).map(clean), fc.integer({ min: 10, max: 120 }), (text, width) => {
      const lines = flow([{ text }], { width, first: '  ', rest: '    ' })
      for (const line of lines) assert.ok(displayWidth(line) <= width, `${JSON.stringify(line)} > ${width}`)
      const letters = (s: string): string => s.replaceAll(' ', '')
      assert.equal(letters(lines.join('')).replace(/\s/g, ''), letters(text).replace(/\s/g, ''))
    }),
  )
})
