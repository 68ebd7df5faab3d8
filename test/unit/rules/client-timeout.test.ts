import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, mainLine, type Synthetic } from '../../helpers/synthetic.ts'

const server = { name: 'web', command: 'npx', args: ['-y', 'mcp-remote', 'http://example.test/mcp'] }
// Synthetic: the message is MCPProxy's own (v0.60.0).
const call = (error: string): Synthetic => ({
  server,
  serverLog: attempt({ end: ['connected', 2] }),
  mainLog: [
    mainLine(60, 'Tool call canceled/deadline by caller; not marking server unhealthy', { server: 'web', tool: 'slow', error }, 'WARN'),
  ],
})

test('the client broke a call off', async () => {
  const found = await finding('client-timeout', call('context canceled'))
  assert.equal(found?.severity, 'info')
  assert.equal(found.rank, 'suspected')
  assert.equal(found.facts['tool'], 'slow')
})

test("near miss: MCPProxy's own limit", async () => {
  assert.equal(await finding('client-timeout', call('context deadline exceeded')), null)
})

test('a server that is a client itself: only while it fails', async () => {
  const text = 'Error: MCP error -32001: Request timed out'
  assert.equal(
    (await finding('client-timeout', { server, serverLog: attempt({ stderr: [[60, text]], end: ['exited', 61] }) }))?.rank,
    'suspected',
  )
  assert.equal(await finding('client-timeout', { server, serverLog: attempt({ stderr: [[60, text]], end: ['connected', 61] }) }), null)
})
