import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeRedactor } from '../../../src/lib/evidence/secrets.ts'
import type { Report } from '../../../src/lib/report/report.ts'
import { openCapture } from '../../../src/lib/system/recorded.ts'
import type { System } from '../../../src/lib/system/system.ts'
import { check } from '../../../src/lib/workflow/check.ts'
import { redactReport } from '../../../src/lib/workflow/redact.ts'
import { packageRoot } from '../../helpers/package-root.ts'

const captures = join(packageRoot(), 'test/captures')

/** A recorded machine that takes itself for a live one, and the names of what its engine is asked. */
async function asLive(capture: string): Promise<{ system: System; asked: string[] }> {
  const recorded = await openCapture(join(captures, capture))
  const asked: string[] = []
  const engine = new Proxy(recorded.engine, {
    get(target, name: keyof System['engine']) {
      if (name !== 'endpoint') asked.push(name)
      return Reflect.get(target, name) as unknown
    },
  })
  return { system: { ...recorded, recording: null, replays: null, engine }, asked }
}

const looked = async (system: System, sparing: boolean): Promise<Report> => ({
  ...(await check(system, { servers: [], all: true, timeoutMs: 30_000, sparing })),
  checkedAt: '',
})

test('a sparing look says what a whole one says', async () => {
  for (const capture of readdirSync(captures)) {
    const [sparing, whole] = await Promise.all([true, false].map(async (spare) => looked((await asLive(capture)).system, spare)))
    assert.deepEqual(sparing, whole, capture)
  }
})

test('of a server that works the engine is asked for no more than its containers and events', async () => {
  const { system, asked } = await asLive('0.60.0-healthy')
  const report = await looked(system, true)
  assert.equal(report.verdict, 'healthy')
  assert.deepEqual([...new Set(asked)].sort(), ['containers', 'events', 'hello', 'version'])
})

test('what a rule wants to know of a server that works is asked all the same', async () => {
  const { system, asked } = await asLive('0.60.0-healthy')
  const { files } = system
  // Two servers with limits: whether the engine has so much memory is to be known.
  const read: typeof files.read = async (path, limit) => {
    const answer = await files.read(path, limit)
    if (!answer.ok || !answer.value || !path.endsWith('mcp_config.json')) return answer
    const config = JSON.parse(answer.value.toString()) as { mcpServers: { name: string; isolation?: object }[] }
    const limited = config.mcpServers.map((s) => ({ ...s, isolation: { ...s.isolation, extra_args: ['--memory', '900g'] } }))
    const other = { ...limited[0], name: 'other' }
    return { ok: true, value: Buffer.from(JSON.stringify({ ...config, mcpServers: [...limited, other] })) }
  }
  const report = await check({ ...system, files: { ...files, read } }, { servers: ['good'], all: false, timeoutMs: 30_000, sparing: true })
  assert.ok(asked.includes('info'))
  assert.ok(
    report.servers[0]?.findings.some((f) => f.code === 'memory-overcommitted'),
    JSON.stringify(report.servers[0]?.findings),
  )
})

test('secrets are struck from every place of a report; the name of the server stays', () => {
  const report: Report = {
    schemaVersion: 1,
    verdict: 'problem',
    recordedAt: null,
    checkedAt: '2026-11-24T10:00:00.000Z',
    mcpproxy: { version: 'v0.60.0', running: true, config: '/home/me/hush-hush-9/mcp_config.json' },
    engine: { host: 'tcp://me:topsecret@10.0.0.1:2375', version: null, reachable: false },
    findings: [],
    servers: [
      {
        server: 'hush-hush-9',
        verdict: 'problem',
        summary: 'says hush-hush-9',
        findings: [],
        steps: [{ step: 'logs', outcome: 'problem', summary: 'hush-hush-9' }],
        undetermined: [],
        replays: [],
        replayed: null,
        rules: { looked: 1, couldNot: 0 },
      },
    ],
  }
  const struck = redactReport(report, makeRedactor(['hush-hush-9']))
  assert.equal(struck.servers[0]?.server, 'hush-hush-9')
  const rest = JSON.stringify({ ...struck, servers: struck.servers.map((s) => ({ ...s, server: '' })) })
  assert.doesNotMatch(rest, /hush-hush-9|topsecret/)
  assert.match(rest, /10\.0\.0\.1:2375/)
})
