/** On a real engine no planted secret is printed: containers that run, that have died, and replays that say what they were given. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import Docker from 'dockerode'
import { findSecrets } from '../helpers/planted-folder.ts'
import { canaries, canaryAt } from '../helpers/planted-capture.ts'
import { smallHome } from '../helpers/small-home.ts'

const engine = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
const docker = new Docker()
const run = randomBytes(4).toString('hex')
const planted = (place: string) =>
  canaries.map((c, i) => ({ ...c, place, value: canaryAt(i, `${run} ${place}`), name: `K${i}_${c.variable ?? 'TOKEN'}` }))
const [inEnv, inArgs, inContainer] = [planted('env'), planted('extra_args'), planted('container')]
const secretsIn = findSecrets([...inEnv, ...inArgs, ...inContainer])

/** Says all it was given, as a server that fails does. */
const says = 'for (const [k, v] of Object.entries(process.env)) console.error(k + "=" + JSON.stringify(v), "refused:", v); process.exit(3)'
const config = JSON.stringify(
  {
    docker_isolation: { enabled: true, network_mode: 'none' },
    mcpServers: [
      {
        ...{ name: 'says', command: 'node', args: ['-e', says], enabled: true },
        env: Object.fromEntries(inEnv.map(({ name, value }) => [name, value])),
        isolation: { enabled: true, image: 'node:20', extra_args: inArgs.flatMap(({ name, value }) => ['-e', `A${name}=${value}`]) },
      },
    ],
  },
  null,
  2,
)

let container: Docker.Container
before(async () => {
  container = await docker.createContainer({
    Image: 'node:20',
    name: `mcpproxy-says-${run.slice(0, 4)}`,
    Cmd: ['sleep', '300'],
    Env: inContainer.map(({ name, value }) => `${name}=${value}`),
    Labels: {
      'com.mcpproxy.managed': 'true',
      'com.mcpproxy.server': 'says',
      'example.test': run,
      'example.token': inContainer[0]?.value ?? '',
    },
    HostConfig: { NetworkMode: 'none' },
  })
  await container.start()
})
after(() => container.remove({ force: true }))

test('no command prints one, and no bundle holds one', async (t) => {
  const home = smallHome(t, { engine, config })
  const leaks: string[] = []
  const debug = { DEBUG: '*' }
  for (const args of [
    ['check', 'says', '--verbose', '--replay-time', '40'],
    ['check', 'says', '--no-replay', '--json'],
    ['container', 'says', '--json', '--verbose'],
    ['args', 'says', '--diff'],
    ['args', 'says', '--shell'],
    ['replay', 'says', '--verbose', '--replay-time', '20'],
    ['replay', '--all', '--json', '--handshake', '15'],
    ['fix', 'says', '--json'],
    ['bundle', 'says', '--yes', '-o', 'out.tgz'],
  ]) {
    const { stdout, stderr, exitCode } = await home.run(args, debug)
    assert.ok(exitCode !== null && [0, 1, 3].includes(exitCode), `${args.join(' ')}: ${exitCode} ${stderr.slice(-800)}`)
    if (args[0] === 'replay') assert.match(stdout, /refused|exit|fail/i)
    for (const hit of secretsIn(stdout + stderr)) leaks.push(`${args.join(' ')}: ${hit}`)
  }
  for (const hit of secretsIn(gunzipSync(readFileSync(join(home.folder, 'out.tgz'))).toString('utf8'))) leaks.push(`out.tgz: ${hit}`)
  assert.deepEqual(leaks, [])
})
