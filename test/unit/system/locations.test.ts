import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseProcess, locate, type LocationInput } from '../../../src/lib/system/locations.ts'
import {
  proxyEnvironment,
  proxyFlags,
  readProxyProcess,
  relevantEnvironment,
  resolvePrograms,
  type ProxyProcess,
} from '../../../src/lib/system/processes.ts'
import { observed, type Files } from '../../../src/lib/system/system.ts'

function filesWith(contents: Record<string, string>): Files {
  const unused = (): never => assert.fail('not asked here')
  const isFolder = (p: string): boolean => Object.keys(contents).some((file) => file.startsWith(`${p}/`))
  return {
    stat: (p) =>
      Promise.resolve(
        observed(
          p in contents || isFolder(p)
            ? { type: isFolder(p) ? 'directory' : 'file', mode: 0o755, uid: 1, gid: 1, size: 1, mtimeMs: null }
            : { type: 'missing' },
        ),
      ),
    read: (p) => Promise.resolve(observed(p in contents ? Buffer.from(contents[p] ?? '') : null)),
    open: unused,
    list: unused,
  }
}

const ours = (contents: Record<string, string>, more: Partial<LocationInput> = {}): ReturnType<typeof locate> =>
  locate({
    files: filesWith(contents),
    platform: 'linux',
    home: '/home/me',
    uid: 1000,
    cwd: '/srv/project',
    env: {},
    flags: {},
    process: null,
    ...more,
  })

const running = (args: string[], more: Partial<ProxyProcess> = {}): ProxyProcess => ({
  pid: 7,
  user: { uid: 1000, gid: 1000, groups: [] },
  home: '/home/me',
  env: { HOME: '/home/me' },
  argv: ['mcpproxy', ...args],
  cwd: '/srv',
  flags: proxyFlags(['mcpproxy', ...args]),
  ...more,
})

const standard = '/home/me/.mcpproxy/mcp_config.json'

test('nothing said: the usual places', async () => {
  const found = await ours({ [standard]: '{}' })
  assert.equal(found.config, standard)
  assert.equal(found.trackedConfig, null)
  assert.equal(found.dataDir, '/home/me/.mcpproxy')
  assert.deepEqual(found.logDirs, ['/home/me/.local/state/mcpproxy/logs'])
  assert.equal((await ours({ [standard]: '{}', '/srv/project/mcp_config.json': '{}' })).config, '/srv/project/mcp_config.json')
  const none = await ours({})
  assert.equal(none.config, null)
  assert.match(none.how.join(' '), /No configuration in/)
})

test('a second file in the home folder, which a daemon that starts there reads', async () => {
  const home = '/home/me/mcp_config.json'
  assert.deepEqual((await ours({ [standard]: '{}', [home]: '{}' })).otherConfigs, [home])
  assert.deepEqual((await ours({ [standard]: '{}' })).otherConfigs, [])
  // Where the process is, or which file it was given, is known: then there is no question.
  assert.deepEqual((await ours({ [standard]: '{}', [home]: '{}' }, { process: running(['serve']) })).otherConfigs, [])
  assert.deepEqual((await ours({ '/c.json': '{}', [home]: '{}' }, { flags: { config: '/c.json' } })).otherConfigs, [])
})

test('log folders per system', async () => {
  assert.deepEqual((await ours({}, { uid: 0 })).logDirs, ['/var/log/mcpproxy'])
  assert.deepEqual((await ours({}, { env: { XDG_STATE_HOME: '/s' } })).logDirs, ['/s/mcpproxy/logs'])
  assert.deepEqual((await ours({}, { platform: 'darwin' })).logDirs, ['/home/me/Library/Logs/mcpproxy'])
  assert.deepEqual((await ours({}, { platform: 'win32', home: 'C:\\Users\\me', cwd: 'C:\\w', env: { LOCALAPPDATA: 'C:\\L' } })).logDirs, [
    'C:\\L\\mcpproxy\\logs',
  ])
  const set = await ours({ [standard]: '{"Logging":{"log_dir":"~/logs"}, // comment\n}' }, { flags: { logDir: 'here' } })
  assert.deepEqual(set.logDirs, ['/srv/project/here'])
  const configured = await ours({ [standard]: '{"Logging":{"log_dir":"~/logs"}, // comment\n}' })
  assert.deepEqual(configured.logDirs, ['/home/me/logs', '/home/me/.local/state/mcpproxy/logs'])
})

test('--data-dir: read here, saved there', async () => {
  const found = await ours({ [standard]: '{}', '/d/mcp_config.json': '{}' }, { flags: { dataDir: '/d' } })
  assert.deepEqual([found.config, found.trackedConfig, found.dataDir, found.logDirs[0]], [standard, '/d/mcp_config.json', '/d', '/d/logs'])
  const explicit = await ours({ '/c.json': '{"data_dir":"/d"}', '/d/mcp_config.json': '{}' }, { flags: { config: '/c.json' } })
  assert.deepEqual([explicit.config, explicit.trackedConfig, explicit.dataDir], ['/c.json', null, '/d'])
})

