/** What of a configuration decides nothing for a server, release by release. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { globalConfig, parseConfig, serverEntries } from '../../../src/lib/formats/mcp-config.ts'
import { lostFlags, lostSettings, type LostSetting } from '../../../src/lib/mcpproxy/effective.ts'
import { decideIsolation, isolatedRun } from '../../../src/lib/mcpproxy/isolation.ts'
import { newestKnown, parseVersion } from '../../../src/lib/mcpproxy/versions.ts'

const read = (isolation: object, entry: object): { document: ReturnType<typeof parseConfig> } => ({
  document: parseConfig(
    '/c.json',
    Buffer.from(JSON.stringify({ docker_isolation: isolation, mcpServers: [{ name: 'web', enabled: true, ...entry }] })),
  ),
})
function lost(isolation: object, entry: object, version = 'v0.60.0'): LostSetting[] {
  const { document } = read(isolation, entry)
  const [server] = serverEntries(document)
  const release = parseVersion(version) ?? newestKnown
  if (!server) throw new Error('no server')
  const global = globalConfig(document)
  return lostSettings(document, server, global, decideIsolation(server, global, release), release)
}
const told = (...args: Parameters<typeof lost>): string[] =>
  lost(...args).map((l) => `${l.name} ${l.how === 'overridden' ? `by ${l.by?.name ?? ''}` : 'nothing'}`)
const npx = { command: 'npx', args: ['-y', 'x'] }

test('what counts is not listed', () => {
  assert.deepEqual(
    told({ enabled: true, memory_limit: '1g', network_mode: 'none' }, { ...npx, isolation: { working_dir: '/x', extra_args: ['--init'] } }),
    [],
  )
})

test('keys that no release reads, with what to use', () => {
  const all = lost({ enabled: true, timeout: '60s' }, { ...npx, isolation: { memory_limit: '2g', volumes: ['/a:/a'], nonsense: 1 } })
  assert.deepEqual(
    all.map((l) => [l.name, l.path.join('.')]),
    [
      ['docker_isolation.timeout', 'docker_isolation.timeout'],
      ['isolation.memory_limit', 'mcpServers.0.isolation.memory_limit'],
      ['isolation.volumes', 'mcpServers.0.isolation.volumes'],
      ['isolation.nonsense', 'mcpServers.0.isolation.nonsense'],
    ],
  )
  assert.match(all[0]?.why ?? '', /init_timeout/)
  assert.match(all[1]?.why ?? '', /"--memory"/)
})

test('a setting of the server replaces the global one, and names it', () => {
  assert.deepEqual(
    told(
      { enabled: true, network_mode: 'host', log_driver: 'journald', registry: 'mirror.test', default_images: { npx: 'node:20' } },
      { ...npx, isolation: { network_mode: 'none', log_driver: 'local', image: 'acme/node:1' } },
    ),
    [
      'docker_isolation.network_mode by isolation.network_mode',
      'docker_isolation.log_driver by isolation.log_driver',
      'docker_isolation.default_images.npx by isolation.image',
      'docker_isolation.registry nothing',
    ],
  )
})

test('the switches, by release', () => {
  assert.deepEqual(told({ enabled: false, mode: 'docker' }, npx), ['docker_isolation.enabled by docker_isolation.mode'])
  assert.deepEqual(told({ enabled: true, mode: 'none' }, npx, 'v0.45.0'), ['docker_isolation.mode nothing'])
  assert.deepEqual(told({ enabled: true }, { ...npx, isolation: { mode: 'none' } }), ['isolation.mode nothing'])
  const off = lost({ enabled: false }, { ...npx, isolation: { enabled: true, image: 'node:20' } })
  assert.deepEqual(
    off.map((l) => [l.name, l.by?.name ?? null]),
    [
      ['isolation.enabled', 'docker_isolation.enabled'],
      ['isolation.image', null],
    ],
  )
})

test('a docker command of its own is never wrapped', () => {
  assert.deepEqual(told({ enabled: true }, { command: 'docker', args: ['run', 'x'], isolation: { enabled: true, image: 'y' } }), [
    'isolation.enabled nothing',
    'isolation.image nothing',
  ])
  const own = { command: 'docker', args: ['run', 'x'], isolation: { memory_limit: '1g' } }
  const [ignored, ...global] = lost({ enabled: true, memory_limit: '1g', extra_args: ['--init'] }, own)
  assert.equal(ignored?.why, 'No release reads this key.')
  assert.deepEqual(
    global.map((l) => l.name),
    ['docker_isolation.memory_limit', 'docker_isolation.extra_args'],
  )
})

test('what never counts is lost in old releases too', () => {
  for (const version of ['v0.13.1', 'v0.23.2', 'v0.45.0', 'v0.60.0']) {
    const entry = { ...npx, isolation: { enabled: true, memory_limit: '1g', volumes: ['/a:/a'], mode: 'sandbox' } }
    assert.deepEqual(
      told({ enabled: true, timeout: '45s' }, entry, version),
      ['isolation.mode', 'docker_isolation.timeout', 'isolation.memory_limit', 'isolation.volumes'].map((name) => `${name} nothing`),
    )
    assert.deepEqual(told({ enabled: false }, { ...npx, isolation: { enabled: true } }, version), ['isolation.enabled nothing'])
  }
})

test('cache volumes and log settings before they existed', () => {
  assert.deepEqual(told({ enabled: true, enable_cache_volume: true, log_driver: 'local' }, npx, 'v0.8.0'), [
    'docker_isolation.enable_cache_volume nothing',
    'docker_isolation.log_driver nothing',
  ])
})

test('of a flag that stands twice the last one counts; lists add up', () => {
  const { document } = read(
    { enabled: true, extra_args: ['--cpus', '2'] },
    {
      ...npx,
      env: { A: '1' },
      isolation: { extra_args: ['--memory', '2g', '-v', '/a:/a', '-v', '/b:/b', '-e', 'A=2', '--log-opt', 'mode=x'] },
    },
  )
  const [server] = serverEntries(document)
  if (!server) throw new Error('no server')
  const { tokens } = isolatedRun(server, globalConfig(document), newestKnown)
  const words = (i: number): string => tokens[i]?.tokens.join(' ') ?? ''
  assert.deepEqual(
    lostFlags(tokens).map(({ token, by }) => [words(token), words(by)]),
    [
      ['--memory 512m', '2g'],
      ['--cpus 1.0', '2'],
      ['-e A=1', 'A=2'],
    ],
  )
})

test('a protocol that is named goes before the command: nothing is started, so nothing of docker is told', () => {
  for (const [protocol, runs] of [
    ['sse', 'remote'],
    ['http', 'remote'],
    ['streamable-http', 'remote'],
    ['auto', 'own-docker'],
    ['stdio', 'own-docker'],
  ]) {
    const { document } = read({ enabled: true }, { protocol, url: 'http://x.test', command: 'docker', args: ['run', '-it', 'mcp/x'] })
    const [server] = serverEntries(document)
    assert.ok(server)
    assert.equal(decideIsolation(server, globalConfig(document), newestKnown).runs, runs, protocol)
  }
})
