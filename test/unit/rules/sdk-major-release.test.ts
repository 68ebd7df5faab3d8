import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, type Synthetic } from '../../helpers/synthetic.ts'

const missing = "ModuleNotFoundError: No module named 'mcp.server.fastmcp'"
// Synthetic: the lines are those of the linked reports about mcp 2.0.0.
const server = (command: string, args: string[], ...lines: string[]): Synthetic => ({
  server: { name: 'web', command, args },
  serverLog: attempt({
    runtime: 'uvx',
    command,
    stderr: lines.map((l, i) => [1 + i / 10, l]),
  }),
})

test('uvx resolves the newest SDK: the bound goes in front of the package', async () => {
  const found = await finding('sdk-major-release', server('uvx', ['duckduckgo-mcp-server'], missing))
  assert.equal(found?.rank, 'supported')
  assert.deepEqual(found?.remedies[0]?.kind === 'config-edit' && found.remedies[0].edits[0]?.value, [
    '--with',
    'mcp<2',
    'duckduckgo-mcp-server',
  ])
})

test('an old release hands the words to a shell, where < would be a redirection', async () => {
  const found = await finding('sdk-major-release', { ...server('uvx', ['some-mcp'], missing), version: 'v0.23.2' })
  assert.doesNotMatch(JSON.stringify(found?.remedies), /</)
})

test('near misses: the SDK is held back, or the packages are those of a local environment', async () => {
  assert.equal(await finding('sdk-major-release', server('uvx', ['--with', 'mcp<2', 'duckduckgo-mcp-server'], missing)), null)
  assert.equal(await finding('sdk-major-release', server('python3', ['/srv/server.py'], missing)), null)
})

test('the SDK names itself: said of any command, but without an edit', async () => {
  const own = 'ImportError: This is mcp 2.x, where FastMCP was renamed to MCPServer'
  const found = await finding('sdk-major-release', server('python3', ['/srv/server.py'], own))
  assert.equal(found?.rank, 'suspected')
  assert.equal(found?.remedies[0]?.kind, 'instruction')
})
