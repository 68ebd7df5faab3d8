import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { otherSockets, resolveEndpoint, type EndpointInput } from '../../../src/lib/system/docker-endpoint.ts'
import { notObserved, observed } from '../../../src/lib/system/system.ts'

const id = (name: string): string => createHash('sha256').update(name).digest('hex')
const meta = (name: string): string => `/home/user/.docker/contexts/meta/${id(name)}/meta.json`
const resolve = (
  env: Record<string, string>,
  files: Record<string, string | null> = {},
  more: Partial<EndpointInput> = {},
): ReturnType<typeof resolveEndpoint> =>
  resolveEndpoint({
    env,
    platform: 'linux',
    home: '/home/user',
    read: (path) =>
      Promise.resolve(
        files[path] === null
          ? notObserved('denied', `${path}: permission denied`)
          : observed(path in files ? Buffer.from(files[path] ?? '') : null),
      ),
    ...more,
  })

test('without any setting: the default socket', async () => {
  assert.deepEqual(await resolve({}), {
    host: 'unix:///var/run/docker.sock',
    decidedBy: 'default socket',
    context: null,
    tls: false,
    problem: null,
    tlsMaterial: null,
  })
  assert.equal((await resolve({}, {}, { platform: 'win32', home: 'C:\\Users\\u' })).host, 'npipe:////./pipe/docker_engine')
})

// What `docker ps` of 28.2 said to each (recordings engine-host-malformed and engine-host-scheme among them).
const hosts: [string, string | null][] = [
  ['localhost:2375', 'tcp://localhost:2375'],
  [' unix:///var/run/docker.sock ', 'unix:///var/run/docker.sock'],
  ['unix://', 'unix:///var/run/docker.sock'],
  ['tcp://', 'tcp://localhost:2375'],
  ['tcp://127.0.0.1', 'tcp://127.0.0.1:2375'],
  ['tcp://127.0.0.1:2375/x', 'tcp://127.0.0.1:2375/x'],
  ['/var/run/docker.sock', 'tcp://localhost:2375/var/run/docker.sock'],
  ['tcp://:1', 'tcp://localhost:1'],
  [':2375', 'tcp://localhost:2375'],
  ['2375', 'tcp://2375:2375'],
  ['tcp://u:p@h:1', 'tcp://h:1'],
  ['tcp://[::1]:2375', 'tcp://[::1]:2375'],
  ['ssh://me@there:2222', 'ssh://me@there:2222'],
  ['http://127.0.0.1:2375', null],
  ['https://x:1', null],
  ['://x', null],
  ['fd://', null],
  ['tcp://h:x', null],
  ['unix://a://b', null],
  ['unix:var/run/docker.sock', null],
  ['npipe:////./pipe/x', null],
]
for (const [value, expected] of hosts) {
  test(`DOCKER_HOST=${value}`, async () => {
    const answer = await resolve({ DOCKER_HOST: value }, {}, { whose: 'the MCPProxy process' })
    assert.equal(answer.host, expected)
    assert.equal(answer.problem === null, expected !== null)
    assert.equal(answer.decidedBy, 'DOCKER_HOST of the MCPProxy process')
  })
}

test('DOCKER_HOST beats DOCKER_CONTEXT, that beats config.json', async () => {
  const files = {
    '/home/user/.docker/config.json': '{"currentContext":"desktop-linux"}',
    [meta('desktop-linux')]:
      '{"Name":"desktop-linux","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///home/user/.docker/desktop/docker.sock","SkipTLSVerify":false}}}',
    [meta('colima')]: '{"Name":"colima","Endpoints":{"docker":{"Host":"unix:///home/user/.colima/default/docker.sock"}}}',
  }
  const current = await resolve({}, files)
  assert.equal(current.host, 'unix:///home/user/.docker/desktop/docker.sock')
  assert.equal(current.context, 'desktop-linux')
  assert.match(current.decidedBy, /context "desktop-linux" of .*config\.json/)
  assert.equal((await resolve({ DOCKER_CONTEXT: 'colima' }, files)).host, 'unix:///home/user/.colima/default/docker.sock')
  assert.equal((await resolve({ DOCKER_CONTEXT: 'default' }, files)).host, 'unix:///var/run/docker.sock')
  assert.equal((await resolve({ DOCKER_CONTEXT: 'colima', DOCKER_HOST: 'unix:///x.sock' }, files)).host, 'unix:///x.sock')
  assert.equal((await resolve({ DOCKER_HOST: 'unix:///x.sock' }, files, { flags: { context: 'colima' } })).context, 'colima')
  assert.equal((await resolve({ DOCKER_HOST: 'unix:///x.sock' }, files, { flags: { context: 'default' } })).host, 'unix:///x.sock')
  assert.equal((await resolve({ DOCKER_CONTEXT: 'colima' }, files, { flags: { host: 'tcp://h:1' } })).host, 'tcp://h:1')
  assert.match((await resolve({}, files, { flags: { host: 'tcp://h:1', context: 'colima' } })).problem ?? '', /conflicting/)
})

