/** The shipped file says what the compiled modules say, without its cache, with an empty one and with one that was written before. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { packageRoot } from '../helpers/package-root.ts'
import { runCli, type CliOptions } from '../helpers/run-cli.ts'

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-shipped-'))
after(() => fs.rmSync(home, { recursive: true, force: true }))

const cache = { XDG_CACHE_HOME: home, LOCALAPPDATA: home }

async function same(args: string[], options: CliOptions = {}, ways = [{ MCPPROXY_DOCTOR_NO_CACHE: '1' }, cache, cache]): Promise<void> {
  const modules = await runCli(args, { ...options, program: 'bin/modules.js' })
  assert.notEqual(`${modules.stdout}${modules.stderr}`, '')
  for (const env of ways) {
    const shipped = await runCli(args, { ...options, program: 'bin/run.js', env: { ...options.env, ...env } })
    assert.deepEqual(shipped, modules, args.join(' '))
  }
}

test('version, help and wrong usage', async () => {
  for (const args of [
    ['--version'],
    ['-v'],
    ['--help'],
    [],
    ['help', 'check'],
    ['fix', '--help'],
    ['chek'],
    ['check', '--nonsense'],
    ['check', '--nonsense', '--json'],
    ['args'],
  ])
    await same(args)
})

test('a command without its own start says what oclif makes of it', async () => {
  for (const args of [
    ['args', 'a', 'b'],
    ['help', 'chek'],
    ['check', '-h'],
    ['check', '--version'],
    ['--json', 'check'],
    ['check:all'],
    ['check', 'check', '--from', 'demo'],
    ['check', 'args', '--json', '--from', 'demo'],
    ['check', '--from'],
    ['check', '--timeout', 'soon'],
    ['check', '--timeout=0'],
    ['check', '--format', 'nonsense', '--json'],
    ['check', '--no-json'],
    ['check', 'everything', '--all', '--from', 'demo'],
    ['check', '--from', 'demo', '--', '--help'],
    ['check', '--all=1'],
    ['lint', '--', '--nonsense'],
    ['toString'],
  ])
    await same(args, {}, [cache])
})

test('the help of every command, in colour and without', async () => {
  const manifest = JSON.parse(fs.readFileSync(path.join(packageRoot(), 'oclif.manifest.json'), 'utf8')) as { commands: object }
  for (const id of Object.keys(manifest.commands)) await same([id, '--help'], { env: id.length % 2 === 0 ? { FORCE_COLOR: '1' } : {} })
  await same(['--help'], { env: { FORCE_COLOR: '1' } })
})

test('findings of recordings', async () => {
  for (const name of ['healthy', 'missing-env', 'engine-down', 'edited-not-restarted'])
    await same(['check', '--all', '--json', '--from', `test/captures/0.60.0-${name}`])
})

test('results and exit codes, as text and as JSON', async () => {
  for (const args of [
    ['demo'],
    ['check', '--from', 'demo'],
    ['check', '--from', 'demo', '--json'],
    ['isolation', 'everything', '--from', 'demo'],
    ['container', 'everything', '--from', 'demo', '--json'],
    ['logs', 'everything', '--from', 'demo'],
    ['args', 'everything', '--from', 'demo', '--shell'],
    ['check', '--from', 'nowhere'],
    ['explain', '--list'],
  ])
    await same(args)
  await same(['explain'], { stdin: 'exec: "uvx": executable file not found in $PATH' })
})

test('an ssh:// engine is reached through the ssh program', { skip: process.platform === 'win32' }, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-shipped-'))
  const asked: string[] = []
  const engine = http.createServer(({ url }, response) => {
    asked.push(url ?? '')
    response.setHeader('Content-Type', 'application/json')
    response.end(
      /containers\/json|images\/json/.test(url ?? '') ? '[]' : url?.includes('/events') ? '' : '{"Version":"20.10.24","ApiVersion":"1.41"}',
    )
  })
  const socket = path.join(folder, 'engine.sock')
  await new Promise<void>((done) => engine.listen(socket, done))
  t.after(async () => {
    engine.closeAllConnections()
    engine.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  // Stands for `ssh … docker system dial-stdio`: joins its pipes to the socket.
  const join = `const s = require('net').connect(${JSON.stringify(socket)}); process.stdin.pipe(s); s.pipe(process.stdout)`
  fs.writeFileSync(path.join(folder, 'ssh'), `#!${process.execPath}\n${join}`, { mode: 0o755 })
  const args = ['container', 'x', '--docker-host', 'ssh://me@far', '--config', '/dev/null']
  const there = await runCli(args, { env: { PATH: folder }, program: 'bin/run.js' })
  assert.ok(
    asked.some((url) => url.includes('/containers/json')),
    there.stdout + there.stderr,
  )
  assert.doesNotMatch(there.stdout + there.stderr, /itself failed/)
  const gone = await runCli(args, { env: { PATH: '/nonexistent' }, program: 'bin/run.js' })
  assert.match(gone.stdout, /there is no ssh program here/)
})
