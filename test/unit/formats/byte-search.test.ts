import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { createAnyCase, createLineFinder, type LineFinder } from '../../../src/lib/formats/byte-search.ts'
import { searchableMemory } from '../../../src/lib/formats/simd-search.ts'

/** Both ways must find the same: without WebAssembly, and with it, where what was there before follows the block. */
function found(block: Buffer, find: LineFinder): string[] {
  const lines: string[] = []
  find(block, (start, stop) => lines.push(block.toString('utf8', start, stop)))
  const memory = searchableMemory(block.length + 200).fill(block.length === 0 ? 0 : block.subarray(-50))
  block.copy(memory)
  const fast: string[] = []
  find(memory.subarray(0, block.length), (start, stop) => fast.push(block.toString('utf8', start, stop)))
  assert.deepEqual(fast, lines)
  return lines
}

const words = [
  '["run",',
  '"a"',
  'é',
  '日本',
  '[',
  ']',
  'Docker ',
  'docker',
  'contain',
  'container',
  'İ',
  'K',
  '\r',
  '\0',
  ' | ',
  'É',
  'X1',
  'x1',
  '@',
  '`',
  '{',
]
const block = fc
  .array(fc.array(fc.constantFrom(...words), { maxLength: 8 }), { minLength: 1, maxLength: 30 })
  .map((lines) => Buffer.from(lines.map((line) => line.join('')).join('\n')))
const linesOf = (bytes: Buffer): string[] => bytes.toString('utf8').split('\n')

test('lines with any of these texts, each once, in order', () => {
  const texts = ['["run",', '"a"', 'container', '日本', '[', 'é[', 'none of it', 'Docker ', 'ontain']
  fc.assert(
    fc.property(block, fc.subarray(texts, { minLength: 1 }), (bytes, wanted) => {
      const expected = linesOf(bytes).filter((line) => wanted.some((text) => line.includes(text)))
      assert.deepEqual(found(bytes, createLineFinder(wanted, bytes)), expected)
    }),
  )
})

test('lines with all texts of a group', () => {
  fc.assert(
    fc.property(block, fc.constantFrom(['container', '"a"'], ['Docker ', '日本'], ['[', ']']), (bytes, all) => {
      const expected = linesOf(bytes).filter((line) => all.every((text) => line.includes(text)) || line.includes('none'))
      assert.deepEqual(found(bytes, createLineFinder([all, 'none'], bytes)), expected)
    }),
  )
})

const ascii = (text: string): string => text.replace(/[A-Z]/g, (c) => c.toLowerCase())

test('a text of ASCII in any case, at every place of memory', () => {
  fc.assert(
    fc.property(block, fc.constantFrom('DOCKER', 'Contain', 'x1', '[', '@', '`a', '{', 'r c'), fc.nat(7), (bytes, text, shift) => {
      const shifted = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift)
      const expected = linesOf(bytes).filter((line) => ascii(line).includes(ascii(text)))
      const search = createAnyCase(text, shifted)
      assert.deepEqual(found(shifted, search.find), expected)
      for (const line of linesOf(bytes)) assert.equal(search.test(Buffer.from(line)), expected.includes(line), line)
    }),
  )
})

test('only letters of ASCII are folded: no sign becomes another', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => (byte === 10 ? 11 : byte)))
  for (const text of ['@', '[', '`', '{', '\x1f', '0', 'a', 'Z']) {
    const twice = createAnyCase(text + text, all)
    for (let byte = 0; byte < 256; byte++) {
      if (byte === 10) continue
      const line = Buffer.from([byte, byte])
      const same = byte < 128 && ascii(String.fromCharCode(byte)) === ascii(text)
      assert.deepEqual([twice.test(line), found(line, twice.find).length === 1], [same, same], `${text} ${byte}`)
    }
  }
})

test('letters beyond ASCII in any case, and signs that have none', () => {
  const bytes = Buffer.from('ein ÄRGER\nein ärger\nein Arger\n日本 ja\n')
  assert.deepEqual(found(bytes, createAnyCase('Ärger', bytes).find), ['ein ÄRGER', 'ein ärger'])
  assert.deepEqual(found(bytes, createAnyCase('日本', bytes).find), ['日本 ja'])
})

test('more places than there is room for at once', () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `${'a'.repeat(i % 60)}${i % 7 === 0 ? 'aab' : ''}`)
  const bytes = Buffer.from(lines.join('\n'))
  assert.deepEqual(
    found(bytes, createLineFinder(['aab'], bytes)),
    lines.filter((line) => line.includes('aab')),
  )
  assert.deepEqual(
    found(bytes, createLineFinder(['aaa', 'aab'], bytes)),
    lines.filter((line) => /aa[ab]/.test(line)),
  )
  assert.equal(found(bytes, createLineFinder(['a'], bytes)).length, lines.filter((line) => line !== '').length)
})

test('what is rare in the sample and common in the log', () => {
  const lines = Array.from({ length: 9000 }, (_, i) => (i % 1000 === 0 ? 'xyz here' : 'xyq xyq xyq xyq'))
  const bytes = Buffer.from(lines.join('\n'))
  const find = createLineFinder(['xyz'], Buffer.from('nothing of it'))
  for (let i = 0; i < 6; i++) assert.equal(found(bytes, find).length, 9)
})

test('many texts at once', () => {
  const texts = Array.from({ length: 40 }, (_, i) => `word-${i * 7}-end`)
  const lines = Array.from({ length: 2000 }, (_, i) => (i % 3 === 0 ? `a line of word-${i}-end and more` : `word-${i}-en`))
  const bytes = Buffer.from(lines.join('\n'))
  const expected = lines.filter((line) => texts.some((text) => line.includes(text)))
  assert.ok(expected.length > 5)
  assert.deepEqual(found(bytes, createLineFinder(texts, bytes)), expected)
})
