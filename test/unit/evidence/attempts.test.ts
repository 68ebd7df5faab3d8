/** Attempts whose first line is lost in the log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAttempts } from '../../../src/lib/evidence/attempts.ts'
import { parseLogLine, type LogLine } from '../../../src/lib/formats/log-line.ts'

const line = (second: number, message: string, fields: object = {}): LogLine => {
  const time = new Date(Date.UTC(2026, 10, 24, 8, 0, second)).toISOString()
  const parsed = parseLogLine(
    `${time} | INFO | x/y.go:1 | ${message} | ${JSON.stringify({ server: 'web', ...fields })}`,
    'server-web.log',
    null,
  )
  assert.ok(parsed)
  return parsed
}
const connected = [
  line(0, 'Starting connection attempt'),
  line(1, 'Docker isolation configured', { container_name: 'mcpproxy-web-aaaa' }),
  line(2, 'MCP initialization completed successfully'),
  line(3, 'Disconnecting from server', { was_connected: true }),
]

test('another container is another attempt, even if no line says that it starts', () => {
  const attempts = readAttempts([
    ...connected,
    line(4, 'Docker isolation configured', { container_name: 'mcpproxy-web-bbbb' }),
    line(5, 'stderr', { message: 'Error: gone' }),
    line(6, 'MCP initialize JSON-RPC call failed', { error: 'transport error: transport closed' }),
  ])
  assert.deepEqual(
    attempts.map((a) => a.outcome),
    ['connected', 'exited'],
  )
  assert.equal(attempts[1]?.stderr.length, 1)
})
test('a handshake that ends after the disconnect belongs to another attempt', () => {
  const attempts = readAttempts([
    ...connected,
    line(6, 'MCP initialize JSON-RPC call failed', { error: 'transport error: transport closed' }),
  ])
  assert.deepEqual(
    attempts.map((a) => a.outcome),
    ['connected', 'exited'],
  )
})
test('the same container and a late line are the same attempt', () => {
  assert.equal(readAttempts([...connected, line(4, 'stderr stream closed')]).length, 1)
  assert.equal(
    readAttempts([...connected.slice(0, 2), line(2, 'Docker isolation configured', { container_name: 'mcpproxy-web-aaaa' })]).length,
    1,
  )
})
