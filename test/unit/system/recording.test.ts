/** What a recording keeps: as much as was asked, no less, and nothing that was not there turns into "there is none". */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectServerLog } from '../../../src/lib/evidence/collect-logs.ts'
import { memoryFiles, type CaptureFile } from '../../../src/lib/system/capture-files.ts'
import { captureName, machinePath } from '../../../src/lib/system/capture-names.ts'
import { openRecorded } from '../../../src/lib/system/recorded.ts'
import { captureFiles, recordSystem } from '../../../src/lib/system/recording.ts'
import { notObserved, type System } from '../../../src/lib/system/system.ts'
import { record } from '../../../src/lib/workflow/bundle.ts'
import { check } from '../../../src/lib/workflow/check.ts'

const home = '/home/user'
const logs = `${home}/.local/state/mcpproxy/logs`
const at = (second: number): string => new Date(Date.UTC(2026, 10, 23, 10, 0, 0) + second * 1000).toISOString()
const line = (second: number, message: string, fields: object): string =>
  `${at(second)} | INFO | core/x.go:1 | ${message} | ${JSON.stringify(fields)}`

/** A machine with these files and an engine that does not answer. */
async function machine(files: Record<string, string>): Promise<System> {
  const held: CaptureFile[] = [
    {
      name: 'capture.json',
      bytes: Buffer.from(
        JSON.stringify({
          format: 'mcpproxy-doctor-capture/1',
          recordedAt: at(90_000),
          platform: 'linux',
          home,
          config: 'home/.mcpproxy/mcp_config.json',
          logs: 'home/.local/state/mcpproxy/logs',
          mcpproxy: { version: 'v0.60.0', running: false },
        }),
      ),
    },
    ...Object.entries(files).map(([path, text]) => ({ name: captureName(path, home, '\0') ?? '', bytes: Buffer.from(text) })),
  ]
  const system = await openRecorded('machine', memoryFiles(held))
  const down = {
    ...notObserved('denied', 'permission denied'),
    error: { kind: 'denied' as const, message: 'permission denied', why: 'denied' },
  }
  const no = () => Promise.resolve(down)
  return { ...system, engine: { ...system.engine, version: no, info: no, containers: no, images: no, networks: no, events: no, image: no } }
}
const config = JSON.stringify({
  docker_isolation: { enabled: true },
  mcpServers: ['web', 'other'].map((name) => ({ name, command: 'npx', args: ['x'], enabled: true })),
})
const setup = line(2, 'Docker isolation setup completed', {
  server: 'web',
  container_name: 'mcpproxy-web-a1b2',
  docker_run_args: ['run', '-i', 'node:22'],
})
const noise = Array.from({ length: 30_000 }, (_, i) => line(10 + i, 'Tool call', { server: 'other', text: 'x'.repeat(100) }))
const mainLog = `${[line(1, 'Starting mcpproxy', { version: 'v0.60.0' }), '', setup, ...noise, line(50_000, 'Failed', { server: 'web' })].join('\n')}\n`
const files = { [`${home}/.mcpproxy/mcp_config.json`]: config, [`${logs}/main.log`]: mainLog, [`${logs}/server-other.log`]: 'x\n' }
const options = { servers: ['web'], all: false, timeoutMs: 60_000 }

test('of a long log the lines that matter are kept, with their numbers', async () => {
  assert.ok(mainLog.length > 5_000_000)
  const { content } = await record(await machine(files), options)
  const kept = content.logs.find((l) => l.path.endsWith('main.log'))
  assert.ok(kept && kept.text.length < 1.2 * 1024 * 1024, String(kept?.text.length))
  assert.equal(kept.cut, false)
  const opened = await (await openRecorded('b', memoryFiles(captureFiles(content)))).files.open(`${logs}/main.log`)
  assert.ok(opened.ok && opened.value)
  const numbers = kept.text.split('\n').map((_, i) => opened.value?.originalLine?.(i + 1))
  assert.deepEqual(numbers.slice(0, 2), [1, 3])
  assert.equal(numbers.at(-2), 30_004)
  const again = await record(await openRecorded('b', memoryFiles(captureFiles(content))), options)
  assert.deepEqual(again.content.logs.find((l) => l.path.endsWith('main.log'))?.runs, kept.runs, 'a bundle of a bundle')
})

