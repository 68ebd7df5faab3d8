import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import Docker from 'dockerode'
import { planReplay, type ReplayInput, type ReplayOptions } from '../../src/lib/replay/plan.ts'
import { timeLimit } from '../../src/lib/stop.ts'
import { createLiveSystem, type LiveSystem } from '../../src/lib/system/live.ts'
import { hostLabel, ownerLabel, replayLabel, type ReplayPlan } from '../../src/lib/system/replay-plan.ts'
import type { Run, RunOptions } from '../../src/lib/system/replay-run.ts'
import { engineProxy, type EngineProxy } from '../helpers/engine-proxy.ts'
import { packageRoot } from '../helpers/package-root.ts'
import { ending } from '../helpers/run-ending.ts'

const docker = new Docker()
const servers = path.join(packageRoot(), 'test/fixtures/servers')
const node = ['run', '--rm', '-i', '--network', 'none', '-v', `${servers}:/s:ro`, 'node:20', 'node']
let counter = 0
let proxy: EngineProxy
const live = (env: NodeJS.ProcessEnv = process.env): LiveSystem =>
  createLiveSystem({
    deadline: Date.now() + 60_000,
    env,
    platform: process.platform,
    homedir: os.homedir(),
    uid: process.getuid?.() ?? null,
    dockerHost: proxy.host,
  })

async function planned(
  system: LiveSystem,
  args: string[],
  extra: Partial<ReplayInput> = {},
  options: ReplayOptions = {},
): Promise<ReplayPlan> {
  return planReplay({
    run: { kind: 'docker', runArgs: args, command: [] },
    serverEnv: {},
    proxyEnv: process.env,
    platform: process.platform,
    id: `t${process.pid}-${counter++}`,
    owner: await system.replays.owner(),
    ...extra,
    options,
  })
}

async function replay(t: TestContext, args: string[], options: RunOptions = {}, planOptions: ReplayOptions = {}): Promise<Run> {
  const system = live()
  t.after(() => system.close())
  const run = await system.replays.run(await planned(system, args, {}, planOptions), options)
  assert.equal(run.leftover, null)
  assert.deepEqual(await leftOver(), [])
  return run
}

const leftOver = async (): Promise<string[]> =>
  (await docker.listContainers({ all: true, filters: { label: [replayLabel] } }))
    .filter((c) => c.Labels[ownerLabel]?.startsWith(`${process.pid}:`))
    .map((c) => c.Id)

/** Containers with our label, as the engine tells; and those that no sweep may touch. */
const labelled = new Set<string>()
const traps = new Set<string>()
let watching: NodeJS.ReadableStream & { destroy?(): void }

before(async () => {
  proxy = await engineProxy()
  watching = await docker.getEvents({ filters: { type: ['container'], label: [replayLabel] } })
  watching.setEncoding('utf8')
  watching.on('data', (text: string) => {
    for (const [, id = ''] of text.matchAll(/"ID":"(\w+)"/g)) labelled.add(id)
  })
})

test('a server that works', async (t) => {
  const run = await replay(t, ['run', '--rm', '-i', 'mcp/everything'])
  assert.deepEqual([run.outcome, run.reason, ending(run), run.via], ['works', null, 'works', 'docker'])
  assert.ok((run.transcript?.tools ?? 0) > 5)
  const { created, started, firstByte, initialize, tools } = run.times
  assert.ok(created !== null && started !== null && firstByte !== null && initialize !== null && tools !== null)
  assert.ok(0 <= created && created <= started && firstByte <= initialize && initialize <= tools)
  assert.deepEqual(run.container?.story.events[0]?.action, 'create')
  assert.equal(run.container?.oomKilled, false)
})

