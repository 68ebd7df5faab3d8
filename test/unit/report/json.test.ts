import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { renderJson } from '../../../src/lib/report/json.ts'
import { healthy, only, sampleReport, severalServers, undecided } from '../../helpers/sample-report.ts'
import { schemaErrors } from '../../helpers/valid-report.ts'

const parsed = (value: unknown): unknown => JSON.parse(renderJson(value))

test('reports are what the schema says', () => {
  for (const report of [
    sampleReport,
    severalServers,
    only(healthy),
    only(undecided),
    { ...severalServers, findings: sampleReport.servers[0]?.findings ?? [] },
  ]) {
    assert.equal(schemaErrors(parsed(report)), null)
  }
})

test('the schema refuses what it does not know', () => {
  for (const wrong of [
    { ...sampleReport, extra: 1 },
    { ...sampleReport, schemaVersion: 2 },
    { ...sampleReport, verdict: 'fine' },
    { ...sampleReport, servers: [{ ...healthy, rules: {} }] },
  ]) {
    assert.notEqual(schemaErrors(parsed(wrong)), null)
  }
  const { checkedAt: _, ...without } = sampleReport
  assert.notEqual(schemaErrors(parsed(without)), null)
})

test('JSON is the report itself: two spaces, one newline at the end', () => {
  const text = renderJson(sampleReport)
  assert.ok(text.startsWith('{\n  "schemaVersion": 1,') && text.endsWith('}\n'))
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(sampleReport)))
})

test('JSON does not act on a terminal and means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = renderJson({ text })
      assert.doesNotMatch(json.replaceAll('\n', ''), /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b-\u200f]/u)
      assert.deepEqual(JSON.parse(json), { text })
    }),
  )
})
