/** The shipped file says what the compiled modules say. */
import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { runCli, type CliOptions } from '../helpers/run-cli.ts'

async function same(args: string[], options: CliOptions = {}): Promise<void> {
  const [file, modules] = await Promise.all(['bin/run.js', 'bin/modules.js'].map((program) => runCli(args, { ...options, program })))
  assert.deepEqual(file, modules, args.join(' '))
  assert.notEqual(`${modules?.stdout}${modules?.stderr}`, '')
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
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-shipped-'))
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
    await fs.rm(folder, { recursive: true, force: true })
  })
  // Stands for `ssh … docker system dial-stdio`: joins its pipes to the socket.
  const join = `const s = require('net').connect(${JSON.stringify(socket)}); process.stdin.pipe(s); s.pipe(process.stdout)`
  await fs.writeFile(path.join(folder, 'ssh'), `#!${process.execPath}\n${join}`, { mode: 0o755 })
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
