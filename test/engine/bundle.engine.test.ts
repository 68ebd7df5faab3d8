/** What replays on a real engine have shown is in the bundle, and elsewhere the same follows from it without any engine. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Report } from '../../src/lib/report/report.ts'
import { runCli } from '../helpers/run-cli.ts'
import { smallHome, type SmallHome } from '../helpers/small-home.ts'
import { captureErrors } from '../helpers/valid-capture.ts'

const engine = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
const reportOf = (stdout: string): Report => JSON.parse(stdout) as Report

/** All that a report says of servers, but for what differs from start to start. */
const essence = ({ verdict, servers }: Report): unknown => ({
  verdict,
  servers: servers.map(({ findings, replays, replayed, steps, ...s }) => ({
    server: s.server,
    verdict: s.verdict,
    summary: s.summary,
    findings: findings.map((f) => [f.code, f.rank, f.remedies.map((r) => r.title)]),
    replays: replays.map((r) => [r.what, r.outcome, r.exitCode, r.tools]),
    replayed: replayed && [replayed.conclusion, replayed.proven, replayed.refuted, replayed.untried],
    steps: steps.map((step) => [step.step, step.outcome]),
  })),
})

async function compared(home: SmallHome, server: string, more: string[] = [], env: Record<string, string> = {}) {
  const live = await home.run(['check', server, '--json', ...more], env)
  const written = await home.run(['bundle', server, '--replay', '-o', 'out', ...more], env)
  assert.equal(written.exitCode, 0, written.stderr)
  assert.match(written.stdout, /replays +1 file/)
  const folder = join(home.folder, 'out')
  const bytes = readFileSync(join(folder, 'replays.json'))
  assert.equal(captureErrors({ name: 'replays.json', bytes }), null)
  const elsewhere = { DOCKER_HOST: 'unix:///nowhere/docker.sock' }
  const offline = await runCli(['check', server, '--json', '--from', folder], { env: elsewhere })
  assert.equal(offline.exitCode, live.exitCode)
  assert.deepEqual(essence(reportOf(offline.stdout)), essence(reportOf(live.stdout)))
  const text = await runCli(['replay', server, '--from', folder], { env: elsewhere })
  assert.equal(text.stderr, '')
  const plain = await runCli(['check', server, '--json', '--no-replay', '--from', folder], { env: elsewhere })
  assert.deepEqual(reportOf(plain.stdout).servers[0]?.replays, [])
  return { report: reportOf(offline.stdout), recorded: bytes.toString('utf8'), folder }
}

test('a terminal flag: proven by a replay, and proven by the bundle', async (t) => {
  const home = smallHome(t, { capture: '0.60.0-tty-flag', engine })
  const { report, recorded } = await compared(home, 'everything')
  const [first] = report.servers[0]?.findings ?? []
  assert.equal(first?.code, 'tty-flag')
  assert.equal(first?.rank, 'proven')
  assert.ok(first?.cites.some((c) => c.type === 'replay'))
  assert.match(recorded, /the input device is not a TTY/)
  assert.match(recorded, /tools\/list/)
})

test('what a server writes in a replay is redacted, and the same failure is still the same', async (t) => {
  const token = 'correct-horse-battery-staple'
  const program = `console.error('refused for ' + process.env.SOME_SETTING); process.exit(3)`
  const home = smallHome(t, {
    engine,
    config: JSON.stringify({
      docker_isolation: { enabled: true },
      mcpServers: [
        {
          name: `web-${process.pid}`,
          command: 'node',
          args: ['-e', program],
          env: { SOME_SETTING: '${env:PROBE_SETTING}' },
          isolation: { image: 'node:20' },
          enabled: true,
        },
      ],
    }),
  })
  const server = `web-${process.pid}`
  const checked = await home.run(['check', server], { PROBE_SETTING: token })
  assert.match(checked.stdout, /refused for/)
  assert.ok(!checked.stdout.includes(token.slice(4, 20)), 'nor does a live report show it')
  const { report, recorded, folder } = await compared(home, server, [], { PROBE_SETTING: token })
  assert.equal(report.servers[0]?.replays[0]?.outcome, 'fails')
  assert.equal(report.servers[0]?.replays[0]?.exitCode, 3)
  assert.match(recorded, /refused for (?:SECRET|VALUE)_[0-9a-f]{12}/)
  assert.ok(!recorded.includes(token.slice(4, 20)), 'no part of it')
  const { stdout } = await runCli(['check', server, '--json', '--from', folder])
  assert.ok(!stdout.includes(token.slice(4, 20)))
  const archive = await home.run(['bundle', server, '--replay', '-o', 'out.tgz'], { PROBE_SETTING: token })
  assert.equal(archive.exitCode, 0)
  assert.ok(!gunzipSync(readFileSync(join(home.folder, 'out.tgz'))).includes(token.slice(4, 20)))
})
