import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pastedLines, viewsOf } from '../../../src/lib/formats/pasted-text.ts'

const lines = (text: string): string[] => pastedLines(text).map((line) => line.text)
const tty = 'the input device is not a TTY'

test('colours and other sequences of terminals go', () => {
  assert.deepEqual(lines(`\u001b[31m${tty}\u001b[0m\r\n\u001b]8;;x\u0007`), [tty])
})
test("MCPProxy's lines, text and JSON, give their message and what others said in them", () => {
  const text = `2026-11-22T16:14:09.101Z | ERROR | upstream/manager.go:438 | Connection error | {"server": "x", "error": "failed to connect: server process exited before completing the MCP initialize handshake; recent stderr:\\n  | ${tty}: transport error: transport closed", "retry_count": 1}`
  assert.deepEqual(lines(text), [
    'Connection error',
    'failed to connect: server process exited before completing the MCP initialize handshake',
    tty,
    'transport closed',
  ])
  assert.deepEqual(lines(`2026-11-22T16:14:09.101Z | INFO | core/monitoring.go:1 | stderr | {"server": "x", "message": "${tty}"}`), [
    'stderr',
    tty,
  ])
  assert.deepEqual(lines(`{"level":"info","ts":"2026-11-22T16:14:09.101Z","msg":"stderr","server":"x","message":"${tty}"}`), [
    'stderr',
    tty,
  ])
})
test("whose words they are: MCPProxy's have a level", () => {
  assert.deepEqual(pastedLines('2026-11-22T16:14:09.101Z | WARN | a/b.go:1 | Skipping quarantined client | {"server": "x"}'), [
    { text: 'Skipping quarantined client', mcpproxy: 'WARN' },
  ])
})
test('JSON of the API, escaped once and twice', () => {
  assert.ok(lines(`  "last_error": "recent stderr:\\n  | ${tty}",`).includes(tty))
  assert.ok(lines(JSON.stringify({ body: JSON.stringify({ last_error: `recent stderr:\n  | ${tty}` }) })).some((l) => l.startsWith(tty)))
})
test('a path of Windows is not taken apart', () => {
  assert.deepEqual(lines('cannot open C:\\new\\readme'), ['cannot open C:\\new\\readme'])
})
test('times of docker logs and names of compose go', () => {
  assert.deepEqual(lines(`2026-11-22T16:14:09.101234567Z ${tty}\nserver-1  | ${tty}\n[2026-11-22 16:14:09] ${tty}`), [tty])
})
test('a line is looked at from behind its prefixes, too', () => {
  assert.ok(viewsOf('[mcp] stderr: npm error code E404').includes('npm error code E404'))
  assert.ok(viewsOf(`${'a: '.repeat(10_000)}b`).length <= 10)
})
test('of a huge text the end counts', () => {
  const huge = `first\n${'x\n'.repeat(1_000_000)}${Array.from({ length: 50_000 }, (_, i) => `line ${i}`).join('\n')}`
  const found = lines(huge)
  assert.equal(found.at(-1), 'line 49999')
  assert.ok(found.length <= 2000)
  assert.ok((lines('y'.repeat(5_000_000))[0] ?? '').length <= 1000)
})
