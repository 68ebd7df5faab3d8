/** `check --all` on many servers: one look at each thing, and what they share told once. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { renderJson } from '../../../src/lib/report/json.ts'
import type { Report } from '../../../src/lib/report/report.ts'
import { renderResults } from '../../../src/lib/report/formats.ts'
import { checkResults } from '../../../src/lib/report/results.ts'
import { renderReport } from '../../../src/lib/report/text.ts'
import { plainTheme } from '../../../src/lib/report/theme.ts'
import { openCapture } from '../../../src/lib/system/recorded.ts'
import type { System } from '../../../src/lib/system/system.ts'
import { check } from '../../../src/lib/workflow/check.ts'
import { attempt } from '../../helpers/synthetic.ts'
import { schemaErrors } from '../../helpers/valid-report.ts'

const time = '2026-11-23T10:10:00.000Z'
const down = 'docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'

interface Many {
  names: string[]
  engine?: 'down'
  /** Of every server: it could not reach the engine, or what docker said instead, of the server's IMAGE. */
  failed?: boolean | string
  /** Of every server; else what its runtime gets. */
  images?: string[]
}

/** A synthetic capture of many servers. */
function capture({ names, engine, failed, images }: Many): string {
  const root = mkdtempSync(join(tmpdir(), 'doctor-many-'))
  const logs = join(root, 'home/logs')
  const json = (name: string, value: unknown): void => writeFileSync(join(root, name), JSON.stringify(value))
  for (const folder of ['home/.mcpproxy', 'home/logs', 'docker', 'host']) mkdirSync(join(root, folder), { recursive: true })
  const docker = { host: 'unix:///var/run/docker.sock', decidedBy: 'default socket' }
  json('capture.json', {
    ...{ format: 'mcpproxy-doctor-capture/1', recordedAt: time, platform: 'linux', home: '/home/user', docker },
    ...{ config: 'home/.mcpproxy/mcp_config.json', logs: 'home/logs', mcpproxy: { version: 'v0.60.0', running: false } },
  })
  const servers = names.map((name, i) => ({
    ...{ name, enabled: true, quarantined: false, command: 'npx', args: ['-y', name] },
    ...(images?.[i] === undefined ? {} : { isolation: { enabled: true, image: images[i] } }),
  }))
  json('home/.mcpproxy/mcp_config.json', { docker_isolation: { enabled: true }, mcpServers: servers })
  writeFileSync(join(logs, 'main.log'), `2026-11-23T09:59:59.000Z | INFO | x/main.go:1 | Starting mcpproxy | {"version": "v0.60.0"}\n`)
  if (failed)
    for (const [i, name] of names.entries()) {
      const said = typeof failed === 'string' ? failed.replace('IMAGE', images?.[i] ?? '') : down
      writeFileSync(join(logs, `server-${name}.log`), `${attempt({ name, stderr: [[0.1, said]], end: ['exited', 0.2] }).join('\n')}\n`)
    }
  const dead = { error: { kind: 'unreachable', why: 'refused', message: 'Nothing listens there.' } }
  const whole = { version: { Version: '20.10.24', ApiVersion: '1.41' }, info: { NCPU: 2, MemTotal: 64e9 }, containers: [], networks: [] }
  for (const [name, value] of Object.entries(whole)) json(`docker/${name}.json`, engine === 'down' ? dead : value)
  if (engine === 'down') json('docker/events-error.json', dead)
  else writeFileSync(join(root, 'docker/events.ndjson'), '')
  json('host/files.json', {})
  json('host/environment.json', { user: { uid: 1, gid: 1, groups: ['docker'] }, env: {}, programs: { docker: '/usr/bin/docker' } })
  return root
}

/** How often each question was asked, by its name and what it was about. */
function counting(system: System): { system: System; asked: Map<string, number> } {
  const asked = new Map<string, number>()
  const watched = <T extends object>(part: T, prefix: string): T =>
    new Proxy(part, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          const name = [`${prefix}.${String(key)}`, ...args.filter((a) => typeof a === 'string')].join(' ')
          asked.set(name, (asked.get(name) ?? 0) + 1)
          return Reflect.apply(value as (...all: unknown[]) => unknown, target, args)
        }
      },
    })
  const parts = { engine: watched(system.engine, 'engine'), files: watched(system.files, 'files'), proxy: watched(system.proxy, 'proxy') }
  return { system: { ...system, ...parts }, asked }
}

async function checkAll(many: Many): Promise<{ report: Report; asked: Map<string, number> }> {
  const root = capture(many)
  const recorded = await openCapture(root)
  try {
    const { system, asked } = counting(recorded)
    return { report: await check(system, { servers: [], all: true, timeoutMs: 60_000 }), asked }
  } finally {
    await recorded.close()
    rmSync(root, { recursive: true, force: true })
  }
}

