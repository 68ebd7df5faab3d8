import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, codes, finding, type Synthetic } from '../../helpers/synthetic.ts'

const timedOut = [
  'npm error code ETIMEDOUT',
  'npm error request to https://registry.test/some-mcp failed, reason: connect ETIMEDOUT 192.0.2.1:443',
]
// Synthetic: the environment is that of a machine behind a proxy.
const behind = (env: Record<string, string>, lines: string[], more: Partial<Synthetic> = {}): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'] },
  environment: { env, clientProxies: [] },
  serverLog: attempt({ stderr: lines.map((l, i) => [20 + i / 10, l]), end: ['exited', 22] }),
  ...more,
})
const proxy = { HTTPS_PROXY: 'http://me:hush-hush@proxy.test:3128', NO_PROXY: 'localhost' }

test('npm times out, and the proxy of the host is not passed: the cause before the unreachable index', async () => {
  const parts = behind(proxy, timedOut)
  const found = await finding('host-env-not-passed', parts)
  assert.equal(found?.rank, 'supported')
  assert.deepEqual(found.facts['variables'], ['HTTPS_PROXY'])
  assert.doesNotMatch(JSON.stringify(found), /hush-hush/)
  const [edit] = found.remedies
  assert.equal(edit?.kind === 'config-edit' && edit.edits[0]?.value, '${env:HTTPS_PROXY}')
  assert.equal((await codes(parts))[0], 'host-env-not-passed')
})

test('releases before v0.21.2 do not know ${env:…}, and localhost is another one in a container: no edit', async () => {
  assert.equal((await finding('host-env-not-passed', behind(proxy, timedOut, { version: 'v0.20.0' })))?.remedies[0]?.kind, 'instruction')
  const local = await finding('host-env-not-passed', behind({ https_proxy: 'http://127.0.0.1:3128' }, timedOut))
  assert.match(local?.remedies[0]?.title ?? '', /instead of localhost/)
})

test('near misses: passed, added by the docker client, a refused connection, no proxy', async () => {
  const passed = { name: 'web', command: 'npx', args: ['-y', 'some-mcp'], env: { https_proxy: 'http://proxy.test:3128' } }
  assert.equal(await finding('host-env-not-passed', behind(proxy, timedOut, { server: passed })), null)
  const client = behind(proxy, timedOut, { environment: { env: proxy, clientProxies: ['HTTP_PROXY', 'HTTPS_PROXY'] } })
  assert.equal(await finding('host-env-not-passed', client), null)
  assert.equal(await finding('host-env-not-passed', behind(proxy, ['npm error code ECONNREFUSED'])), null)
  assert.equal(await finding('host-env-not-passed', behind({}, timedOut)), null)
})

test('a certificate of the host needs its file too', async () => {
  const lines = ['npm error code SELF_SIGNED_CERT_IN_CHAIN', 'npm error self-signed certificate in certificate chain']
  const found = await finding('host-env-not-passed', behind({ NODE_EXTRA_CA_CERTS: '/etc/ssl/corp.pem' }, lines))
  assert.equal(found?.rank, 'supported')
  assert.match(found.remedies[0]?.title ?? '', /Mount the certificate file/)
})

test('whether the docker client adds the proxy was not looked at: a suspicion', async () => {
  assert.equal((await finding('host-env-not-passed', behind(proxy, timedOut, { environment: { env: proxy } })))?.rank, 'suspected')
})

test('a package that the index does not know may be misspelt: the index of the host is a suspicion', async () => {
  const parts = behind({ npm_config_registry: 'http://registry.test' }, [
    'npm error code E404',
    "npm error 404  'some-mcp@*' is not in this registry.",
  ])
  assert.deepEqual(await codes(parts), ['package-unknown', 'host-env-not-passed'])
})

test('npx waits without a word: a suspicion', async () => {
  const parts = behind(proxy, [], { serverLog: attempt({ end: ['no-answer', 30] }) })
  assert.equal((await finding('host-env-not-passed', parts))?.rank, 'suspected')
})
