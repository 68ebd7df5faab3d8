/** An address that the user gave us is not the one of MCPProxy: what is not there proves nothing about a server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, codes, finding, type Synthetic } from '../../helpers/synthetic.ts'

const dead = { error: { kind: 'unreachable', why: 'missing', message: 'There is no socket at unix:///nowhere.sock.' } }
const bad = { error: { kind: 'failed', why: 'misconfigured', message: 'http:// is no address of an engine.' } }
const given = { host: 'unix:///nowhere.sock', decidedBy: '--docker-host' }
const crash = attempt({ stderr: [[1, 'Error: something of its own']], end: ['exited', 2] })
const said = (host: string): string[] =>
  attempt({
    stderr: [[0.1, `docker: Cannot connect to the Docker daemon at ${host}. Is the docker daemon running?`]],
    end: ['exited', 0.2],
  })
const web = (more: Partial<Synthetic>): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'x'] },
  serverLog: crash,
  endpoint: given,
  engine: dead,
  environment: { env: { DOCKER_HOST: 'unix:///run/its-own.sock' } },
  ...more,
})

test('nothing at the address of --docker-host: a warning about that address, naming the one of MCPProxy, and no cause', async () => {
  const found = await finding('engine-down', web({}))
  assert.deepEqual([found?.severity, found?.rank], ['warning', 'suspected'])
  assert.match(found?.title ?? '', /given with --docker-host/)
  assert.match(found?.detail ?? '', /whose DOCKER_HOST is unix:\/\/\/run\/its-own\.sock/)
  assert.equal((await codes(web({})))[0], 'server-crash')
})

test('an address that cannot be used: the same', async () => {
  const found = await finding('docker-endpoint-invalid', web({ engine: bad }))
  assert.deepEqual([found?.severity, found?.rank], ['warning', 'suspected'])
})

test('the log names another address: what docker said counts, what we did not reach does not', async () => {
  const found = await finding('engine-down', web({ serverLog: said('unix:///run/its-own.sock') }))
  assert.deepEqual([found?.severity, found?.rank, found?.facts['host']], ['error', 'suspected', 'unix:///run/its-own.sock'])
})

test('the log, or the environment of MCPProxy, names the very address: certain as ever', async () => {
  assert.equal((await finding('engine-down', web({ serverLog: said('unix:///nowhere.sock') })))?.rank, 'proven')
  const its = { env: { DOCKER_HOST: 'unix:///nowhere.sock' } }
  assert.equal((await finding('engine-down', web({ serverLog: said('unix:///nowhere.sock'), environment: its })))?.rank, 'proven')
  const silent = await finding('engine-down', web({ environment: its }))
  assert.deepEqual([silent?.severity, silent?.title], ['error', 'No Docker engine answers where the docker command looks'])
})

test('an engine that hangs at an address that is only ours is no cause', async () => {
  const hung = { error: { kind: 'timed-out', why: 'timed-out', message: 'No answer.' } }
  assert.equal(await finding('engine-unresponsive', web({ engine: hung })), null)
  assert.ok(await finding('engine-unresponsive', web({ engine: hung, endpoint: { ...given, decidedBy: 'default socket' } })))
})
