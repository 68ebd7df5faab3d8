/** check and replay on a real engine: A-B-A, honesty when the world changes, secrets, and nothing left behind. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import Docker from 'dockerode'
import { collectServers, collectShared } from '../../src/lib/evidence/collect.ts'
import type { Report } from '../../src/lib/report/report.ts'
import { createLiveSystem } from '../../src/lib/system/live.ts'
import { replayLabel } from '../../src/lib/system/replay-plan.ts'
import { serverReport } from '../../src/lib/workflow/check.ts'
import { replayServer } from '../../src/lib/workflow/replay.ts'
import { createStarter } from '../../src/lib/workflow/start.ts'
import { packageRoot } from '../helpers/package-root.ts'
import { smallHome, type SmallHome } from '../helpers/small-home.ts'
import { errorsBy, validReport } from '../helpers/valid-report.ts'

const docker = new Docker()
const engine = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
const servers = path.join(packageRoot(), 'test/fixtures/servers')
const own = (name: string, args: string[], more: object = {}): object => ({
  name,
  command: 'docker',
  args: ['run', ...args],
  enabled: true,
  ...more,
})
const good = ['--rm', '--network', 'none', '-v', `${servers}:/s:ro`, 'node:20', 'node', '/s/good.mjs']
const home = (t: TestContext, ...list: object[]): SmallHome =>
  smallHome(t, { engine, config: JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: list }, null, 2) })
const ours = () => docker.listContainers({ all: true, filters: { label: [replayLabel] } })

after(async () => assert.deepEqual(await ours(), []))

async function check(place: SmallHome, ...args: string[]): Promise<{ report: Report; exitCode: number | null }> {
  const { stdout, exitCode } = await place.run(['check', ...args, '--json'])
  const report = validReport(stdout)
  return { report, exitCode }
}

describe('check', () => {
  test('a terminal flag: fails, works without it, fails again: proven', async (t) => {
    const { report, exitCode } = await check(home(t, own('tty', ['-it', ...good])), 'tty')
    assert.equal(exitCode, 1)
    const [server] = report.servers
    assert.equal(server?.findings[0]?.code, 'tty-flag')
    assert.equal(server?.findings[0]?.rank, 'proven')
    assert.deepEqual(
      server?.replays.map((r) => r.outcome),
      ['fails', 'works', 'fails'],
    )
    assert.equal(server?.replayed?.conclusion, 'proven')
  })
  test('a script that is not mounted: what only the replay has seen is judged as well', async (t) => {
    const script = path.join(servers, 'good.mjs')
    const { report } = await check(
      home(t, { name: 'script', command: 'node', args: [script], enabled: true, isolation: { image: 'node:20' } }),
      'script',
    )
    assert.equal(report.servers[0]?.findings[0]?.code, 'host-path-not-mounted')
    assert.equal(report.servers[0]?.replayed?.conclusion, 'proven')
  })
  test('--no-replay starts nothing', async (t) => {
    const { report } = await check(home(t, own('tty', ['-it', ...good])), 'tty', '--no-replay')
    assert.deepEqual(report.servers[0]?.replays, [])
  })
  test('a server that works: nothing is claimed', async (t) => {
    const { report, exitCode } = await check(home(t, own('good', ['-i', ...good])), 'good')
    assert.equal(exitCode, 3)
    assert.equal(report.servers[0]?.replayed?.conclusion, 'works')
    assert.deepEqual(
      report.servers[0]?.findings.filter((f) => f.severity === 'error'),
      [],
    )
  })
})

test('the world is mended between A and B: not proven', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-world-'))
  t.after(() => fs.rm(folder, { recursive: true }))
  const place = home(t, own('late', ['-i', '--rm', '--network', 'none', '-v', `${folder}:/w:ro`, 'node:20', 'node', '/w/late.mjs']))
  const system = createLiveSystem({
    config: place.config,
    logDir: place.logs,
    dataDir: path.dirname(place.config),
    api: `unix://${folder}/nowhere.sock`,
    dockerHost: engine,
    deadline: Date.now() + 60_000,
    env: process.env,
    platform: process.platform,
    homedir: place.folder,
    uid: process.getuid?.() ?? null,
  })
  t.after(() => system.close())
  const { subjects } = await collectServers(await collectShared(system, Date.now() + 30_000), ['late'])
  const [subject] = subjects
  const starter = await createStarter(system)
  assert.ok(subject && starter)
  const report = serverReport(subject)
  const edit = { path: ['mcpServers', 0, 'env'], value: { UNRELATED: '1' } }
  const finding = {
    code: 'server-crash',
    severity: 'error' as const,
    rank: 'supported' as const,
    server: 'late',
    title: 'planted',
    detail: '',
    facts: {},
    cites: [],
    ruledOut: [],
    remedies: [
      { kind: 'config-edit' as const, title: 'an unrelated variable', edits: [edit], class: 'safe' as const, because: 'it is planted' },
    ],
  }
  let starts = 0
  const result = await replayServer(
    subject,
    { ...report, verdict: 'problem', findings: [finding] },
    {
      allow: new Set(),
      starts: 12,
      budgetMs: 60_000,
      env: {},
      judge: () => ({ ...report, verdict: 'problem', findings: [finding] }),
      start: async (spec, limitMs) => {
        const started = await starter.start(spec, limitMs)
        // The first start is A.
        if (++starts === 1) await fs.copyFile(path.join(servers, 'good.mjs'), path.join(folder, 'late.mjs'))
        return started
      },
    },
  )
  assert.equal(result.replayed?.conclusion, 'world-changed')
  assert.notEqual(result.findings[0]?.rank, 'proven')
})

test('a secret is in no process list, no output and no file', async (t) => {
  const secret = 'canary-4f1c9a7be2'
  const place = home(t, own('keyed', ['-it', '-e', `API_TOKEN=${secret}`, ...good], { env: { OTHER_TOKEN: `${secret}-2` } }))
  let over = false
  const seen = new Set<string>()
  const watching = (async () => {
    while (!over) {
      for (const pid of (await fs.readdir('/proc')).filter((n) => /^\d+$/.test(n))) {
        const line = await fs.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
        if (line.includes(secret)) seen.add(line)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  const { stdout, stderr } = await place.run(['check', 'keyed', '--json'])
  over = true
  await watching
  assert.equal((JSON.parse(stdout) as Report).servers[0]?.replayed?.conclusion, 'proven')
  assert.deepEqual([...seen], [])
  assert.ok(!(stdout + stderr).includes(secret))
  const text = await place.run(['replay', 'keyed', '--verbose'])
  assert.ok(!(text.stdout + text.stderr).includes(secret))
})

test('a value of ${env:NAME} that the started server prints is in no output of fix', async (t) => {
  // Its words become the title of the finding.
  const secret = 'HV7KQ2X9_R4TZ8WM3'
  const says = 'console.error("Error: " + process.env.LOGIN_TOKEN + " environment variable is required"); process.exit(1)'
  const run = ['-i', '--rm', '--network', 'none', '-e', 'LOGIN_TOKEN=${env:DOCTOR_LOGIN}', 'node:20', 'node', '-e', says]
  const { stdout, stderr } = await home(t, own('telling', run)).run(['fix', 'telling', '--json'], { DOCTOR_LOGIN: secret })
  assert.match(stdout, /"code": "env-missing"/)
  assert.ok(!(stdout + stderr).includes(secret), stdout)
})

test('Ctrl-C in the middle of a replay: the container is gone when the program has ended', async (t) => {
  const place = home(t, own('deaf', ['-i', '--rm', '--network', 'none', 'node:20', 'node', '-e', 'setInterval(() => {}, 1000)']))
  const child = spawn(
    process.execPath,
    [
      path.join(packageRoot(), 'bin/run.js'),
      'replay',
      'deaf',
      '--config',
      place.config,
      '--data-dir',
      path.dirname(place.config),
      '--log-dir',
      place.logs,
      '--docker-host',
      engine,
      '--api',
      `unix://${place.folder}/nowhere.sock`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, HOME: place.folder } },
  )
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(child, 'close')
  for (let i = 0; (await ours()).length === 0; i++) {
    assert.ok(i < 200, 'no container came')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGINT')
  const [code] = (await ended) as [number | null]
  assert.equal(code, 130)
  assert.match(
    said,
    /^Interrupted\. Not looked at, or not to the end: what a replay shows\.\n[^]*It was started, and no start came to an end that says anything: it\s+was\s+interrupted/,
  )
  assert.deepEqual(await ours(), [])
})

test('the smoke test tells those that work from those that do not, side by side', async (t) => {
  const place = home(
    t,
    ...['a', 'b', 'c'].map((n) => own(n, ['-i', ...good])),
    own('tty', ['-it', ...good]),
    own('gone', ['-i', '--rm', 'doctor.invalid/nothing:1']),
    { ...own('off', ['-i', ...good]), enabled: false },
    own('needs', ['-i', '-e', 'T=${env:DOCTOR_TEST_UNSET}', ...good]),
  )
  const junit = path.join(place.folder, 'junit.xml')
  const { stdout, exitCode } = await place.run(['replay', '--all', '--json', '--junit', junit])
  assert.equal(errorsBy('replay-all', JSON.parse(stdout)), null)
  const report = JSON.parse(stdout) as {
    passed: number
    failed: number
    notTried: number
    servers: { server: string; result: string; why: string; findings: { code: string }[] }[]
  }
  const of = (name: string) => report.servers.find((s) => s.server === name)
  assert.deepEqual(
    ['a', 'b', 'c'].map((n) => of(n)?.result),
    ['pass', 'pass', 'pass'],
  )
  assert.equal(of('tty')?.result, 'fail')
  assert.equal(of('tty')?.findings[0]?.code, 'tty-flag')
  assert.notEqual(of('gone')?.result, 'pass')
  assert.equal(of('off'), undefined)
  assert.match(of('needs')?.why ?? '', /DOCTOR_TEST_UNSET/)
  assert.equal(exitCode, 1)
  assert.match(await fs.readFile(junit, 'utf8'), /<testsuites name="mcpproxy-doctor replay" tests="6"/)
})