const forty = Array.from({ length: 40 }, (_, i) => `s${String(i).padStart(2, '0')}x`)
const outage = await checkAll({ names: forty, engine: 'down', failed: true })
const results = checkResults(outage.report, '/home/user')
const options = { version: '1.0.0', repository: null, pages: null }

test('the engine is asked once, and each log is read once', () => {
  for (const question of ['version', 'info', 'events', 'containers', 'networks'])
    assert.equal(outage.asked.get(`engine.${question}`), 1, question)
  const opened = [...outage.asked].filter(([name]) => name.startsWith('files.open ') && name.endsWith('.log'))
  assert.equal(opened.length, 41)
  for (const [name, times] of opened) assert.equal(times, 1, name)
  assert.equal([...outage.asked].filter(([name]) => name.startsWith('files.read ') && name.endsWith('mcp_config.json')).length, 1)
})

test('an engine that is down is one finding of forty servers, in the report and its JSON', () => {
  const { report } = outage
  assert.deepEqual(
    report.findings.filter((f) => f.severity === 'error').map((f) => [f.code, f.rank, f.server, f.affects?.length]),
    [['engine-down', 'proven', null, 40]],
  )
  assert.ok(report.servers.every((s) => s.verdict === 'problem' && s.findings.length === 0))
  assert.deepEqual(report.servers[7]?.shared, ['engine-down'])
  assert.equal(schemaErrors(JSON.parse(renderJson(report))), null)
})

test('the same in text: the cause, whom it affects, and no server again', () => {
  const text = renderReport(outage.report, { theme: plainTheme(100) })
  assert.equal(text.split('engine-down').length - 1, 2, text)
  assert.match(text, /Affects 40 servers: s00x, s01x,[^]*and 30 more/)
  assert.match(text, /40 servers: 40 do not/)
  assert.ok(text.split('\n').length < 25, text)
})

test('the same in JUnit and Markdown: one failure', async () => {
  const junit = await renderResults('junit', results, options)
  assert.equal(junit.match(/<failure /g)?.length, 1)
  assert.match(junit, /failures="1" errors="0" skipped="40"/)
  const markdown = await renderResults('markdown', results, options)
  assert.equal(markdown.match(/engine-down/g)?.length, 1)
  assert.equal((await renderResults('github', results, options)).match(/::error /g)?.length, 1)
})

test('one server alone has its cause for itself', async () => {
  const { report } = await checkAll({ names: ['only'], engine: 'down', failed: true })
  assert.deepEqual(report.findings, [])
  assert.equal(report.servers[0]?.findings[0]?.code, 'engine-down')
})

test('two names that kill each other are one finding about both; a third that only looks alike is not in it', async () => {
  const { report } = await checkAll({ names: ['web', 'web-api', 'webhook', 'my app', 'my-app'] })
  const colliding = report.findings.filter((f) => f.code === 'names-collide')
  assert.deepEqual(
    colliding.map((f) => f.affects),
    [
      ['web', 'web-api'],
      ['my app', 'my-app'],
    ],
  )
  const places = colliding[0]?.cites.flatMap((c) => (c.type === 'config' ? c.pointer : []))
  assert.deepEqual(places?.sort(), ['/mcpServers/0/name', '/mcpServers/1/name'])
  assert.equal(report.servers.find((s) => s.server === 'webhook')?.shared, undefined)
})

test('limits that are too much together are told once', async () => {
  const many = Array.from({ length: 200 }, (_, i) => `n${i}x`)
  const { report } = await checkAll({ names: many })
  const [found, ...others] = report.findings.filter((f) => f.code === 'memory-overcommitted')
  assert.equal(found?.facts['servers'], 200)
  assert.equal(found?.severity, 'info')
  assert.equal(others.length, 0)
})

test('an image that no registry has is one finding of the servers that run it, without an edit that is about one of them', async () => {
  const said = 'docker: Error response from daemon: manifest for IMAGE not found: manifest unknown: manifest unknown.'
  const { report } = await checkAll({ names: ['a', 'b', 'c'], failed: said, images: ['acme/none:1', 'acme/none:1', 'acme/other:1'] })
  const shared = report.findings.filter((f) => f.code === 'image-unknown')
  assert.deepEqual(
    shared.map((f) => [f.facts['image'], f.affects, f.remedies.map((r) => r.kind)]),
    [['acme/none:1', ['a', 'b'], ['instruction']]],
  )
  assert.deepEqual(
    report.servers.map((s) => s.findings.some((f) => f.code === 'image-unknown')),
    [false, false, true],
  )
})