test('of a log that is longer than what is kept the beginning is missing, and that is known', async () => {
  const long = `${[line(1, 'Starting connection attempt', { server: 'web' }), ...Array.from({ length: 15_000 }, (_, i) => line(5 + i, 'stderr', { server: 'web', message: 'y'.repeat(700) }))].join('\n')}\n`
  const { content } = await record(await machine({ ...files, [`${logs}/server-web.log`]: long }), options)
  assert.equal(content.logs.find((l) => l.path.endsWith('server-web.log'))?.cut, true)
  const bundle = await openRecorded('b', memoryFiles(captureFiles(content)))
  const log = await collectServerLog(bundle, [logs], 'web', Date.now() + 10_000)
  assert.ok(log.ok)
  assert.equal(log.value.complete, false)
})

test('why an engine did not answer is kept', async () => {
  const live = await check(await machine(files), options)
  const { content } = await record(await machine(files), options)
  const bundle = await openRecorded('b', memoryFiles(captureFiles(content)))
  assert.deepEqual(await bundle.engine.version(), { ok: false, error: { kind: 'denied', message: 'permission denied', why: 'denied' } })
  assert.deepEqual(await bundle.engine.events(), { ok: false, error: { kind: 'denied', message: 'permission denied', why: 'denied' } })
  assert.deepEqual(
    (await check(bundle, options)).servers.map((s) => [s.verdict, s.findings.map((f) => f.code)]),
    live.servers.map((s) => [s.verdict, s.findings.map((f) => f.code)]),
  )
})

test('what was not recorded is not taken for absent', async () => {
  const { content } = await record(await machine(files), options)
  const bundle = await openRecorded('b', memoryFiles(captureFiles(content)))
  const log = await bundle.files.open(`${logs}/server-other.log`)
  assert.ok(!log.ok && log.error.kind === 'not-recorded')
  assert.deepEqual(await bundle.files.open(`${logs}/server-web.log`), { ok: true, value: null })
  await assert.rejects(check(bundle, { ...options, servers: ['other'] }), /holds nothing about "other"/)
  assert.deepEqual(
    (await check(bundle, { ...options, servers: [], all: true })).servers.map((s) => s.server),
    ['web'],
  )
})

test('each question is asked once, and a source that never answers is one that timed out', async () => {
  const system = await machine(files)
  let asked = 0
  const recording = recordSystem({ ...system, engine: { ...system.engine, info: () => (asked++, new Promise(() => undefined)) } })
  void recording.system.engine.info()
  void recording.system.engine.info()
  assert.equal(asked, 1)
  const content = await recording.finish({ servers: [], needles: () => null, deadline: Date.now() + 1000 })
  const bundle = await openRecorded('b', memoryFiles(captureFiles(content)))
  const info = await bundle.engine.info()
  assert.ok(!info.ok && info.error.kind === 'timed-out')
})

test('places of the machine and their names in a capture', () => {
  for (const [path, name] of [
    ['/home/user/.mcpproxy/x', 'home/.mcpproxy/x'],
    ['/etc/mcpproxy/x', 'root/etc/mcpproxy/x'],
    ['/home/username/x', 'root/home/username/x'],
  ] as const) {
    assert.equal(captureName(path, home, '\0'), name)
    assert.equal(machinePath(name, home, false, '/c'), path)
  }
  assert.equal(captureName('C:\\Users\\me\\x', 'C:\\Users\\me', '\0'), 'home/x')
  assert.equal(captureName('D:\\data\\x', 'C:\\Users\\me', '\0'), 'root/D/data/x')
  assert.equal(machinePath('root/D/data/x', 'C:\\Users\\me', true, 'C:\\c'), 'D:/data/x')
  for (const path of ['/home/user/../../etc/passwd', '/../../x', '../x']) assert.doesNotMatch(captureName(path, home, '/c') ?? '', /\.\./)
})
