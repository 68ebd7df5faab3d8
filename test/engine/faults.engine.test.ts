/** An engine that breaks at every place where it is asked: nothing hangs, nothing is called healthy or proven, nothing is left half. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import Docker from 'dockerode'
import { createLiveSystem } from '../../src/lib/system/live.ts'
import { faults, faultyEngine, type Fault } from '../helpers/faulty-engine.ts'
import { runCli } from '../helpers/run-cli.ts'
import { smallHome } from '../helpers/small-home.ts'
import { validReport } from '../helpers/valid-report.ts'

const docker = new Docker()
/** What the doctor made through an engine that broke cannot always be removed through it: its next run does that. */
async function swept(): Promise<void> {
  const live = createLiveSystem({
    deadline: Date.now() + 30_000,
    env: process.env,
    platform: process.platform,
    homedir: os.homedir(),
    uid: process.getuid?.() ?? null,
  })
  await live.replays.sweep()
  await live.engine.programs('python:3.11')
  await live.close()
  const left = await docker.listContainers({ all: true })
  const ours = left.filter((c) => ['mcpproxy-doctor.replay', 'io.mcpproxy-doctor.role'].some((label) => c.Labels[label] !== undefined))
  const mine = ours.filter((c) => c.Labels['mcpproxy-doctor.host'] === os.hostname())
  for (const c of mine) assert.ok(Date.now() / 1000 - c.Created > 600 || isOfOther(c), `${c.Names.join()} is left`)
}
/** Of another test that runs now. */
const isOfOther = (c: Docker.ContainerInfo): boolean => {
  const pid = Number((c.Labels['mcpproxy-doctor.owner'] ?? '').split(':')[0])
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Never tried: only a replay can say how it fails. */
const config = (name: string): string =>
  JSON.stringify({
    docker_isolation: { enabled: true, network_mode: 'none' },
    mcpServers: [{ name, command: 'node', args: ['-e', 'process.exit(3)'], isolation: { image: 'node:20' }, enabled: true }],
  })
let counter = 0
const fresh = (): string => `fault-${process.pid}-${counter++}`

interface Case {
  capture?: string
  args: string[]
  /** Milliseconds. */
  limit: number
}

async function broken(t: TestContext, pattern: string, fault: Fault, { capture, args, limit }: Case) {
  const engine = await faultyEngine(t, pattern, fault)
  const name = fresh()
  const home = smallHome(t, { engine: engine.host, ...(capture === undefined ? { config: config(name) } : { capture }) })
  const server = capture === undefined ? name : args[1]
  const began = Date.now()
  const result = await home.run(args.map((a) => (a === 'NAME' ? name : a)))
  const ms = Date.now() - began
  assert.ok(engine.broke(), `nothing asked for ${pattern}`)
  assert.ok(ms < limit, `${ms} ms`)
  assert.doesNotMatch(result.stderr, /at \w+ \(|please report/i, 'no fault of ours')
  return { ...result, home, server: server ?? '' }
}

// Most of their time they wait.
const several = { concurrency: 4 }

describe('while it looks', several, () => {
  const places = { list: 'GET \\S*/containers/json', events: 'GET \\S*/events', inspect: 'GET \\S*/images/\\S+/json' }
  for (const [what, pattern] of Object.entries(places))
    for (const fault of faults)
      test(`${what}: ${fault}`, async (t) => {
        const args = ['check', 'good', '--json', '--no-replay', '--timeout', '8']
        const { exitCode, stdout } = await broken(t, pattern, fault, { capture: '0.60.0-healthy', args, limit: 14_000 })
        const report = validReport(stdout)
        assert.notEqual(report.verdict, 'healthy')
        assert.notEqual(exitCode, 0)
        const [server] = report.servers
        const open = new Set(server?.undetermined.map((u) => u.source))
        const source = { list: 'containers', events: 'events', inspect: 'image' }[what]
        assert.ok(report.engine.reachable === false || open.has(source as 'image'), `it says that ${source} could not be looked at`)
      })
})

describe('while it replays', several, () => {
  after(swept)
  const places = {
    create: 'POST \\S*/containers/create',
    attach: 'POST \\S*/containers/\\S+/attach',
    wait: 'POST \\S*/containers/\\S+/wait',
    start: 'POST \\S*/containers/\\S+/start',
  }
  for (const [what, pattern] of Object.entries(places))
    for (const fault of faults)
      test(`${what}: ${fault}`, async (t) => {
        const args = ['check', 'NAME', '--json', '--timeout', '8', '--replay-time', '4']
        const { exitCode, stdout } = await broken(t, pattern, fault, { args, limit: 30_000 })
        const report = validReport(stdout)
        assert.notEqual(report.verdict, 'healthy')
        assert.notEqual(exitCode, 0)
        for (const f of report.servers[0]?.findings ?? [])
          assert.ok(!f.cites.some((c) => c.type === 'replay') || f.rank !== 'proven', f.code)
        assert.notEqual(report.servers[0]?.replayed?.conclusion, 'works')
        assert.notEqual(report.servers[0]?.replayed?.conclusion, 'proven')
        if (what === 'create' || what === 'attach') assert.doesNotMatch(report.servers[0]?.summary ?? '', /program ends/, 'it never ran')
        if (what === 'attach' && ['dies', 'half', 'garbage'].includes(fault))
          assert.ok(!report.servers[0]?.findings.some((f) => f.code === 'server-crash'), 'the engine is not the server')
        // No answer within the time for the replays is no failure of the server.
        if (fault === 'hangs') assert.equal(report.servers[0]?.replayed?.conclusion, 'not-run')
      })
})

describe('while a bundle is made, at the export of an image', several, () => {
  after(swept)
  for (const fault of faults)
    test(fault, async (t) => {
      const args = ['bundle', 'time', '-o', 'out.tgz', '--timeout', '8']
      const { exitCode, home, stdout, stderr } = await broken(t, 'GET \\S*/containers/\\S+/export', fault, {
        capture: '0.60.0-image-without-uvx',
        args,
        limit: 25_000,
      })
      assert.equal(exitCode, 0, stdout + stderr)
      assert.ok(existsSync(join(home.folder, 'out.tgz')))
      assert.deepEqual(
        readdirSync(home.folder).filter((n) => n.endsWith('.part')),
        [],
      )
      const offline = await runCli(['check', 'time', '--json', '--from', join(home.folder, 'out.tgz')])
      const report = validReport(offline.stdout)
      assert.notEqual(report.verdict, 'healthy')
    })
})

describe('while a bundle is made, at the start of a replay', several, () => {
  after(swept)
  for (const fault of faults)
    test(fault, async (t) => {
      const args = ['bundle', 'NAME', '--replay', '-o', 'out.tgz', '--json', '--timeout', '8', '--replay-time', '4']
      const { exitCode, home, server, stdout, stderr } = await broken(t, 'POST \\S*/containers/\\S+/start', fault, { args, limit: 30_000 })
      assert.equal(exitCode, 0, stdout + stderr)
      assert.deepEqual(
        readdirSync(home.folder).filter((n) => n.includes('out.tgz')),
        ['out.tgz'],
        'nothing beside it is left of its making',
      )
      const offline = await runCli(['check', server, '--json', '--from', join(home.folder, 'out.tgz')])
      const report = validReport(offline.stdout)
      const { verdict } = JSON.parse(stdout) as { verdict: string }
      assert.equal(report.verdict, verdict, 'it leads to what was seen')
      assert.notEqual(verdict, 'healthy')
      const outcomes = report.servers[0]?.replays.map((r) => r.outcome) ?? []
      assert.ok(outcomes.length > 0 && !outcomes.includes('works'), `the start that broke is in it: ${outcomes.join()}`)
    })
})

test('without a fault the replay runs, and its exit code is seen', async (t) => {
  const { host } = await faultyEngine(t, 'nothing', 'none')
  const name = fresh()
  const home = smallHome(t, { engine: host, config: config(name) })
  const report = validReport((await home.run(['check', name, '--json'])).stdout)
  assert.equal(report.servers[0]?.replays[0]?.exitCode, 3)
})
