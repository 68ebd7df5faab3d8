import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic: the texts are those of the linked reports.
const bridge = (text: string, end: 'exited' | 'connected' = 'exited'): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'mcp-bridge'] },
  serverLog: attempt({ stderr: [[1, text]], end: [end, 2] }),
})

test('a client inside the server could not read a line: a suspicion', async () => {
  const found = await finding('stdout-noise', bridge('Failed to parse JSONRPC message from server'))
  assert.equal(found?.rank, 'suspected')
  assert.match(found.remedies[0]?.title ?? '', /npx --quiet/)
})

test("MCPProxy's own error", async () => {
  const parts = bridge('hello')
  const serverLog = parts.serverLog!.map((l) => l.replace('transport closed', "invalid character 'ð' looking for beginning of value"))
  assert.equal((await finding('stdout-noise', { ...parts, serverLog }))?.facts['by'], 'MCPProxy')
})

test('near misses: JSON of its own that a server cannot read, and a server that connected', async () => {
  assert.equal(await finding('stdout-noise', bridge(`SyntaxError: Unexpected token 'A', "Azure" is not valid JSON`)), null)
  assert.equal(await finding('stdout-noise', bridge('Failed to parse JSONRPC message from server', 'connected')), null)
})
