import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic: mcp-remote as it prints the answer of a server with DNS rebinding protection.
const refused = (url: string, text = 'Error: Error POSTing to endpoint (HTTP 421): 421 Misdirected Request'): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'mcp-remote', url] },
  serverLog: attempt({ stderr: [[1, text]] }),
})

test('a name that the server does not know by itself', async () => {
  const found = await finding('host-header-refused', refused('http://host.docker.internal:8080/mcp'))
  assert.equal(found?.rank, 'supported')
  assert.equal(found?.facts['host'], 'host.docker.internal:8080')
})

test('localhost is allowed by default, so the text stands alone', async () => {
  assert.equal((await finding('host-header-refused', refused('http://localhost:8080/mcp')))?.rank, 'suspected')
})

test("a remote server: the answer stands in MCPProxy's own error", async () => {
  const serverLog = attempt({ container: null }).map((l) => l.replace('transport closed', 'unexpected status 421: 421 Misdirected Request'))
  const found = await finding('host-header-refused', {
    server: { name: 'web', url: 'http://mcp.internal:8080/mcp', protocol: 'http' },
    serverLog,
  })
  assert.equal(found?.rank, 'supported')
  assert.equal(found.cites[0]?.type === 'config' && found.cites[0].pointer, '/mcpServers/0/url')
})

test('near miss: another refusal', async () => {
  assert.equal(await finding('host-header-refused', refused('http://host.docker.internal:8080/mcp', 'Error: HTTP 401 Unauthorized')), null)
})
