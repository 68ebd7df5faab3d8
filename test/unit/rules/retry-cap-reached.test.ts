import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, mainLine, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic: the messages are MCPProxy's own (v0.24.0 and later).
const gaveUp: Synthetic = {
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'] },
  serverLog: attempt({}),
  mainLog: [
    mainLine(
      60,
      'Giving up automatic reconnection after max retries — use manual reconnect or reconnect-on-use',
      { server: 'web', retry_count: 20 },
      'WARN',
    ),
  ],
}

test('the line, and no success after it', async () => {
  const found = await finding('retry-cap-reached', gaveUp)
  assert.equal(found?.facts['of'], 'server')
  assert.equal(found?.remedies[0]?.kind, 'reload')
})

test('near misses: it was connected later, or another server gave up', async () => {
  const later = mainLine(90, 'Successfully established managed connection', { server: 'web' })
  assert.equal(await finding('retry-cap-reached', { ...gaveUp, mainLog: [...gaveUp.mainLog!, later] }), null)
  assert.equal(await finding('retry-cap-reached', { ...gaveUp, mainLog: [gaveUp.mainLog![0]!.replace('"web"', '"api"')] }), null)
})

test('the engine was away for too long, unless it came back', async () => {
  const engine = mainLine(60, 'Docker recovery max retries exceeded', { max_retries: 10 }, 'ERROR')
  assert.equal((await finding('retry-cap-reached', { ...gaveUp, mainLog: [engine] }))?.facts['of'], 'engine')
  const back = mainLine(99, 'Docker recovery successful', {})
  assert.equal(await finding('retry-cap-reached', { ...gaveUp, mainLog: [engine, back] }), null)
})
