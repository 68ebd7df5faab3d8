import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, life, mainLine, setupLine, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic, in the form of the recording of `docker kill` on a container that was ready.
const killed: Synthetic = {
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'] },
  serverLog: attempt({ end: ['connected', 2] }),
  mainLog: [setupLine(0, { runArgs: ['run', '--rm', '-i', 'docker.io/library/node:22'], command: ['npx', '-y', 'some-mcp'] })],
  events: life({
    then: [
      [0.1, 'create'],
      [0.3, 'start'],
      [20, 'kill', { signal: '9' }],
      [20.1, 'die', { exitCode: '137' }],
    ],
  }),
  status: { connected: true, status: 'ready' },
}

test('a signal, no shortage of memory, and no stop in the log of MCPProxy', async () => {
  const found = await finding('killed-from-outside', killed)
  assert.equal(found?.rank, 'proven')
  assert.equal(found?.remedies[0]?.kind, 'reload')
})

test('a second MCPProxy on the same engine is named', async () => {
  const other = life({ id: 'b', name: 'mcpproxy-api-zz99', server: 'api', pid: 999, instance: 'bbbb', then: [[10, 'start']] })
  const found = await finding('killed-from-outside', { ...killed, events: [...killed.events!, ...other] })
  assert.equal(found?.facts['otherProcess'], 999)
})

test('near misses: MCPProxy stopped it itself', async () => {
  const own = mainLine(19.99, 'Killing Docker container during disconnect', { server: 'web', container_id: 'id-mcpproxy-' })
  assert.equal(await finding('killed-from-outside', { ...killed, mainLog: [...killed.mainLog!, own] }), null)
  const shutdown = mainLine(5, 'Cleaning up all mcpproxy-managed Docker containers', {})
  assert.equal(await finding('killed-from-outside', { ...killed, mainLog: [...killed.mainLog!, shutdown] }), null)
  assert.equal(await finding('killed-from-outside', { ...killed, serverLog: attempt({ end: ['no-answer', 19.9] }) }), null)
})

test('near miss: the kernel, for want of memory', async () => {
  const [create, begin] = killed.events!
  const oom = life({
    then: [
      [20, 'oom'],
      [20.05, 'kill', { signal: '9' }],
      [20.1, 'die', { exitCode: '137' }],
    ],
  })
  assert.equal(await finding('killed-from-outside', { ...killed, events: [create, begin, ...oom] }), null)
})

test('a log that would not tell of a stop proves nothing', async () => {
  assert.equal((await finding('killed-from-outside', { ...killed, mainLog: [] }))?.rank, 'suspected')
})
