import assert from 'node:assert/strict'
import os from 'node:os'
import { test } from 'node:test'
import Docker from 'dockerode'
import { pidLabel, roleLabel } from '../../src/lib/system/docker.ts'
import { createLiveSystem, type LiveSystem } from '../../src/lib/system/live.ts'

const image = 'docker.io/library/alpine:3.18'
const live = (env: NodeJS.ProcessEnv = process.env): LiveSystem =>
  createLiveSystem({
    deadline: Date.now() + 60_000,
    env,
    platform: process.platform,
    homedir: os.homedir(),
    uid: process.getuid?.() ?? null,
    dockerHost: process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock',
  })

function value<T>(answer: { ok: true; value: T } | { ok: false; error: { message: string } }): T {
  assert.ok(answer.ok, answer.ok ? '' : answer.error.message)
  return answer.value
}

const leftOver = async (docker: Docker): Promise<string[]> =>
  (await docker.listContainers({ all: true, filters: { label: [`${roleLabel}=image-programs`, `${pidLabel}=${process.pid}`] } })).map(
    (c) => c.Id,
  )

test('a real engine: every question', async (t) => {
  const system = live()
  t.after(() => system.close())
  const { engine } = system
  const started = Date.now()
  const events = value(await engine.events())
  assert.ok(Date.now() - started < 3000)
  assert.ok(events.every((e) => typeof e === 'object' && e !== null && 'Type' in e))
  assert.ok('ApiVersion' in (value(await engine.version()) as object))
  assert.ok('ID' in (value(await engine.info()) as object))
  assert.ok(Array.isArray(value(await engine.containers())))
  assert.ok(value(await engine.images()).length > 0)
  assert.ok(value(await engine.networks()).some((n) => (n as { Name: string }).Name === 'none'))
  assert.ok('Config' in (value(await engine.image(image)) as object))
  assert.equal(value(await engine.image('docker.io/library/nosuch-doctor:1')), null)
  assert.equal(value(await engine.inspect('0123456789ab')), null)
  assert.match((await engine.endpoint()).host ?? '', /^(unix|tcp):/)
})

test('the log of a container: both streams, by time, a long line whole', async (t) => {
  const script = 'echo one; sleep 0.1; echo two >&2; sleep 0.1; head -c 40000 /dev/zero | tr "\\0" x; echo " end"'
  const container = await new Docker().createContainer({
    Image: image,
    Cmd: ['sh', '-c', script],
    HostConfig: { NetworkMode: 'none' },
  })
  t.after(() => container.remove({ force: true }))
  await container.start()
  await container.wait()
  const system = live()
  t.after(() => system.close())
  const answer = await system.engine.logs?.(container.id)
  assert.ok(answer)
  const lines = value(answer)
  assert.deepEqual(
    lines.map(({ stream, text }) => [stream, text]),
    [
      ['stdout', 'one'],
      ['stderr', 'two'],
      ['stdout', `${'x'.repeat(40_000)} end`],
    ],
  )
})

test('programs of an image, and nothing of ours stays', async (t) => {
  const system = live()
  t.after(() => system.close())
  const found = value(await system.engine.programs(image))
  assert.ok(found.includes('/bin/sh'))
  assert.ok(!found.some((p) => p.endsWith('/node')))
  assert.equal((await system.engine.programs('docker.io/library/nosuch-doctor:1')).ok, false)
  assert.deepEqual(await leftOver(new Docker()), [])
})

test('close() while an image is read: the container goes too', async () => {
  const system = live()
  const reading = system.engine.programs(image)
  await new Promise((done) => setTimeout(done, 30))
  await system.close()
  await reading
  assert.deepEqual(await leftOver(new Docker()), [])
})

test('what a killed doctor left is swept; what is not ours stays', async (t) => {
  const docker = new Docker()
  const make = (labels: Record<string, string>): Promise<Docker.Container> =>
    docker.createContainer({ Image: image, Cmd: ['true'], Labels: labels, HostConfig: { NetworkMode: 'none' } })
  const ours = { [roleLabel]: 'image-programs', 'io.mcpproxy-doctor.host': os.hostname() }
  // No process has this number: the kernel's limit is 4194304.
  const dead = await make({ ...ours, [pidLabel]: '4999999' })
  const alive = await make({ ...ours, [pidLabel]: String(process.ppid) })
  const strange = await make({ [pidLabel]: '4999999' })
  t.after(() => Promise.all([alive, strange, dead].map((c) => c.remove({ force: true }).catch(() => {}))))
  const system = live()
  t.after(() => system.close())
  value(await system.engine.programs(image))
  const left = (await docker.listContainers({ all: true })).map((c) => c.Id)
  assert.deepEqual([left.includes(dead.id), left.includes(alive.id), left.includes(strange.id)], [false, true, true])
})
