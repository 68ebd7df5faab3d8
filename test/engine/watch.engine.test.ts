/** watch on a real engine: a server's container dies, and what it leaves is in the capture. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import Docker from 'dockerode'
import { packageRoot } from '../helpers/package-root.ts'
import { smallHome, type SmallHome } from '../helpers/small-home.ts'

const docker = new Docker()
const engine = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
const secret = 'sk-live-4242424242424242424242424242'
const config = JSON.stringify({
  docker_isolation: { enabled: true },
  mcpServers: ['x', 'other'].map((name) => ({ name, command: 'npx', args: [name], enabled: true })),
})

/** The program, and a promise of the moment at which it listens. */
function watching(t: TestContext, home: SmallHome, args: readonly string[]) {
  const places = ['--config', home.config, '--data-dir', path.dirname(home.config), '--log-dir', home.logs]
  const nowhere = `unix://${path.join(home.folder, 'nowhere.sock')}`
  const child = spawn(process.execPath, [path.join(packageRoot(), 'bin/run.js'), 'watch', ...args, ...places, '--api', nowhere], {
    cwd: home.folder,
    env: { PATH: process.env['PATH'], HOME: home.folder, DOCKER_HOST: engine, NO_COLOR: '1' },
  })
  t.after(() => child.kill('SIGKILL'))
  const said = { stdout: '', stderr: '' }
  const listens = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text
      if (said.stderr.includes('Watching')) resolve()
    })
    child.on('close', () => reject(new Error(`It ended before it listened: ${said.stderr}`)))
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, ...said }))
  return { child, said, listens, ended }
}

async function start(t: TestContext, server: string, script: string, autoRemove = false) {
  const container = await docker.createContainer({
    Image: 'alpine:3.18',
    Cmd: ['sh', '-c', script],
    Env: [`API_TOKEN=${secret}`],
    Labels: { 'com.mcpproxy.server': server, 'com.mcpproxy.managed': 'true' },
    HostConfig: { NetworkMode: 'none', AutoRemove: autoRemove },
  })
  if (!autoRemove) t.after(() => container.remove({ force: true, v: true }))
  await container.start()
  return container
}

test('a server that dies with an error ends it; the capture has the events and the inspect, and check reads it', async (t) => {
  const home = smallHome(t, { engine, config })
  const { listens, ended } = watching(t, home, ['x', '-o', 'night', '--json'])
  await listens
  await start(t, 'other', 'exit 5')
  const { id } = await start(t, 'x', 'exit 3')
  const { exitCode, stdout, stderr } = await ended
  assert.equal(exitCode, 1, stderr)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const seen = lines.filter((l) => l['what'] !== 'ended')
  assert.deepEqual(
    seen.map((l) => [l['server'], l['id'], l['what'], l['exitCode'], l['failed']]),
    [
      ['x', id, 'created', null, false],
      ['x', id, 'started', null, false],
      ['x', id, 'died', 3, true],
    ],
  )
  const { because, failed, next } = lines.at(-1) ?? {}
  assert.deepEqual([because, failed, next], ['server-failed', ['x'], 'mcpproxy-doctor check x --from night'])

  const capture = path.join(home.folder, 'night')
  const events = (await fs.readFile(path.join(capture, 'docker/events.ndjson'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { Action: string; Actor: { ID: string } })
    .filter((e) => e.Actor.ID === id)
    .map((e) => e.Action)
  assert.deepEqual(events.slice(0, 3), ['create', 'start', 'die'])
  assert.equal(new Set(events).size, events.length, 'no event twice')
  const text = await fs.readFile(path.join(capture, 'docker/inspect-at-die.json'), 'utf8')
  const inspect = (JSON.parse(text) as { Id: string; State: { ExitCode: number }; Config: { Env: string[] } }[]).find((i) => i.Id === id)
  assert.equal(inspect?.State.ExitCode, 3)
  assert.match(inspect.Config.Env.join(' '), /API_TOKEN=/)
  assert.doesNotMatch(text, new RegExp(secret))

  const from = spawnSync(process.execPath, [path.join(packageRoot(), 'bin/run.js'), 'check', 'x', '--from', capture, '--json'], {
    encoding: 'utf8',
  })
  assert.ok(from.status === 1 || from.status === 3, from.stderr)
  assert.equal((JSON.parse(from.stdout) as { servers: { server: string }[] }).servers[0]?.server, 'x')
})

test('a server that is stopped has not failed; Ctrl-C ends the watch with 0 and a capture', async (t) => {
  const home = smallHome(t, { engine, config })
  const { child, said, listens, ended } = watching(t, home, ['-o', 'quiet.tgz'])
  await listens
  const container = await start(t, 'x', 'trap "exit 0" TERM; while :; do sleep 0.1; done')
  await container.stop({ t: 5 })
  for (let i = 0; i < 100 && !said.stdout.includes('died'); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  child.kill('SIGINT')
  const { exitCode, stdout, stderr } = await ended
  assert.equal(exitCode, 0, stderr)
  assert.match(stdout, /x {2}was sent signal 15/)
  assert.match(stdout, /x {2}died with code (?:0|143), as it was asked to/)
  assert.match(stdout, /no server failed/)
  assert.ok((await fs.stat(path.join(home.folder, 'quiet.tgz'))).size > 0)
})

test('a container that --rm takes: what it was started with is kept, and its end only as far as it was seen', async (t) => {
  const home = smallHome(t, { engine, config })
  const { listens, ended } = watching(t, home, ['x', '-o', 'gone'])
  await listens
  const { id } = await start(t, 'x', 'sleep 1; exit 6', true)
  const { exitCode, stderr } = await ended
  assert.equal(exitCode, 1, stderr)
  const text = await fs.readFile(path.join(home.folder, 'gone/docker/inspect-at-die.json'), 'utf8')
  const inspect = (JSON.parse(text) as { Id: string; Path?: string; State: { ExitCode: number } | null }[]).find((i) => i.Id === id)
  assert.equal(inspect?.Path, 'sh')
  assert.ok(inspect.State === null || inspect.State.ExitCode === 6)
})

test('an engine that is not there cannot be watched: 3, and nothing is written', async (t) => {
  const home = smallHome(t, { config })
  const { exitCode, stderr, stdout } = await home.run(['watch', '-o', 'none.tgz'])
  assert.equal(exitCode, 3)
  assert.match(stderr, /cannot be watched/)
  assert.equal(stdout, '')
  await assert.rejects(fs.stat(path.join(home.folder, 'none.tgz')))
})