test('servers that fail, each told apart', async (t) => {
  const brief = { initializeMs: 4000, graceMs: 300 }
  const cases: [string[], RunOptions, Partial<Run>, RegExp][] = [
    [[...node, '/s/naughty.mjs', 'exit'], {}, { outcome: 'exited', exitCode: 7 }, /^exited 7$/],
    [[...node, '/s/naughty.mjs', 'crash'], {}, { outcome: 'exited', exitCode: 1 }, /^exited 1: Error: no API key given$/],
    [[...node, '/s/naughty.mjs', 'silent'], brief, { outcome: 'no-answer', endedBy: 'SIGKILL' }, /^no answer to initialize$/],
    [[...node, '/s/naughty.mjs', 'flood-lines'], { graceMs: 300 }, { outcome: 'protocol-broken' }, /64 MiB.*banner/],
    [[...node, '/s/naughty.mjs', 'one-long-line'], brief, { outcome: 'no-answer' }, /^no answer to initialize$/],
    [[...node, '/s/naughty.mjs', 'says-no'], {}, { outcome: 'protocol-broken' }, /licence expired/],
    [[...node, '/s/naughty.mjs', 'cut-off'], {}, { outcome: 'exited', exitCode: 0 }, /partial on stdout/],
    [[...node, '/s/naughty.mjs', 'bom'], brief, { outcome: 'no-answer' }, /bom on stdout/],
    [['run', '--rm', '-i', 'alpine:3.18', 'uvx', 'x'], {}, { outcome: 'refused', exitCode: 127 }, /exec-not-found uvx/],
    [['run', '--rm', '-i', '--memry', '1g', 'alpine:3.18'], {}, { outcome: 'refused', exitCode: 125 }, /flag-unknown --memry/],
    [['run', '--rm', '-i', '--network', 'nosuch-net', 'alpine:3.18', 'cat'], {}, { outcome: 'refused' }, /network-unknown nosuch-net/],
    [
      ['run', '--rm', '-i', '--log-driver', 'none', '--log-opt', 'max-file=3', 'alpine:3.18', 'cat'],
      {},
      { outcome: 'refused' },
      /log-option/,
    ],
    [['run', '--rm', 'mcp/everything'], {}, { outcome: 'exited', exitCode: 0 }, /^exited 0/],
    [['run', '--rm', '-i', 'nosuch-image:1', 'cat'], {}, { outcome: 'not-run', notRun: 'image-missing' }, /image-missing/],
  ]
  for (const [args, options, wanted, signature] of cases) {
    const run = await replay(t, args, options)
    const label = args.slice(-3).join(' ')
    for (const [key, value] of Object.entries(wanted)) assert.equal(run[key as keyof Run], value, `${label}: ${key}, ${run.reason}`)
    assert.match(ending(run), signature, label)
  }
})

test('the terminal flag, kept where it is the suspect', async (t) => {
  const args = ['run', '-it', '--rm', 'mcp/everything']
  const kept = await replay(t, args, {}, { keepTty: true })
  assert.deepEqual([kept.outcome, ending(kept)], ['refused', 'refused: tty'])
  assert.equal((await replay(t, args)).outcome, 'works')
})

test('out of memory is seen', async (t) => {
  const info = (await docker.info()) as { MemoryLimit: boolean }
  if (!info.MemoryLimit) return t.skip('this engine cannot limit memory')
  const run = await replay(t, [
    'run',
    '--rm',
    '-i',
    '--memory',
    '64m',
    'node:20',
    'node',
    '-e',
    'const a=[];for(;;)a.push(Buffer.alloc(1e7,1))',
  ])
  assert.deepEqual([run.outcome, run.exitCode], ['exited', 137])
  assert.match(ending(run), /out of memory/)
})

test('a run that somebody else ends says so', async (t) => {
  for (const how of ['stop', 'kill', 'remove', 'pause'] as const) {
    const system = live()
    t.after(() => system.close())
    const plan = await planned(system, [...node, '/s/naughty.mjs', how === 'stop' ? 'silent' : 'ignores-term'])
    const running = system.replays.run(plan, { initializeMs: 6000, graceMs: 200 })
    const container = docker.getContainer(plan.name ?? '')
    await started(plan)
    await (how === 'remove' ? container.remove({ force: true }) : how === 'stop' ? container.stop({ t: 1 }) : container[how]())
    const run = await running
    assert.equal(run.outcome, 'ended-by-other', `${how}: ${run.outcome}`)
    assert.deepEqual(await leftOver(), [])
  }
})

async function started(plan: ReplayPlan): Promise<void> {
  const until = Date.now() + 10_000
  for (;;) {
    const [found] = await docker.listContainers({ filters: { label: [`${replayLabel}=${plan.id}`] } })
    if (found?.State === 'running') return
    assert.ok(Date.now() < until, 'it did not start')
    await new Promise((done) => setTimeout(done, 20))
  }
}

/** The engine lists a container a moment longer than it has it. */
async function goneSoon(): Promise<string[]> {
  for (const until = Date.now() + 5000; ;) {
    const left = await leftOver()
    if (left.length === 0 || Date.now() > until) return left
    await new Promise((done) => setTimeout(done, 50))
  }
}