test('contexts that docker refuses', async () => {
  const unknown = await resolve({ DOCKER_CONTEXT: 'colima' })
  assert.equal(unknown.host, null)
  assert.equal(unknown.context, 'colima')
  assert.match(unknown.problem ?? '', /context "colima" does not exist .*f24fd3749c1368328e2b149bec149cb6795619f244c5b584e844961215dadd16/)
  assert.match((await resolve({ DOCKER_CONTEXT: 'a' }, { [meta('a')]: 'no' })).problem ?? '', /not JSON/)
  assert.match((await resolve({ DOCKER_CONTEXT: 'a' }, { [meta('a')]: '{"Name":"a"}' })).problem ?? '', /no docker endpoint/)
  assert.match(
    (await resolve({ DOCKER_CONTEXT: 'a' }, { [meta('a')]: '{"Endpoints":{"docker":{"Host":"127.0.0.1:1"}}}' })).problem ?? '',
    /cannot read/,
  )
  assert.match((await resolve({ DOCKER_CONTEXT: 'a' }, { [meta('a')]: null })).problem ?? '', /permission denied/)
  assert.match(
    (await resolve({}, { '/home/user/.docker/config.json': '{"currentContext":"gone"}' })).problem ?? '',
    /"gone" does not exist/,
  )
})

test('a broken config.json stops nothing: docker only warns', async () => {
  const answer = await resolve({}, { '/home/user/.docker/config.json': '{' })
  assert.equal(answer.host, 'unix:///var/run/docker.sock')
  assert.equal(answer.problem, null)
  assert.match(answer.decidedBy, /config\.json is not JSON/)
  assert.equal((await resolve({}, { '/home/user/.docker/config.json': '' })).decidedBy, 'default socket')
  assert.equal((await resolve({ DOCKER_CONFIG: '/c' }, { '/c/config.json': '{"CURRENTCONTEXT":"default"}' })).context, 'default')
})

test('TLS: of the environment, and of contexts', async () => {
  const env = { DOCKER_HOST: 'tcp://127.0.0.1:2376', DOCKER_TLS_VERIFY: '1' }
  const missing = await resolve(env)
  assert.match(missing.problem ?? '', /DOCKER_TLS_VERIFY is set, but there is no \/home\/user\/\.docker\/ca\.pem/)
  // Also where the engine is a socket.
  assert.notEqual((await resolve({ DOCKER_TLS_VERIFY: '0' })).problem, null)
  const files = { '/certs/ca.pem': 'CA', '/certs/cert.pem': 'CERT', '/certs/key.pem': 'KEY' }
  const found = await resolve({ ...env, DOCKER_CERT_PATH: '/certs' }, files)
  assert.equal(found.tls, true)
  assert.equal(found.tlsMaterial?.verify, true)
  assert.equal(found.tlsMaterial?.key?.toString(), 'KEY')
  assert.equal((await resolve({ DOCKER_TLS: '1', DOCKER_CERT_PATH: '/certs' }, files)).host, 'tcp://localhost:2376')
  const context = {
    [meta('far')]: '{"Name":"far","Endpoints":{"docker":{"Host":"tcp://10.0.0.1:2376","SkipTLSVerify":false}}}',
    [`/home/user/.docker/contexts/tls/${id('far')}/docker/ca.pem`]: 'CTX',
  }
  const far = await resolve({ DOCKER_CONTEXT: 'far' }, context)
  assert.equal(far.tls, true)
  assert.equal(far.tlsMaterial?.ca?.toString(), 'CTX')
})

test('other sockets that exist are named', async () => {
  const there = new Set(['/run/user/1000/docker.sock', '/home/user/.colima/default/docker.sock'])
  const found = await otherSockets({ env: {}, home: '/home/user', platform: 'linux', uid: 1000 }, (p) => Promise.resolve(there.has(p)))
  assert.deepEqual(found, ['unix:///run/user/1000/docker.sock', 'unix:///home/user/.colima/default/docker.sock'])
})
