import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { applyChange, applyConfigEdits, mendStrict } from '../../../src/lib/remedies/config-edit.ts'
import type { ConfigEdit } from '../../../src/lib/remedies/remedy.ts'

const edited = (text: string, ...edits: ConfigEdit[]): string => {
  const after = applyConfigEdits(text, edits)
  assert.ok(after !== null)
  return after
}

const lined = `{
  "mcpServers": [
    {
      "name": "a",
      "args": [
        "run",
        "-it",
        "image"
      ]
    }
  ]
}
`

test('one word of an array that stands over several lines', () => {
  const args = ['mcpServers', 0, 'args']
  assert.equal(edited(lined, { path: args, value: ['run', '-i', 'image'] }), lined.replace('"-it"', '"-i"'))
  assert.equal(
    edited(lined, { path: args, value: ['run', '-it', '--rm', '-e', 'X', 'image'] }),
    lined.replace('"-it",', '"-it",\n        "--rm",\n        "-e",\n        "X",'),
  )
  assert.equal(edited(lined, { path: args, value: ['run', 'image'] }), lined.replace('        "-it",\n', ''))
  assert.equal(edited(lined, { path: args, value: ['run'] }), lined.replace(',\n        "-it",\n        "image"', ''))
  assert.equal(edited(lined, { path: args, value: ['-x', 'run', '-it', 'image'] }), lined.replace('"run"', '"-x",\n        "run"'))
})

test('a new key: on a line of its own where the others are, beside them where they stand in one line', () => {
  assert.equal(
    edited(lined, { path: ['mcpServers', 0, 'isolation', 'enabled'], value: false }),
    lined.replace('\n      ]\n', '\n      ],\n      "isolation": { "enabled": false }\n'),
  )
  const short = '{"mcpServers": [ { "name":"a", "isolation": {} } ] }'
  assert.equal(
    edited(short, { path: ['mcpServers', 0, 'isolation', 'enabled'], value: false }),
    '{"mcpServers": [ { "name":"a", "isolation": { "enabled": false } } ] }',
  )
  assert.equal(edited('{"a":{"b":1}}', { path: ['a', 'c'], value: ['x', 'y'] }), '{"a":{"b":1,"c":["x","y"]}}')
  assert.equal(edited('{\n\t"a": {\n\t}\n}', { path: ['a', 'c'], value: 1 }), '{\n\t"a": {\n\t\t"c": 1\n\t}\n}')
  assert.equal(edited('{ "isolation": null }', { path: ['isolation', 'image'], value: 'x' }), '{ "isolation": { "image": "x" } }')
})

test('a key that goes takes its comma along', () => {
  const three = '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}\n'
  assert.equal(edited(three, { path: ['a'], value: undefined }), '{\n  "b": 2,\n  "c": 3\n}\n')
  assert.equal(edited(three, { path: ['b'], value: undefined }), '{\n  "a": 1,\n  "c": 3\n}\n')
  assert.equal(edited(three, { path: ['c'], value: undefined }), '{\n  "a": 1,\n  "b": 2\n}\n')
  assert.equal(edited('{ "a": { "b": 1 } }', { path: ['a', 'b'], value: undefined }), '{ "a": {} }')
  assert.equal(edited(three, { path: ['x'], value: undefined }), three)
})

test('keys in another case and repeated keys are the ones that MCPProxy reads', () => {
  assert.equal(edited('{ "Enabled": false }', { path: ['enabled'], value: true }), '{ "Enabled": true }')
  assert.equal(edited('{ "e": 1, "e": 2 }', { path: ['e'], value: 3 }), '{ "e": 1, "e": 3 }')
  assert.equal(edited('{ "x": 0, "e": 1, "E": 2 }', { path: ['e'], value: undefined }), '{ "x": 0 }')
})

test('what does not fit is refused', () => {
  assert.equal(applyConfigEdits('"text"', [{ path: ['a'], value: 1 }]), null)
  assert.equal(applyConfigEdits('{ "a": [1] }', [{ path: ['a', 5], value: 1 }]), null)
  assert.equal(applyConfigEdits('{ "a": 1 }', [{ path: ['a', 'b'], value: 1 }]), null)
  assert.equal(applyConfigEdits('', [{ path: ['a'], value: 1 }]), null)
})

test('strict JSON: comments, commas and a byte order mark go, the rest stays', () => {
  assert.equal(
    mendStrict('\uFEFF{\r\n  // why\r\n  "a": "// no comment", /* x */ "b": [1, 2,], // y\r\n  /* of\r\n     two lines */\r\n}\r\n'),
    '{\r\n  "a": "// no comment",  "b": [1, 2]\r\n}\r\n',
  )
  assert.equal(mendStrict('{ "a": 1, // x\n}'), '{ "a": 1\n}')
  for (const hopeless of ['{ "a": 1', "{ 'a': 1 }", '{ "a": 1 } { }', '{ "a": 1 /* }', '{ "a" 1 }'])
    assert.equal(mendStrict(hopeless), null)
  assert.equal(applyChange('{ "a": 1, }', { strict: true, edits: [{ path: ['a'], value: 2 }] }), '{ "a": 2 }')
})

// ---- properties -------------------------------------------------------------------

type Path = (string | number)[]
const key = fc.constantFrom('name', 'args', 'env', 'isolation', 'image', 'extra_args', 'é "q"')
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', '//', 'x"y', '', 1, true, null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))
const config = fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true })