test('a running process says where', async () => {
  const process = running(['serve', '-c', 'conf.json', '--data-dir=/var/d', '--log-dir', '/l'])
  const found = await ours({ '/srv/conf.json': '{}' }, { process })
  assert.deepEqual([found.config, found.dataDir, found.logDirs[0]], ['/srv/conf.json', '/var/d', '/l'])
  const byEnv = await ours(
    { '/e.json': '{}' },
    { process: running(['serve'], { env: { HOME: '/home/me', MCPP_CONFIG: '/e.json', MCPPROXY_DATA: '/dd' } }) },
  )
  assert.deepEqual([byEnv.config, byEnv.dataDir], ['/e.json', '/dd'])
  // Of another user, unreadable: its home, not ours.
  const other = await ours(
    { '/home/svc/.mcpproxy/mcp_config.json': '{}' },
    {
      process: running(['serve'], { user: { uid: 5, gid: 5, groups: [] }, home: '/home/svc', env: null, cwd: null }),
      env: { MCPPROXY_DATA: '/mine' },
    },
  )
  assert.deepEqual([other.config, other.dataDir], ['/home/svc/.mcpproxy/mcp_config.json', '/home/svc/.mcpproxy'])
})

test('of several processes the one that the flags mean', () => {
  const input = { cwd: '/srv/project', platform: 'linux', uid: 1000 }
  const [a, b] = [running(['serve']), running(['serve', '--config', '/x/c.json', '-d/x/d'], { pid: 8 })]
  assert.equal(chooseProcess([a, b], { ...input, flags: {} })?.pid, 7)
  assert.equal(chooseProcess([a, b], { ...input, flags: { config: '/x/c.json' } })?.pid, 8)
  assert.equal(chooseProcess([a, b], { ...input, flags: { dataDir: '/x/d' } })?.pid, 8)
  assert.equal(chooseProcess([a, b], { ...input, flags: { config: '/other.json' } }), null)
})

test('flags in every form of cobra', () => {
  assert.deepEqual(
    proxyFlags(['mcpproxy', 'serve', '-c=/a', '--data-dir', '/b', '-l:9', '--log-level', 'debug', '--tray-endpoint=unix:///t']),
    {
      config: '/a',
      dataDir: '/b',
      logDir: null,
      listen: ':9',
      trayEndpoint: 'unix:///t',
    },
  )
})

const proc = (argv: string[], status = 'Uid:\t5\t5\t5\t5\nGid:\t6\t6\t6\t6\nGroups:\t6 999 \nNSpid:\t7\n'): Files =>
  filesWith({
    '/p/7/cmdline': `${argv.join('\0')}\0`,
    '/p/7/status': status,
    '/p/7/environ': 'HOME=/home/svc\0DOCKER_HOST=unix:///x\0SECRET=1\0https_proxy=http://p\0',
    '/etc/group': 'root:x:0:\ndocker:x:999:svc\n',
    '/etc/passwd': 'svc:x:5:6::/home/svc:/bin/sh\n',
  })

test('a process is read as it is', async () => {
  const found = await readProxyProcess(proc(['/usr/bin/mcpproxy', 'serve', '--listen', ':1']), 7, '/p')
  assert.deepEqual(found?.user, { uid: 5, gid: 6, groups: ['6', 'docker'] })
  assert.deepEqual(found?.env, { HOME: '/home/svc', DOCKER_HOST: 'unix:///x', https_proxy: 'http://p' })
  assert.equal(found?.home, '/home/svc')
  assert.equal(found?.flags.listen, ':1')
})

test('what is not the daemon, or in a container', async () => {
  for (const argv of [
    ['mcpproxy', 'upstream', 'list'],
    ['mcpproxy', '-c', '/x', 'call'],
    ['mcpproxy-tray'],
    ['mcpproxy-doctor', 'serve'],
    ['vim', 'mcpproxy'],
  ]) {
    assert.equal(await readProxyProcess(proc(argv), 7, '/p'), null, argv.join(' '))
  }
  assert.equal(await readProxyProcess(proc(['mcpproxy'], 'Uid:\t5\t5\nGid:\t6\t6\nGroups:\t\nNSpid:\t7\t1\n'), 7, '/p'), null)
  assert.notEqual(await readProxyProcess(proc(['mcpproxy-0.60.0', '--config', 'x']), 7, '/p'), null)
})

test('programs on the PATH, and what of an environment is kept', async () => {
  const files = filesWith({ '/b/docker': '', '/a/node': '', '/b/node': '' })
  assert.deepEqual(await resolvePrograms(files, { PATH: 'x:/a:/b' }, 'linux', ['docker', 'node', 'uvx']), {
    docker: '/b/docker',
    node: '/a/node',
    uvx: null,
  })
  assert.deepEqual(relevantEnvironment({ PATH: '/a', TOKEN: 'x', MCPPROXY_API_KEY: 'k', X: undefined }), {
    PATH: '/a',
    MCPPROXY_API_KEY: 'k',
  })
  const packages = { npm_config_registry: 'http://r.test', SSL_CERT_FILE: '/c.pem' }
  assert.deepEqual(relevantEnvironment({ ...packages, 'npm_config_//r.test/:_authToken': 'x', UV_PUBLISH_TOKEN: 'x' }), packages)
})

test("the docker client's proxies: names only; a file that is not JSON names none", async () => {
  const proxies = async (content: Record<string, string>): Promise<string[] | undefined> =>
    (await proxyEnvironment(filesWith(content), null, { env: { HOME: '/home/me' }, platform: 'linux', uid: null })).clientProxies
  const config = { auths: {}, proxies: { default: { httpsProxy: 'http://me:secret@proxy.test:3128', noProxy: '' } } }
  assert.deepEqual(await proxies({ '/home/me/.docker/config.json': JSON.stringify(config) }), ['HTTPS_PROXY'])
  assert.deepEqual(await proxies({ '/home/me/.docker/config.json': 'broken' }), [])
  assert.deepEqual(await proxies({}), [])
})
