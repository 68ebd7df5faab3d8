import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, container, finding, type Synthetic } from '../../helpers/synthetic.ts'

const text = 'Error: Browser is already in use for /data/profile, use --isolated to run multiple instances of the same browser'
// Synthetic: the text is the one that @playwright/mcp throws.
const locked: Synthetic = {
  server: { name: 'web', command: 'npx', args: ['-y', '@playwright/mcp', '--user-data-dir', '/data/profile'] },
  serverLog: attempt({ stderr: [[1, text]] }),
}

test('another container of the server runs: supported, and the option is added', async () => {
  const found = await finding('browser-profile-locked', { ...locked, containers: [container({ name: 'mcpproxy-web-old1' })] })
  assert.equal(found?.rank, 'supported')
  assert.equal(found?.facts['profile'], '/data/profile')
  const [remedy] = found?.remedies ?? []
  assert.deepEqual(remedy?.kind === 'config-edit' && (remedy.edits[0]?.value as string[]).at(-1), '--isolated')
})

test('the text alone is a suspicion and changes nothing', async () => {
  const found = await finding('browser-profile-locked', locked)
  assert.equal(found?.rank, 'suspected')
  assert.deepEqual(found?.remedies, [])
})

test('near miss: a port that is in use', async () => {
  const other = attempt({ stderr: [[1, 'Error: listen EADDRINUSE: address already in use :::9222']] })
  assert.equal(await finding('browser-profile-locked', { ...locked, serverLog: other }), null)
})
