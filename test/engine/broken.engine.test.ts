/** A real engine behind a socket that breaks in the middle of an answer: nobody knows, in time, and nothing hangs. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { smallHome } from '../helpers/small-home.ts'
import { validReport } from '../helpers/valid-report.ts'

/**
 * A process of its own between the doctor and the engine, so that it can be killed. It lets whole answers through
 * until one asks for `path`; of that answer it passes 40 bytes, and then: `hangs` for ever, `dies` by SIGKILL, or `none`.
 */
const proxy = `import net from 'node:net'
const [place, host, path, then] = process.argv.slice(1)
const target = host.startsWith('unix://') ? { path: host.slice(7) } : { host: new URL(host).hostname, port: Number(new URL(host).port) }
net.createServer((client) => {
  const engine = net.connect(target)
  let broken = false
  client.on('error', () => {})
  engine.on('error', () => client.destroy())
  client.on('close', () => engine.destroy())
  client.on('data', (data) => {
    if (then !== 'none' && data.toString('latin1').split('\\r\\n')[0].includes(path)) broken = true
    engine.write(data)
  })
  engine.on('data', (data) => {
    if (!broken) return client.write(data)
    client.write(data.subarray(0, 40), () => then === 'dies' && process.kill(process.pid, 'SIGKILL'))
    engine.pause()
  })
}).listen(place, () => process.stdout.write('up'))`

async function behindProxy(t: TestContext, path: string, then: 'hangs' | 'dies' | 'none'): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-proxy-'))
  const place = join(folder, 'e.sock')
  const engine = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
  const child = spawn(process.execPath, ['--input-type=module', '-e', proxy, place, engine, path, then], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  await once(child.stdout, 'data')
  return `unix://${place}`
}

/** The log says "connected", and nothing says that it ended. The name is one that no other container of this engine has. */
async function checked(t: TestContext, engine: string) {
  const name = `probe-${process.pid}-${Date.now()}`
  const home = smallHome(t, { capture: '0.60.0-healthy', engine })
  const rename = (text: string): string => text.replaceAll('"good"', JSON.stringify(name))
  const log = readFileSync(join(home.logs, 'server-good.log'), 'utf8')
  const end = log.indexOf('\n', log.indexOf('Successfully connected')) + 1
  writeFileSync(join(home.logs, `server-${name}.log`), rename(log.slice(0, end)))
  for (const file of [home.config, join(home.logs, 'main.log')]) writeFileSync(file, rename(readFileSync(file, 'utf8')))
  const started = Date.now()
  const result = await home.run(['check', name, '--json', '--timeout', '8'])
  return { ...result, report: validReport(result.stdout), ms: Date.now() - started }
}

test('without a break the engine answers through the proxy, and does not have the container', async (t) => {
  const { exitCode, report } = await checked(t, await behindProxy(t, '/', 'none'))
  assert.equal(report.engine.reachable, true)
  assert.ok(!report.servers[0]?.undetermined.some((u) => u.source === 'containers' || u.source === 'events'))
  assert.notEqual(report.verdict, 'healthy', 'it says connected, but no such container exists')
  assert.notEqual(exitCode, 0)
})

for (const then of ['hangs', 'dies'] as const) {
  for (const path of ['/version', '/containers/json', '/events']) {
    test(`it ${then} in the middle of the answer to ${path}: not healthy, in time`, async (t) => {
      const { exitCode, report, ms, stderr } = await checked(t, await behindProxy(t, path, then))
      assert.ok(ms < 14_000, `${ms} ms`)
      assert.equal(stderr, '')
      assert.equal(report.verdict, 'undetermined', JSON.stringify(report.servers[0]?.findings))
      assert.equal(exitCode, 3)
      const { reachable } = report.engine
      const open = report.servers[0]?.undetermined.some((u) => ['containers', 'events', 'engine'].includes(u.source))
      assert.ok(reachable === false || open, 'and it says what was not looked at')
    })
  }
}