test('an abort at any moment leaves nothing', async (t) => {
  const system = live()
  t.after(() => system.close())
  for (const ms of [0, 20, 60, 120, 200, 300, 500, 900]) {
    const plan = await planned(system, [...node, '/s/naughty.mjs', 'ignores-term'])
    await assert.rejects(system.replays.run(plan, { signal: timeLimit(ms) }), { name: 'TimeoutError' })
    assert.deepEqual(await goneSoon(), [], `after ${ms} ms`)
  }
})

test('a secret is in no argument of any process, and in no file', async (t) => {
  const system = live()
  t.after(() => system.close())
  const secret = `very-secret-${Math.random().toString(36).slice(2)}`
  const steering = `steering-secret-${Math.random().toString(36).slice(2)}`
  const script =
    'process.stderr.write(`${process.env.TOKEN === process.argv[1].split("").reverse().join("")} ${process.env.https_proxy?.length}`)'
  const plan = await planned(system, [
    ...['run', '--rm', '-i', '-e', `TOKEN=${secret}`, '-e', `https_proxy=http://u:${steering}@proxy`],
    ...['node:20', 'node', '-e', `${script};setTimeout(()=>{},2000)`, secret.split('').reverse().join('')],
  ])
  const seen = new Set<string>()
  let polling = true
  let polls = 0
  const poll = async (): Promise<void> => {
    while (polling) {
      for (const pid of (await fs.readdir('/proc')).filter((n) => /^\d+$/.test(n))) {
        const line = await fs.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
        if (line.includes(secret) || line.includes(steering)) seen.add(line)
      }
      polls++
      await new Promise((done) => setTimeout(done, 5))
    }
  }
  const polled = poll()
  const run = await system.replays.run(plan).finally(() => (polling = false))
  await polled
  assert.ok(polls > 5)
  assert.deepEqual([...seen], [])
  assert.equal(run.transcript?.stderr.head.toString(), `true ${`http://u:${steering}@proxy`.length}`)
  assert.ok(!JSON.stringify({ ...run, transcript: null }).includes(secret))
  for (const file of await fs.readdir(os.tmpdir())) assert.ok(!file.startsWith('doctor-') || !/^doctor-[0-9a-f]{16}$/.test(file), file)
})

test('bind mounts cannot be written to', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'replay mount, '))
  t.after(() => fs.rm(folder, { recursive: true, force: true }))
  const script = 'try{require("fs").writeFileSync(process.argv[1]+"/x","")}catch(e){console.error(e.code)}'
  const args = (mount: string[]): string[] => ['run', '--rm', '-i', ...mount, 'node:20', 'node', '-e', script, '/m']
  for (const mount of [
    ['-v', `${folder}:/m`],
    ['--mount', `type=bind,"source=${folder}",target=/m`],
  ]) {
    const run = await replay(t, args(mount))
    assert.equal(run.transcript?.stderr.head.toString().trim(), 'EROFS', run.transcript?.stderr.head.toString())
    assert.deepEqual(await fs.readdir(folder), [])
  }
  await replay(t, args(['-v', `${folder}:/m`]), {}, { allowWrites: true })
  assert.deepEqual(await fs.readdir(folder), ['x'])
})

test('a killed doctor leaves nothing after the next sweep', async (t) => {
  const child = path.join(packageRoot(), 'dist-test/test/helpers/replay-child.js')
  for (let i = 0; i < 10; i++) {
    const doctor = spawn(
      process.execPath,
      [child, `killed-${process.pid}-${i}`, 'node', '-e', 'process.on("SIGTERM",()=>{});setInterval(()=>{},1000)'],
      { stdio: 'ignore', env: { ...process.env, DOCKER_HOST: proxy.host } },
    )
    await new Promise((done) => setTimeout(done, 200 + Math.random() * 1500))
    doctor.kill('SIGKILL')
    await once(doctor, 'exit')
  }
  const system = live()
  t.after(() => system.close())
  const mine = async (): Promise<string[]> =>
    (await docker.listContainers({ all: true, filters: { label: [replayLabel] } }))
      .filter((c) => c.Labels[replayLabel]?.startsWith(`killed-${process.pid}-`))
      .map((c) => c.Id)
  // A docker command that outlived its doctor may still be about to start its container.
  const until = Date.now() + 5000
  for (;;) {
    await system.replays.sweep()
    await new Promise((done) => setTimeout(done, 300))
    if ((await mine()).length === 0 || Date.now() > until) break
  }
  assert.deepEqual(await mine(), [])
})

