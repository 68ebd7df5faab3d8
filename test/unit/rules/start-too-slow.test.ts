import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, life, type AttemptLines, type Synthetic } from '../../helpers/synthetic.ts'

const server = { name: 'web', command: 'node', args: ['/srv/server.mjs'] }
const cutOff = (stderr: [number, string][], more: AttemptLines = {}): string[] =>
  attempt({ stderr, end: ['no-answer', 30], command: 'node', ...more })
// In the form of the recording of a server that loads a model for 45 s.
const loading = Array.from({ length: 16 }, (_, i): [number, string] => [
  1.8 * (i + 1),
  `[embeddings] loading model bge-m3: ${4 * (i + 1)}%`,
])

test('still at work when the clock ran out: a suspicion, and a restart waits longer', async () => {
  const found = await finding('start-too-slow', { server, serverLog: cutOff(loading) })
  assert.equal(found?.rank, 'suspected')
  assert.match(found.detail, /still at work/)
  assert.equal(found.remedies[0]?.kind, 'reload')
})

test('it once answered after 45 s: supported; a server of the host needs init_timeout', async () => {
  const parts = (command: string, isolation: boolean): Synthetic => ({
    server: { name: 'web', command, args: ['/srv/server.mjs'], isolation: { enabled: isolation } },
    serverLog: [
      ...attempt({ command, container: isolation ? 'mcpproxy-web-old1' : null, end: ['connected', 45] }),
      ...cutOff([], { at: 100 }),
    ],
  })
  const found = await finding('start-too-slow', parts('node', true))
  assert.equal(found?.rank, 'supported')
  assert.equal(found.facts['needed'], '45 s')
  assert.equal(found.remedies[0]?.kind, 'reload')
  const [edit] = (await finding('start-too-slow', parts('node', false)))?.remedies ?? []
  assert.equal(edit?.kind === 'config-edit' && edit.edits[0]?.value, '3m')
})

test('npx without a cache installs anew at every start', async () => {
  const parts: Synthetic = {
    server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'] },
    config: { docker_isolation: { enabled: true, enable_cache_volume: false } },
    serverLog: cutOff([], { command: 'npx' }),
  }
  const found = await finding('start-too-slow', parts)
  assert.equal(found?.rank, 'suspected')
  assert.equal(found.severity, 'warning')
  assert.equal(found.remedies[0]?.kind === 'config-edit' && found.remedies[0].edits[0]?.value, true)
  assert.equal(await finding('start-too-slow', { ...parts, config: {} }), null)
})

test('near misses: silence, a retry without end, a program that had ended', async () => {
  assert.equal(await finding('start-too-slow', { server, serverLog: cutOff([[0.2, 'connecting to backend...']]) }), null)
  const retries = Array.from({ length: 14 }, (_, i): [number, string] => [2 * (i + 1), `loading profile failed, retry ${i + 1} of 99`])
  assert.equal(await finding('start-too-slow', { server, serverLog: cutOff(retries) }), null)
  const ended = life({
    then: [
      [0.1, 'create'],
      [0.2, 'start'],
      [4, 'die', { exitCode: '1' }],
    ],
  })
  assert.equal(await finding('start-too-slow', { server, serverLog: cutOff(loading), events: ended, version: 'v0.23.2' }), null)
})
