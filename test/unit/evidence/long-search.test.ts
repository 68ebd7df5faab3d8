/** What is made of the evidence while a log is still being searched is used only where it is true. */
import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { collectServers, collectShared, type Collected } from '../../../src/lib/evidence/collect.ts'
import { createLiveSystem } from '../../../src/lib/system/live.ts'
import type { Files, System } from '../../../src/lib/system/system.ts'
import { argsReport } from '../../../src/lib/workflow/step-reports.ts'

const log = (second: number, place: string, message: string, fields: object): string =>
  `${new Date(Date.UTC(2026, 9, 1, 0, 0, second)).toISOString()} | INFO | ${place} | ${message} | ${JSON.stringify(fields)}`
const start = (version: string): string => log(0, 'cobra@v1.10.2/command.go:1015', 'Starting mcpproxy', { version })
const setup = (memory: string): string =>
  log(1, 'core/connection_stdio.go:150', 'Docker isolation setup completed', {
    server: 'time',
    container_name: 'mcpproxy-time-ypwk',
    docker_run_args: ['run', '--rm', '-i', '--name', 'mcpproxy-time-ypwk', '--memory', memory, 'node:20'],
  })
/** More than the first piece that is read. */
const rest = Array.from({ length: 6000 }, (_, i) => log(2 + i, 'upstream/client.go:613', 'Health check passed', { tick: i })).join('\n')

/** `first`: what stands before all that in main.log, `last` behind it. `slow`: the log is read on only after so many milliseconds. */
async function systemWith(
  t: TestContext,
  first: readonly string[],
  slow: number,
  last: readonly string[] = [],
): Promise<{ system: System; opened: string[] }> {
  const home = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  const config = path.join(home, 'mcp_config.json')
  const server = { name: 'time', protocol: 'stdio', command: 'uvx', args: ['mcp-server-time'], enabled: true }
  await fs.writeFile(config, JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: [server] }))
  await fs.writeFile(path.join(home, 'main.log'), `${[...first, rest, ...last].join('\n')}\n`)
  await fs.writeFile(
    path.join(home, 'server-time.log'),
    `${log(1, 'core/client.go:1', 'Starting connection attempt', { server: 'time' })}\n`,
  )
  const live = createLiveSystem({
    config,
    logDir: home,
    dataDir: home,
    api: 'http://127.0.0.1:9',
    dockerHost: 'unix:///nonexistent.sock',
    deadline: Date.now() + 60_000,
    env: { HOME: home },
    platform: 'linux',
    homedir: home,
    uid: process.getuid?.() ?? null,
  })
  t.after(async () => {
    await live.close()
    await fs.rm(home, { recursive: true, force: true })
  })
  const opened: string[] = []
  const open: Files['open'] = async (file) => {
    opened.push(path.basename(file))
    const answer = await live.files.open(file)
    if (!answer.ok || !answer.value || !file.endsWith('main.log')) return answer
    const { readNow: _, shared: __, ...whole } = answer.value
    let reads = 0
    const read: typeof whole.read = async (...where) => {
      if (reads++ > 0) await new Promise((resolve) => setTimeout(resolve, slow))
      return whole.read(...where)
    }
    return { ok: true, value: { ...whole, read } }
  }
  return { system: { ...live, files: { ...live.files, open } }, opened }
}

const needs = new Set(['config', 'setup', 'serverLog'] as const)
const cases = [
  { name: 'nothing', first: [], same: true },
  { name: 'a start, which tells the version', first: [start('v0.23.2')], same: false },
  { name: 'a setup', first: [setup('64m')], same: false },
]

for (const { name, first, same } of cases) {
  test(`a search of a log that takes long and finds ${name}: what was expected is ${same ? '' : 'not '}what is returned`, async (t) => {
    const { system, opened } = await systemWith(t, first, 60)
    let expected: Collected | undefined
    const shared = await collectShared(system, Date.now() + 60_000, needs)
    const collected = await collectServers(shared, ['time'], (early) => (expected = early))
    assert.ok(expected, 'nothing was expected')
    assert.equal(collected === expected, same)
    const plain = await collectServers(await collectShared(system, Date.now() + 60_000, needs), ['time'])
    assert.deepEqual(collected.version, plain.version)
    assert.deepEqual(collected.subjects[0]?.evidence.setup, plain.subjects[0]?.evidence.setup)
    assert.equal(opened.filter((file) => file === 'server-time.log').length, 2, 'once for each of the two looks')
  })

  test(`args is the same where a search that takes long finds ${name}`, async (t) => {
    const options = { timeoutMs: 60_000 }
    const reports = []
    for (const slow of [0, 60]) {
      const { system } = await systemWith(t, first, slow)
      const expected: unknown[] = []
      const report = await argsReport(system, 'time', { ...options, expected: (early) => expected.push(early) })
      // To be rendered meanwhile, and printed only if it is the one that is returned.
      if (slow > 0)
        assert.deepEqual(
          expected.map((early) => early === report),
          [same],
        )
      const { data, exitCode } = report
      reports.push(JSON.stringify({ data, exitCode }).replaceAll(/doctor-\w+/g, 'HOME'))
    }
    assert.equal(reports[1], reports[0])
    assert.equal(reports[0]?.includes('64m'), name === 'a setup')
  })
}

test('nothing is expected where all lines of the log are wanted', async (t) => {
  const { system } = await systemWith(t, [], 60)
  const shared = await collectShared(system, Date.now() + 60_000, new Set([...needs, 'mainLog']))
  await collectServers(shared, ['time'], () => assert.fail('of the lines of the log more may be found in any case'))
})

test('what was found and is still to be numbered is not taken for all that there is', async (t) => {
  const { system } = await systemWith(t, [], 60, [setup('64m')])
  const shared = await collectShared(system, Date.now() + 60_000, needs)
  const { subjects } = await collectServers(shared, ['time'], () => assert.fail('more was found'))
  const found = subjects[0]?.evidence.setup
  assert.equal(found?.ok === true ? found.value?.line.number : null, 6001)
})