test('the sweep takes what is certainly left over, and nothing else', async (t) => {
  const system = live()
  t.after(() => system.close())
  const own = await system.replays.owner()
  const make = (labels: Record<string, string>): Promise<Docker.Container> =>
    docker.createContainer({ Image: 'alpine:3.18', Cmd: ['true'], Labels: labels, HostConfig: { NetworkMode: 'none' } })
  const labels = (pid: number, startTime: string, bootId = own.bootId, host = own.host): Record<string, string> => ({
    [replayLabel]: `sweep-${process.pid}`,
    [ownerLabel]: `${pid}:${startTime}:${bootId}`,
    [hostLabel]: host,
  })
  // No process has this number: the kernel's limit is 4194304.
  const go = [labels(4_999_999, '1'), labels(process.ppid, '1'), labels(process.pid, own.startTime, 'another-boot/1')]
  const { [ownerLabel]: _, ...ownerless } = labels(4_999_999, '1')
  const stay = [
    labels(4_999_999, '1', own.bootId, 'elsewhere'),
    labels(4_999_999, '1', `${own.bootId.split('/')[0]}/999`),
    { ...labels(1, ''), [ownerLabel]: 'nonsense' },
    ownerless,
    labels(process.pid, own.startTime),
    { 'com.mcpproxy.managed': 'true' },
  ]
  const gone = await Promise.all(go.map(make))
  const kept = await Promise.all(stay.map(make))
  for (const c of kept) traps.add(c.id)
  t.after(() => Promise.all([...gone, ...kept].map((c) => c.remove({ force: true }).catch(() => {}))))
  const { failed } = await system.replays.sweep()
  assert.deepEqual(failed, [])
  const left = new Set((await docker.listContainers({ all: true })).map((c) => c.Id))
  assert.deepEqual(
    gone.map((c) => left.has(c.id)),
    go.map(() => false),
  )
  assert.deepEqual(
    kept.map((c) => left.has(c.id)),
    stay.map(() => true),
  )
})

test('no engine, no docker command', async (t) => {
  const nowhere = createLiveSystem({
    deadline: Date.now() + 10_000,
    env: process.env,
    platform: process.platform,
    homedir: os.homedir(),
    uid: null,
    dockerHost: 'unix:///nowhere.sock',
  })
  t.after(() => nowhere.close())
  const run = await nowhere.replays.run(await planned(nowhere, ['run', '-i', 'alpine:3.18']))
  assert.deepEqual([run.outcome, run.notRun], ['not-run', 'no-engine'])
})

test('without a docker command, through the API', async (t) => {
  const system = live()
  t.after(() => system.close())
  const noPath = { ...process.env, PATH: '/nowhere' }
  const through = async (args: string[], options: RunOptions = {}): Promise<Run> => {
    const run = await system.replays.run(await planned(system, args, { proxyEnv: noPath }), { graceMs: 300, ...options })
    assert.deepEqual([run.leftover, await leftOver()], [null, []])
    return run
  }
  const script = 'console.error(process.env.TOKEN, process.env.HOME, process.getuid());process.exit(4)'
  const limits = ['--memory', '64m', '--user', '1000:1000', '--cap-drop', 'ALL', '--read-only', '--tmpfs', '/tmp:size=1m']
  const exited = await through([
    'run',
    '-i',
    '--network',
    'none',
    ...limits,
    '-e',
    'TOKEN=abc',
    '-e',
    'HOME=/x',
    'node:20',
    'node',
    '-e',
    script,
  ])
  assert.deepEqual([exited.outcome, exited.via, exited.exitCode, ending(exited)], ['exited', 'api', 4, 'exited 4: abc /x #'])
  const works = await through([...node, '/s/good.mjs'])
  assert.deepEqual([works.outcome, works.via, works.transcript?.tools], ['works', 'api', 2])
  const refused = await through(['run', '--rm', '-i', 'alpine:3.18', 'uvx'])
  assert.deepEqual([refused.outcome, ending(refused)], ['refused', 'refused: exec-not-found uvx'])
  assert.deepEqual([(await through(['run', '--rm', 'mcp/everything'])).outcome], ['exited'])
  assert.deepEqual([(await through([...node, '/s/naughty.mjs', 'flood-lines'])).outcome], ['protocol-broken'])
  const silent = await through([...node, '/s/naughty.mjs', 'ignores-term'], { initializeMs: 3000 })
  assert.deepEqual([silent.outcome, silent.endedBy], ['no-answer', 'SIGKILL'])
  const unknown = await through(['run', '--rm', '-i', '--gpus', 'all', 'alpine:3.18'])
  assert.deepEqual([unknown.outcome, unknown.notRun], ['not-run', 'no-program'])
  assert.match(unknown.reason ?? '', /--gpus/)
  for (const ms of [50, 300]) {
    const plan = await planned(system, [...node, '/s/naughty.mjs', 'ignores-term'], { proxyEnv: noPath })
    await assert.rejects(system.replays.run(plan, { signal: timeLimit(ms) }), { name: 'TimeoutError' })
    assert.deepEqual(await leftOver(), [])
  }
})

