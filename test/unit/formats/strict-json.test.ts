import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { parseTree, type Node, type ParseError } from 'jsonc-parser'
import { outlineOf } from '../../../src/lib/formats/config-outline.ts'
import { parseStrict } from '../../../src/lib/formats/strict-json.ts'

/** Without the way back up, which would make a circle. */
const flat = (node: Node | null | undefined, parent?: Node): unknown => {
  if (!node) return null
  assert.equal(node.parent, parent)
  const { type, offset, length, colonOffset, children } = node
  return { type, offset, length, value: node.value as unknown, colonOffset, children: children?.map((child) => flat(child, node)) }
}
const tolerant = (text: string): { tree: Node | undefined; errors: ParseError[] } => {
  const errors: ParseError[] = []
  return { tree: parseTree(text, errors, { disallowComments: true, allowTrailingComma: false }), errors }
}

test('strict JSON: the same tree as from jsonc-parser', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t', ' \r\n'), (value, indent) => {
      const text =
        indent === ' \r\n'
          ? JSON.stringify(value).replaceAll(/[[\]{},](?=[^"]*(?:"[^"]*"[^"]*)*$)/g, '$& \r\n')
          : JSON.stringify(value, null, indent)
      if (!isJson(text)) return
      assert.deepEqual(flat(parseStrict(text, 500)), flat(tolerant(text).tree))
    }),
    { numRuns: 500 },
  )
})

test('anything: a tree for what JSON.parse takes, and for nothing else', () => {
  const scrap = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '\\',
    '\\u00e4',
    '0',
    '1.5e3',
    '-',
    '01',
    'true',
    'nul',
    'null',
    ' ',
    '\n',
    '\u0001',
    '\uFEFF',
    '//',
  )
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 9 }), (scraps) => {
      const text = scraps.join('')
      assert.equal(parseStrict(text, 500) !== null, isJson(text), JSON.stringify(text))
    }),
    { numRuns: 5000 },
  )
})

test('too deep is null, and no overflow', () => {
  assert.ok(parseStrict(`${'['.repeat(500)}${']'.repeat(500)}`, 500))
  assert.equal(parseStrict(`${'['.repeat(501)}${']'.repeat(501)}`, 500), null)
  assert.equal(parseStrict('{"a":'.repeat(100_000), 500), null)
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('entries on demand: the same tree, once everything is asked for', () => {
  const entry = fc.oneof({ weight: 4, arbitrary: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })) }, fc.jsonValue({ maxDepth: 2 }))
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 5 }),
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(undefined, 2),
      (mcpServers, more, indent) => {
        const text = JSON.stringify({ ...more, mcpServers, after: more }, null, indent)
        const outline = outlineOf(text, 500)
        assert.ok(outline)
        assert.deepEqual(outline.entries, JSON.parse(JSON.stringify(mcpServers)))
        const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
        assert.equal(outline.spans.size, mcpServers.filter(isObject).length)
        assert.deepEqual(flat(parseStrict(text, 500, outline.spans)), flat(parseStrict(text, 500)))
      },
    ),
    { numRuns: 500 },
  )
})

test('no outline where plain values do not tell all', () => {
  for (const text of [
    '',
    '{',
    '[]',
    '{"mcpServers": {}}',
    '{"MCPSERVERS": []}',
    '{"mcpServers": [{"a": 1, "a": 2}]}',
    '{"mcpServers": [], "mcpServers": []}',
    '{"mcpServers": [],}',
    '{"mcpServers": ["\\"]',
    '{"mcpServers": [[[]]]}',
  ])
    assert.equal(outlineOf(text, 3), null, text)
  assert.ok(outlineOf('{"mcpServers": [{"\\\\": "{\\"a\\": [:"}]}', 3))
})