/** The same value with any space that JSON allows. */
const spaced = (v: unknown, spaces: () => string): string => {
  const s = spaces
  if (Array.isArray(v)) return `[${s()}${v.map((e) => spaced(e, spaces)).join(`${s()},${s()}`)}${s()}]`
  if (typeof v === 'object' && v !== null)
    return `{${s()}${Object.entries(v)
      .map(([k, e]) => `${JSON.stringify(k)}${s()}:${s()}${spaced(e, spaces)}`)
      .join(`${s()},${s()}`)}${s()}}`
  return JSON.stringify(v)
}
const layout = fc.oneof(
  fc.constantFrom(undefined, 2, '\t').map((indent) => (v: unknown) => JSON.stringify(v, null, indent)),
  fc.array(fc.constantFrom('', ' ', '\n', '\r\n  ', '\t'), { minLength: 1, maxLength: 9 }).map((list) => {
    return (v: unknown) => {
      let at = 0
      return spaced(v, () => list[at++ % list.length] ?? '')
    }
  }),
)

const paths = (v: unknown): Path[] =>
  typeof v === 'object' && v !== null
    ? Object.entries(v).flatMap(([k, e]) => {
        const step = Array.isArray(v) ? Number(k) : k
        return [[step], ...paths(e).map((p) => [step, ...p])]
      })
    : []
const at = (v: unknown, path: Path): unknown => path.reduce<unknown>((o, k) => (o as Record<string | number, unknown>)[k], v)
const copy = <T>(v: T): T => JSON.parse(JSON.stringify(v)) as T
const withValue = (root: unknown, path: Path, v: unknown): unknown => {
  const result = copy(root)
  const last = path.at(-1) as string | number
  const parent = at(result, path.slice(0, -1)) as Record<string | number, unknown>
  if (v !== undefined) parent[last] = v
  else if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else delete parent[last]
  return result
}

/** Longest common head and tail: what lies between is all that changed. */
function changed(a: string, b: string): { from: number; oldEnd: number; newEnd: number } {
  let from = 0
  while (from < a.length && from < b.length && a[from] === b[from]) from++
  let tail = 0
  while (tail < a.length - from && tail < b.length - from && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  return { from, oldEnd: a.length - tail, newEnd: b.length - tail }
}

test('a replaced value: nothing outside it changes', () => {
  fc.assert(
    fc.property(config, layout, value, fc.nat(), (root, write, v, pick) => {
      const all = paths(root)
      fc.pre(all.length > 0)
      const path = all[pick % all.length] ?? []
      const text = `\n${write(root)}\n`
      const after = edited(text, { path, value: v })
      assert.deepEqual(JSON.parse(after), withValue(root, path, v))
      const mark = '«here»'
      const [head = '', tail = ''] = edited(text, { path, value: mark }).split(JSON.stringify(mark))
      assert.ok(after.startsWith(head) && after.endsWith(tail) && text.startsWith(head) && text.endsWith(tail))
    }),
    { numRuns: 400 },
  )
})

test('a new key only adds, a key that goes only takes out, each at one place', () => {
  fc.assert(
    fc.property(config, layout, value, fc.nat(), (root, write, v, pick) => {
      const text = write(root)
      const all = [[], ...paths(root)].filter((p) => {
        const o = at(root, p)
        return typeof o === 'object' && o !== null && !Array.isArray(o)
      })
      const path = [...(all[pick % all.length] ?? []), 'fresh']
      const more = edited(text, { path, value: v })
      assert.deepEqual(JSON.parse(more), withValue(root, path, v))
      const { from, oldEnd } = changed(text, more)
      assert.equal(from, oldEnd, 'something was taken out')
      const less = edited(more, { path, value: undefined })
      assert.deepEqual(JSON.parse(less), root)
      const cut = changed(more, less)
      assert.equal(cut.from, cut.newEnd, 'something was put in')
    }),
    { numRuns: 400 },
  )
})

test('a new array: elements that stay are not touched', () => {
  const words = fc.array(fc.constantFrom('run', '-i', '-t', '--rm', 'x'), { maxLength: 7 })
  fc.assert(
    fc.property(words, words, layout, (a, b, write) => {
      const text = write({ args: a, z: [1] })
      const after = edited(text, { path: ['args'], value: b })
      assert.deepEqual(JSON.parse(after), { args: b, z: [1] })
      if (JSON.stringify(a) === JSON.stringify(b)) assert.equal(after, text)
    }),
    { numRuns: 400 },
  )
})

test('several edits at once are those of the given text', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 3, maxLength: 6 }),
      layout,
      fc.uniqueArray(fc.nat(2), { maxLength: 3 }),
      (list, write, gone) => {
        const after = edited(write({ list, x: 1 }), ...gone.map((i) => ({ path: ['list', i], value: undefined })), {
          path: ['x'],
          value: 2,
        })
        assert.deepEqual(JSON.parse(after), { list: list.filter((_, i) => !gone.includes(i)), x: 2 })
      },
    ),
  )
})

test('strict JSON stays as it is; comments anywhere can be taken out again', () => {
  fc.assert(
    fc.property(config, layout, fc.array(fc.nat(), { maxLength: 4 }), (root, write, places) => {
      const text = write(root)
      assert.equal(mendStrict(text), text)
      const gaps = [...JSON.stringify(root, null, 1).matchAll(/\n/g)].map((m) => m.index)
      let commented = JSON.stringify(root, null, 1)
      for (const p of [...new Set(places.map((n) => gaps[n % gaps.length] ?? -1))].filter((g) => g > 0).sort((a, b) => b - a))
        commented = `${commented.slice(0, p)} // "no, \\ }${commented.slice(p)}`
      assert.deepEqual(JSON.parse(mendStrict(commented) ?? 'null'), root)
    }),
  )
})
