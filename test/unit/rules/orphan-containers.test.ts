import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, container, finding, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic: the labels are those of real containers; 4711 is the MCPProxy of today.
const isolated: Synthetic = {
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'] },
  serverLog: attempt({ end: ['connected', 2] }),
  status: { connected: true },
  containers: [container({}), container({ name: 'mcpproxy-web-old1', pid: 3000, created: -9000 })],
}
const directory = { type: 'directory', mode: '0555', uid: 0, gid: 0 }

test('the owner is gone: proven, and removed by name', async () => {
  const files = { '/proc/1': directory, '/proc/4711': directory, '/proc/3000': { error: 'ENOENT' } }
  const found = await finding('orphan-containers', { ...isolated, files })
  assert.equal(found?.rank, 'proven')
  assert.deepEqual(found?.remedies[0]?.kind === 'command' && found.remedies[0].argv, ['docker', 'rm', '-f', 'mcpproxy-web-old1'])
})

test('nobody looked at the owner, or /proc hides it: a suspicion that removes nothing', async () => {
  for (const files of [{}, { '/proc/1': { error: 'ENOENT' }, '/proc/3000': { error: 'ENOENT' } }]) {
    const found = await finding('orphan-containers', { ...isolated, files })
    assert.equal(found?.rank, 'suspected')
    assert.equal(JSON.stringify(found.remedies).includes('rm'), false)
  }
})

test('near miss: a second MCPProxy that lives', async () => {
  const files = { '/proc/1': directory, '/proc/4711': directory, '/proc/3000': directory }
  assert.equal(await finding('orphan-containers', { ...isolated, files }), null)
})

test('containers of an own docker command: only those that are older than MCPProxy', async () => {
  const own = (created: number): Synthetic => ({
    server: { name: 'web', command: 'docker', args: ['run', '-i', '--rm', 'mcp/everything'] },
    serverLog: attempt({ container: null, command: 'docker', end: ['connected', 2] }),
    status: { connected: true },
    containers: [container({ name: 'happy_name', image: 'mcp/everything', labels: false, created })],
  })
  assert.equal((await finding('orphan-containers', own(-9000)))?.rank, 'suspected')
  assert.equal(await finding('orphan-containers', own(1)), null)
})

test('near miss: a release whose API does not tell its pid may be the owner', async () => {
  const [mine] = isolated.containers!
  assert.equal(await finding('orphan-containers', { ...isolated, pid: null, containers: [mine] }), null)
})
