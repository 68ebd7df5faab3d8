/** bundle as a process: what is written where, and that elsewhere the same is found. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { runCli } from '../helpers/run-cli.ts'
import { smallHome } from '../helpers/small-home.ts'
import { captureErrors } from '../helpers/valid-capture.ts'

const key = `ghp_${'Zk3Xq9Lw7Rt2Vb8Nc5Md4Hs6Jf1Gp0Qy'}1234`
const config = (command = 'npx'): string =>
  JSON.stringify({
    api_key: 'canary-api-key-7431',
    docker_isolation: { enabled: true },
    mcpServers: [{ name: 'web', command, args: ['-y', 'web-mcp'], env: { SOME_SETTING: key }, enabled: true }],
  })

/** Codes and ranks of a report. */
const essence = (stdout: string): unknown =>
  (JSON.parse(stdout) as { servers: { server: string; verdict: string; findings: { code: string; rank: string }[] }[] }).servers.map(
    (s) => [s.server, s.verdict, s.findings.map((f) => [f.code, f.rank])],
  )

test('a live machine: the bundle leads to what the machine leads to, and holds no secret', async (t) => {
  const home = smallHome(t, { config: config() })
  const line = (message: string, fields: object): string =>
    `2026-11-23T16:10:02.000Z | INFO | core/x.go:1 | ${message} | ${JSON.stringify(fields)}\n`
  writeFileSync(
    join(home.logs, 'main.log'),
    line('Starting mcpproxy', { version: 'v0.60.0' }) +
      line('Docker isolation setup completed', {
        server: 'web',
        container_name: 'mcpproxy-web-a1b2',
        docker_run_args: ['run', '--rm', '-i', '-e', `SOME_SETTING=${key}`, 'node:22'],
      }),
  )
  const live = await home.run(['check', 'web', '--no-replay', '--json'])
  const written = await home.run(['bundle', 'web', '-o', 'out.tgz'])
  assert.equal(written.exitCode, 0, written.stderr)
  assert.match(written.stdout, /Taken out[^]*value[^]*main\.log[^]*Written: out\.tgz\nNext: mcpproxy-doctor check --from out\.tgz\n$/)
  const file = join(home.folder, 'out.tgz')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const content = gunzipSync(readFileSync(file)).toString('latin1')
  for (const secret of [key, key.slice(0, 20), 'canary-api-key-7431', Buffer.from(key).toString('base64').slice(0, 30)])
    assert.ok(!content.includes(secret) && !written.stdout.includes(secret), secret)
  const offline = await runCli(['check', 'web', '--json', '--from', file])
  assert.equal(offline.exitCode, live.exitCode)
  assert.deepEqual(essence(offline.stdout), essence(live.stdout))
})

test('a folder holds the same, after the schema', async (t) => {
  const home = smallHome(t, { config: config() })
  const { exitCode, stdout } = await home.run(['bundle', '--all', '--json', '-o', 'out/'])
  assert.equal(exitCode, 0)
  const { written, files } = JSON.parse(stdout) as { written: string; files: { name: string; bytes: number }[] }
  assert.equal(written, 'out')
  for (const { name, bytes } of files) assert.equal(readFileSync(join(home.folder, 'out', name)).length, bytes, name)
  for (const { name } of files) assert.equal(captureErrors({ name, bytes: readFileSync(join(home.folder, 'out', name)) }), null)
  const [live, offline] = [await home.run(['check', '--no-replay']), await runCli(['check', '--from', join(home.folder, 'out')])]
  assert.equal(offline.exitCode, live.exitCode)
})

test('nothing is overwritten, and nothing half-written stays', async (t) => {
  const home = smallHome(t, { config: config() })
  writeFileSync(join(home.folder, 'there.tgz'), 'mine')
  for (const target of ['there.tgz', 'nowhere/out.tgz', 'there.tgz/out', 'nowhere/out']) {
    const { exitCode, stderr } = await home.run(['bundle', 'web', '-o', target])
    assert.equal(exitCode, 2, target)
    assert.match(stderr, /exists already|cannot be written/)
  }
  assert.equal(readFileSync(join(home.folder, 'there.tgz'), 'utf8'), 'mine')
  assert.deepEqual(
    readdirSync(home.folder).filter((n) => /part|out/.test(n)),
    [],
  )
})

test('a folder that cannot be written to', { skip: process.getuid?.() === 0 }, async (t) => {
  const home = smallHome(t, { config: config() })
  mkdirSync(join(home.folder, 'locked'))
  chmodSync(join(home.folder, 'locked'), 0o500)
  assert.equal((await home.run(['bundle', 'web', '-o', 'locked/out.tgz'])).exitCode, 2)
})

test('a name that is a path, an option or a command becomes none of them', async (t) => {
  const names = ['../../etc/x', '--help', '$(touch pwned)', 'a b;c', '-o', '\u001b]0;title\u0007x', '..', 'CON']
  const home = smallHome(t, {
    config: JSON.stringify({
      docker_isolation: { enabled: true },
      mcpServers: names.map((name) => ({ name, command: 'npx', args: ['x'], enabled: true })),
    }),
  })
  for (const name of names) {
    const before = new Set(readdirSync(home.folder))
    const places = ['--config', home.config, '--log-dir', home.logs, '--data-dir', join(home.folder, '.mcpproxy')]
    const { exitCode, stdout } = await runCli(['bundle', '--json', ...places, '--', name], {
      cwd: home.folder,
      env: { HOME: home.folder, DOCKER_HOST: `unix://${home.folder}/nowhere.sock` },
    })
    assert.equal(exitCode, 0, name)
    const { written, servers } = JSON.parse(stdout) as { written: string; servers: string[] }
    assert.deepEqual(servers, [name])
    assert.match(written, /^mcpproxy-doctor-[\w.-]+\.tgz$/)
    assert.deepEqual(
      readdirSync(home.folder).filter((n) => !before.has(n) && n !== written),
      [],
    )
  }
})
