import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerReport } from '../../../src/lib/report/report.ts'
import type { Finding } from '../../../src/lib/rules/rule.ts'
import { toldOnce } from '../../../src/lib/workflow/file-findings.ts'

const finding = (server: string, code: string, more: Partial<Finding> = {}): Finding => ({
  ...{ code, severity: 'warning', rank: 'suspected', server, title: code, detail: '', facts: {}, ruledOut: [], remedies: [] },
  cites: [{ type: 'host', path: '/srv/mcp_config.json', text: 'is read' }],
  ...more,
})
const report = (server: string, ...findings: Finding[]): ServerReport => ({
  ...{ server, verdict: 'undetermined', summary: '', steps: [], undetermined: [], replays: [], replayed: null },
  findings,
  rules: { looked: 1, couldNot: 0 },
})
const codes = (r: ReturnType<typeof toldOnce>): unknown => [
  r.findings.map((f) => f.code),
  r.servers.map((s) => s.findings.map((f) => f.code)),
]

test('what is the same for every server is told once', () => {
  const told = toldOnce([report('a', finding('a', 'x'), finding('a', 'y')), report('b', finding('b', 'y'))])
  assert.deepEqual(codes(told), [['y'], [['x'], []]])
  assert.equal(told.findings[0]?.server, null)
})

test('not moved: one server, another place or word, not of all of them, the cause of a verdict', () => {
  const place = { cites: [] }
  const error = { severity: 'error' } as const
  assert.deepEqual(codes(toldOnce([report('a', finding('a', 'x'))])), [[], [['x']]])
  assert.deepEqual(codes(toldOnce([report('a', finding('a', 'x')), report('b', finding('b', 'x', place))])), [[], [['x'], ['x']]])
  assert.deepEqual(codes(toldOnce([report('a', finding('a', 'x')), report('b')])), [[], [['x'], []]])
  assert.deepEqual(codes(toldOnce([report('a', finding('a', 'x', error)), report('b', finding('b', 'x', error))])), [[], [['x'], ['x']]])
  // The reason of one server does not keep it from being told once for the others.
  const mixed = ['a', 'b'].map((s) => report(s, finding(s, 'x')))
  assert.deepEqual(codes(toldOnce([...mixed, report('c', finding('c', 'x', error))])), [['x'], [[], [], ['x']]])
})
