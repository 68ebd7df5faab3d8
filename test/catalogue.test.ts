/** Rules, their files, the catalogue and its pages agree. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { allCodes, describeCode, entries } from '../src/lib/rules/catalogue.ts'
import { rules } from '../src/lib/rules/index.ts'
import { notRules } from '../src/lib/rules/not-rules.ts'
import type { Cases } from './catalogue-cases/case.ts'
import { configCases } from './catalogue-cases/config.ts'
import { dockerCases } from './catalogue-cases/docker.ts'
import { programCases } from './catalogue-cases/program.ts'
import { packageRoot } from './helpers/package-root.ts'
import { outcome } from './helpers/synthetic.ts'

const folder = join(packageRoot(), 'src/lib/rules')
const ruleFiles = readdirSync(folder).filter(
  (f) => f.endsWith('.ts') && readFileSync(join(folder, f), 'utf8').includes('\nexport default '),
)

test('every rule has a file of its name and stands in the list, once', () => {
  assert.deepEqual(rules.map((r) => `${r.code}.ts`).sort(), ruleFiles.sort())
})
test('every rule is in the catalogue, as severe as it is there', () => {
  for (const rule of rules) assert.equal(describeCode(rule.code)?.severity, rule.severity, rule.code)
})
test('a code without a rule has a reason, and only those', () => {
  const ruled = new Set(rules.map((r) => r.code))
  assert.deepEqual(
    allCodes().filter((code) => !ruled.has(code)),
    Object.keys(notRules).sort(),
  )
})
test('every rule offers a remedy', () => {
  for (const file of ruleFiles) assert.match(readFileSync(join(folder, file), 'utf8'), /\bremed(?:y|ies)\b/, file)
})
test('every code says what happens, what proves it and what heals it', () => {
  for (const code of allCodes()) {
    assert.match(code, /^[a-z]+(?:-[a-z]+)*$/)
    const { title, what, proof, fix, confusedWith, mcpx } = describeCode(code) ?? assert.fail(code)
    assert.match(title, /^.{10,90}[^.]$/, `${code}: a title is one short sentence without a full stop`)
    for (const text of [what, proof, fix]) assert.match(text, /^[^]{10,}[.)]$/, `${code}: ${text}`)
    for (const other of confusedWith) {
      assert.ok(describeCode(other.code), `${code} is confused with ${other.code}, which does not exist`)
      assert.notEqual(other.code, code)
      assert.match(other.decidedBy, /[.?]$/, `${code}: ${other.decidedBy}`)
    }
    for (const name of mcpx) assert.match(name, /^MCPX_[A-Z_]+$/)
  }
})
test('texts are lower case, as they are compared', () => {
  for (const [code, entry] of Object.entries(entries))
    for (const words of [
      ...(entry.unless ?? []),
      ...[...(entry.says ?? []), ...(entry.mayMean ?? [])].flatMap((s) => ('text' in s ? s.text : [])),
    ])
      if (typeof words === 'string') assert.equal(words, words.toLowerCase(), code)
      else assert.doesNotMatch(words.source.replaceAll(/\\./g, ''), /[A-Z]/, code)
})
test('every text that the parsers know leads to a code', () => {
  const signs = Object.values(entries).flatMap((e) => [...(e.says ?? []), ...(e.mayMean ?? [])])
  for (const parser of ['docker', 'program'] as const) {
    const source = readFileSync(join(packageRoot(), `src/lib/formats/${parser}-error.ts`), 'utf8')
    const kinds = [...source.matchAll(/\{\s*kind: '([\w-]+)'/g)].map((m) => m[1] as string).filter((kind) => kind !== 'other')
    assert.ok(kinds.length > 30)
    const known = new Set<string>(signs.flatMap((s) => (parser in s ? (s as Record<string, string>)[parser] : undefined) ?? []))
    assert.deepEqual(
      kinds.filter((kind) => !known.has(kind)),
      [],
      `no entry of the catalogue names these kinds of ${parser}-error.ts`,
    )
  }
})
test('nothing else is taken for a code', () => {
  for (const name of ['constructor', '__proto__', 'toString', '']) assert.equal(describeCode(name), null)
})
test('the pages are those that the catalogue makes', () => {
  const r = spawnSync(process.execPath, [join(packageRoot(), 'scripts/docs.mjs'), '--check'], { encoding: 'utf8' })
  assert.equal(r.status, 0, `npm run docs:findings was forgotten\n${r.stderr}`)
})
/** A marked-synthetic case counts as one, a recording counts as two; which codes need none at all stands in not-rules.ts. */
const cases: Cases = { ...configCases, ...dockerCases, ...programCases }
const capturesOf = new Set(
  readdirSync(join(packageRoot(), 'test/captures')).flatMap(
    (name) => (JSON.parse(readFileSync(join(packageRoot(), 'test/captures', name, 'expect.json'), 'utf8')) as { codes: string[] }).codes,
  ),
)
const recordings = readFileSync(join(packageRoot(), 'docs/check-recordings.md'), 'utf8')
  .split('\n')
  .filter((l) => /^\| [a-z]/.test(l) && !l.startsWith('| recording |'))
const recorded = new Set(recordings.flatMap((l) => [...l.matchAll(/([a-z]+(?:-[a-z]+)*) \(/g)].map((m) => m[1] ?? '')))

test('every cause that was collected in the field is in the catalogue', () => {
  const known = readFileSync(join(packageRoot(), 'test/fixtures/known-causes.txt'), 'utf8').trim().split('\n')
  assert.ok(known.length >= 110)
  assert.deepEqual(
    known.filter((code) => describeCode(code) === null),
    [],
  )
})
test('every rule has a capture, a recording or a synthetic case that shows it, and a near miss', () => {
  assert.deepEqual(Object.keys(cases).sort(), rules.map((r) => r.code).sort())
  assert.deepEqual(
    rules.map((r) => r.code).filter((code) => !capturesOf.has(code) && !recorded.has(code) && cases[code]?.found === undefined),
    [],
  )
})
for (const [code, { found, near }] of Object.entries(cases)) {
  if (found)
    test(`synthetic: ${code} is found`, async () => {
      const result = await outcome(code, found)
      assert.equal(result.type, 'found', JSON.stringify(result))
    })
  test(`synthetic: what looks like ${code} stays clear`, async () => {
    assert.deepEqual(await outcome(code, near), { type: 'clear' })
  })
}
test('check leads every recorded failure to its cause, or names it among two', () => {
  assert.ok(new Set(recordings.map((l) => l.split(' | ')[0])).size >= 120)
  assert.deepEqual(
    recordings.filter((l) => / missed \|$/.test(l)),
    [],
  )
})
