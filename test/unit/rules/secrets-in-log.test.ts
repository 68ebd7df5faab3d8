import assert from 'node:assert/strict'
import { test } from 'node:test'
import { finding, setupLine, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic: the line has the form of a real one; the value is made up.
const run = (...env: string[]): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'] },
  mainLog: [
    setupLine(0, {
      runArgs: ['run', '--rm', '-i', ...env.flatMap((e) => ['-e', e]), 'docker.io/library/node:22'],
      command: ['npx', '-y', 'some-mcp'],
    }),
  ],
})

test('names and the line are reported, never the value', async () => {
  const found = await finding('secrets-in-log', run('DEMO_API_KEY=correct-horse', 'NODE_ENV=production'))
  assert.equal(found?.severity, 'info')
  assert.deepEqual(found.facts['variables'], ['DEMO_API_KEY'])
  assert.equal(found.facts['line'], 2)
  assert.doesNotMatch(JSON.stringify(found), /correct-horse/)
})

test('near misses: no secret, a placeholder, a value that MCPProxy masked', async () => {
  assert.equal(await finding('secrets-in-log', run('NODE_ENV=production', 'API_KEY=${keyring:demo}', 'GH_TOKEN=ghp_abc***CD')), null)
})

test('the copy of the configuration, where others may read it', async () => {
  const copy = (mode: string): Synthetic => ({
    server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'], env: { DEMO_API_KEY: 'correct-horse' } },
    files: { '/home/user/.mcpproxy/mcp_config.json.bak': { type: 'file', mode, uid: 1000, gid: 1000, size: 9 } },
  })
  assert.match((await finding('secrets-in-log', copy('100644')))?.title ?? '', /copy of the configuration/)
  assert.equal(await finding('secrets-in-log', copy('100600')), null)
})
