import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'jsonc-parser'
import { fc } from '../../helpers/fast-check.ts'
import { applyConfigEdits } from '../../../src/lib/remedies/config-edit.ts'
import { diffText, editDiff, entryHunks, lineHunks } from '../../../src/lib/report/edit-diff.ts'
import { sampleConfig } from '../../helpers/sample-report.ts'

test('one value: two lines and one line of context', () => {
  assert.equal(
    editDiff(sampleConfig, { edits: [{ path: ['mcpServers', 0, 'args', 1], value: '-i' }] }),
    [
      '@@ 8 @@',
      '       "env": { "API_TOKEN": "ghp_0123456789abcdef0123456789abcdef0123" },',
      '-      "args": ["run", "-it", "--rm", "mcp/everything"]',
      '+      "args": ["run", "-i", "--rm", "mcp/everything"]',
      '     },',
    ].join('\n'),
  )
})

test('an array that stood in one line stays in one', () => {
  const diff = editDiff(sampleConfig, { edits: [{ path: ['mcpServers', 0, 'args'], value: ['run', '-i', 'mcp/everything'] }] })
  assert.match(diff, /^\+ {6}"args": \["run", "-i", "mcp\/everything"\]$/m)
})

test('edits far apart are separate hunks, with their own places', () => {
  const text = `{\n${Array.from({ length: 20 }, (_, i) => `  "k${i}": ${i}`).join(',\n')}\n}\n`
  const diff = editDiff(text, {
    edits: [
      { path: ['k2'], value: 0 },
      { path: ['k17'], value: 0 },
    ],
  })
  assert.deepEqual(diff.match(/@@ \d+ @@/g), ['@@ 3 @@', '@@ 18 @@'])
})

test('removing several elements of an array removes those', () => {
  const after = applyConfigEdits('{ "a": ["0", "1", "2", "3"] }', [
    { path: ['a', 1], value: undefined },
    { path: ['a', 2], value: undefined },
  ])
  assert.deepEqual(parse(after ?? ''), { a: ['0', '3'] })
})

test('keeps comments, indentation by tabs, and CRLF', () => {
  const text = '{\r\n\t// keep me\r\n\t"a": 1\r\n}\r\n'
  const after = applyConfigEdits(text, [{ path: ['b'], value: { c: true } }]) ?? ''
  assert.equal(after, '{\r\n\t// keep me\r\n\t"a": 1,\r\n\t"b": { "c": true }\r\n}\r\n')
})

test('a path that does not fit gives no diff instead of an error', () => {
  assert.equal(editDiff('"text"', { edits: [{ path: ['a', 0, 'b'], value: 1 }] }), '')
  assert.equal(editDiff(sampleConfig, { edits: [] }), '')
})

test('a diff tells both texts', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
  fc.assert(
    fc.property(lines, lines, (a, b) => {
      const hunks = lineHunks(a.join('\n'), b.join('\n'))
      // Applying the hunks to the old lines gives the new ones.
      const old = a.join('\n').split('\n')
      const out: string[] = []
      let at = 0
      for (const hunk of hunks) {
        while (at < hunk.line - 1) out.push(old[at++] ?? '')
        for (const line of hunk.lines) {
          if (line.kind !== 'added') assert.equal(old[at++], line.text)
          if (line.kind !== 'removed') out.push(line.text)
        }
      }
      out.push(...old.slice(at))
      assert.equal(out.join('\n'), b.join('\n'))
    }),
  )
})

const neighbours = (oneLine: boolean): string => {
  const entry = (name: string): object => ({ name, command: 'docker', args: ['run', '-it', `private-${name}`] })
  const entries = ['a', 'b', 'c'].map((n) => (oneLine ? JSON.stringify(entry(n)) : JSON.stringify(entry(n), null, 2)))
  return `{\n"listen": "x",\n"mcpServers": [\n${entries.join(',\n')}\n]\n}\n`
}
const change = { edits: [{ path: ['mcpServers', 1, 'args', 1], value: '-i' }] }

test('of other servers no line is shown, neither beside a change nor in it', () => {
  for (const text of [neighbours(true), neighbours(false), JSON.stringify(JSON.parse(neighbours(true)))]) {
    const diff = editDiff(text, change)
    assert.match(diff, /^-.*-it/m)
    assert.match(diff, /^\+.*"-i"/m)
    assert.doesNotMatch(diff, /private-[ac]/)
  }
  assert.match(editDiff(neighbours(false), change), /^ +"private-b"$/m)
})

test('a server that goes or comes shows itself only', () => {
  const gone = editDiff(neighbours(true), { edits: [{ path: ['mcpServers', 1], value: undefined }] })
  assert.match(gone, /^-.*private-b/m)
  assert.doesNotMatch(gone, /private-[ac]/)
  const text = neighbours(true)
  const diff = diffText(entryHunks(text, text.replace('"listen": "x"', '"listen": "y"')))
  assert.equal(diff, '@@ 1 @@\n {\n-"listen": "x",\n+"listen": "y",\n "mcpServers": [')
})