test('an image that cannot be fetched is said as such', async (t) => {
  const system = live()
  const without = createLiveSystem({
    deadline: Date.now() + 60_000,
    env: { ...process.env, PATH: '/nowhere' },
    platform: process.platform,
    homedir: os.homedir(),
    uid: null,
    dockerHost: proxy.host,
  })
  t.after(() => Promise.all([system.close(), without.close()]))
  for (const { replays } of [system, without]) {
    // Nothing listens on port 9 of the engine's machine.
    const unreachable = await replays.pullImage('127.0.0.1:9/doctor/nosuch:1')
    assert.equal(unreachable.ok, false)
    assert.equal(unreachable.kind, 'registry-unreachable', unreachable.message)
    const invalid = await replays.pullImage('--Not/A:Reference')
    assert.deepEqual([invalid.ok, !invalid.ok && invalid.kind], [false, 'reference-invalid'])
    await assert.rejects(replays.pullImage('127.0.0.1:9/doctor/nosuch:1', { signal: AbortSignal.abort(new Error('stop')) }), /stop/)
  }
})

test('a server on the host, with what it forked', async (t) => {
  const system = live()
  t.after(() => system.close())
  const host = async (args: string[], options: RunOptions = {}): Promise<Run> =>
    system.replays.run(
      await planned(system, [], {
        run: { kind: 'host', command: 'node', args, cwd: servers, loginShell: '/bin/sh' },
        proxyEnv: process.env,
      }),
      options,
    )
  const good = await host(['good.mjs'])
  assert.deepEqual([good.outcome, good.via], ['works', 'host'])
  const forked = await host(['naughty.mjs', 'forks'])
  assert.equal(forked.outcome, 'works')
  const pid = Number(/forked (\d+)/.exec(forked.transcript?.stderr.head.toString() ?? '')?.[1])
  assert.ok(pid > 0)
  const state = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone')
  assert.match(state, /^gone|\) [ZX] /)
  assert.equal((await host(['naughty.mjs', 'ignores-term'], { initializeMs: 2000, graceMs: 200 })).endedBy, 'SIGKILL')
  assert.deepEqual([ending(await host(['naughty.mjs', 'exit'])), (await host(['naughty.mjs', 'exit'])).exitCode], ['exited 7', 7])
})

after(async () => {
  watching.destroy?.()
  await proxy.close()
})

// Last: it judges all that was done above.
test('everything that was changed carries our label', async () => {
  const { requests } = proxy
  const creations = requests.filter((r) => r.path.startsWith('/containers/create'))
  assert.ok(creations.length > 30)
  const known = new Set<string>()
  for (const { path: target, body } of creations) {
    const json = body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)
    const { Labels } = JSON.parse(json) as { Labels: Record<string, string> }
    assert.ok(Labels[replayLabel] !== undefined && Labels[ownerLabel] !== undefined && Labels[hostLabel] !== undefined, json)
    assert.ok(Object.keys(Labels).every((l) => !l.startsWith('com.mcpproxy.')))
    known.add(new URL(target, 'http://x').searchParams.get('name') ?? '')
  }
  assert.ok([...known].every((name) => name.startsWith('doctor-replay-')))
  for (const { method, path: target } of requests) {
    if (target.startsWith('/containers/create') || target.startsWith('/images/create')) continue
    const id = /^\/containers\/([^/?]+)/.exec(target)?.[1]
    assert.ok(id !== undefined, `${method} ${target}`)
    assert.ok((labelled.has(id) && !traps.has(id)) || known.has(id), `${method} ${target}`)
  }
})
