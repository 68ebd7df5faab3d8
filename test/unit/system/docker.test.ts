import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { createEngine, jsonValues, type EngineOptions } from '../../../src/lib/system/docker.ts'
import type { EngineError } from '../../../src/lib/system/engine-error.ts'
import type { Engine, Observed } from '../../../src/lib/system/system.ts'

async function socketPath(t: TestContext): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  t.after(() => fs.rm(folder, { recursive: true, force: true }))
  return path.join(folder, 'e.sock')
}

async function listen(t: TestContext, server: net.Server | http.Server): Promise<string> {
  const place = await socketPath(t)
  server.listen(place)
  await once(server, 'listening')
  const sockets = new Set<net.Socket>()
  server.on('connection', (s: net.Socket) => {
    s.on('error', () => {})
    sockets.add(s)
  })
  t.after(() => {
    for (const s of sockets) s.destroy()
    server.close()
  })
  return `unix://${place}`
}

function engineAt(t: TestContext, host: string, more: Partial<EngineOptions> = {}): Engine {
  const engine = createEngine({
    endpoint: () => Promise.resolve({ host, decidedBy: 'test', context: null, tls: false, problem: null, tlsMaterial: null }),
    deadline: Date.now() + 20_000,
    limitMs: 600,
    ...more,
  })
  t.after(() => engine.close())
  return engine
}

function error(answer: Observed<unknown>): EngineError {
  assert.equal(answer.ok, false)
  return (answer as unknown as { error: EngineError }).error
}

const json = (handler: (url: string, res: http.ServerResponse) => void): http.Server =>
  http.createServer((req, res) => {
    res.setHeader('content-type', 'application/json')
    handler(req.url ?? '', res)
  })

test('a socket that is not there', async (t) => {
  const engine = engineAt(t, `unix://${await socketPath(t)}`)
  const started = Date.now()
  const answers = await Promise.all([engine.version(), engine.info(), engine.events()])
  for (const answer of answers) assert.deepEqual([error(answer).kind, error(answer).why], ['unreachable', 'missing'])
  assert.ok(Date.now() - started < 2000)
})

test('a socket behind which nobody listens, and a file that is none', async (t) => {
  const place = await socketPath(t)
  await fs.writeFile(place, '')
  assert.equal(error(await engineAt(t, `unix://${place}`).version()).why, 'refused')
  assert.equal(error(await engineAt(t, 'tcp://127.0.0.1:1').version()).why, 'refused')
})

test('an engine that accepts and never answers', async (t) => {
  const host = await listen(
    t,
    net.createServer(() => {}),
  )
  const engine = engineAt(t, host, { limitMs: 3000 })
  const started = Date.now()
  const answers = await Promise.all([
    engine.version(),
    engine.events(),
    engine.image('node:20'),
    engine.programs('node:20'),
    engine.inspect('abc'),
  ])
  for (const answer of answers) assert.deepEqual([error(answer).kind, error(answer).why], ['timed-out', 'timed-out'])
  // Side by side: one after the other they take 15 s.
  assert.ok(Date.now() - started < 12_000, `${Date.now() - started} ms`)
})

test('an engine that answers its head and then nothing', async (t) => {
  const host = await listen(
    t,
    json((_, res) => void res.write('{"a":')),
  )
  assert.equal(error(await engineAt(t, host).version()).why, 'timed-out')
  assert.equal(error(await engineAt(t, host).events()).why, 'timed-out')
})

test('after the deadline no call waits', async (t) => {
  const host = await listen(
    t,
    net.createServer(() => {}),
  )
  const started = Date.now()
  assert.equal(error(await engineAt(t, host, { deadline: Date.now() - 1, limitMs: 60_000 }).version()).why, 'timed-out')
  assert.ok(Date.now() - started < 20_000)
})

test('a socket that closes at once', async (t) => {
  const host = await listen(
    t,
    net.createServer((s) => s.destroy()),
  )
  assert.deepEqual([error(await engineAt(t, host).version()).kind, error(await engineAt(t, host).version()).why], ['failed', 'failed'])
})

test('something else than HTTP, than JSON, than Docker', async (t) => {
  const ssh = await listen(
    t,
    net.createServer((s) => s.end('SSH-2.0-OpenSSH_9.2\r\n')),
  )
  assert.equal(error(await engineAt(t, ssh).version()).why, 'not-docker')
  const html = await listen(
    t,
    http.createServer((_, res) => res.end('<html>')),
  )
  assert.equal(error(await engineAt(t, html).version()).why, 'not-docker')
  const page = await listen(
    t,
    http.createServer((_, res) => res.writeHead(404).end('404 page not found')),
  )
  assert.equal(error(await engineAt(t, page).image('node:20')).why, 'not-docker')
  const list = await listen(
    t,
    json((_, res) => void res.end('[]')),
  )
  assert.equal(error(await engineAt(t, list).version()).why, 'not-docker')
})

test('HTTP 500, and 403 of an authorization plugin', async (t) => {
  const broken = await listen(
    t,
    json((_, res) => void res.writeHead(500).end('{"message":"database is locked"}')),
  )
  const answer = error(await engineAt(t, broken).containers())
  assert.equal(answer.why, 'server-error')
  assert.match(answer.message, /HTTP 500: database is locked/)
  const forbidden = await listen(
    t,
    json((_, res) => void res.writeHead(403).end('{"message":"no"}')),
  )
  assert.equal(error(await engineAt(t, forbidden).containers()).kind, 'denied')
})

test('404 of an engine is an answer', async (t) => {
  const host = await listen(
    t,
    json((_, res) => void res.writeHead(404).end('{"message":"No such image: nosuch:1"}')),
  )
  assert.deepEqual(await engineAt(t, host).image('nosuch:1'), { ok: true, value: null })
  assert.deepEqual(await engineAt(t, host).inspect('0123abc'), { ok: true, value: null })
  assert.equal((await engineAt(t, host).version()).ok, false)
})

test('no path outside its own can be asked for', async (t) => {
  const asked: string[] = []
  const host = await listen(
    t,
    json((url, res) => void (asked.push(url), res.end('{}'))),
  )
  for (const bad of ['../containers', 'a/../../x', 'x?y', 'x#y', '', '/x', 'x y'])
    assert.equal((await engineAt(t, host).image(bad)).ok, false)
  assert.deepEqual(asked, [])
})

test('redirects are not followed', async (t) => {
  let reached = false
  const target = http.createServer((_, res) => {
    reached = true
    res.end('{}')
  })
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  t.after(() => target.close())
  const { port } = target.address() as net.AddressInfo
  const host = await listen(
    t,
    json((_, res) => void res.writeHead(301, { location: `http://127.0.0.1:${port}/` }).end()),
  )
  assert.equal((await engineAt(t, host).version()).ok, false)
  const odd = await listen(
    t,
    json((_, res) => void res.writeHead(301, { location: 'odd://x' }).end()),
  )
  assert.equal((await engineAt(t, odd).version()).ok, false)
  assert.equal(reached, false)
})

test('answers without end are cut', async (t) => {
  const host = await listen(
    t,
    json((url, res) => {
      if (url === '/version') return void res.end('{}')
      const more = (): void => {
        while (res.write(' '.repeat(65536)));
        res.once('drain', more)
      }
      res.on('error', () => {})
      more()
    }),
  )
  const answers = await Promise.all([
    engineAt(t, host, { limitMs: 8000, maxBytes: 2 ** 20 }).images(),
    engineAt(t, host, { limitMs: 8000 }).events(),
  ])
  for (const answer of answers) {
    assert.equal(error(answer).kind, 'failed')
    assert.match(error(answer).message, /longer than/)
  }
})

test('one retry while a daemon is restarted', async (t) => {
  let connections = 0
  const server = json((_, res) => void res.end('{"ApiVersion":"1.41"}'))
  server.on('connection', (s: net.Socket) => {
    if (++connections === 1) s.destroy()
  })
  const host = await listen(t, server)
  assert.deepEqual(await engineAt(t, host, { limitMs: 3000 }).version(), { ok: true, value: { ApiVersion: '1.41' } })
  assert.equal(connections, 2)
})

/** Stands for `ssh … docker system dial-stdio`: joins its pipes to a socket, or fails as ssh does. */
async function fakeSsh(t: TestContext, script: string): Promise<() => Promise<Record<string, string>>> {
  const folder = path.dirname(await socketPath(t))
  await fs.writeFile(path.join(folder, 'ssh'), `#!${process.execPath}\n${script}`, { mode: 0o755 })
  return () => Promise.resolve({ PATH: folder })
}

test('ssh:// goes through the ssh program, as the docker command does', { skip: process.platform === 'win32' }, async (t) => {
  const host = await listen(
    t,
    json((_, res) => void res.end('{"ID":"far"}')),
  )
  const env = await fakeSsh(
    t,
    `if (process.argv.slice(2).join(' ') !== '-o ConnectTimeout=5 -o BatchMode=yes -T -l me -p 2222 -- far docker system dial-stdio') process.exit(9)
    const s = require('net').connect(${JSON.stringify(host.slice('unix://'.length))}); process.stdin.pipe(s); s.pipe(process.stdout)`,
  )
  const far = engineAt(t, 'ssh://me@far:2222', { env, limitMs: 5000 })
  assert.deepEqual(await far.info(), { ok: true, value: { ID: 'far' } })
  assert.deepEqual(await far.info(), { ok: true, value: { ID: 'far' } })
  const refused = await fakeSsh(t, `console.error('ssh: connect to host far port 22: Connection refused'); process.exit(255)`)
  const answer = error(await engineAt(t, 'ssh://far', { env: refused, limitMs: 5000 }).info())
  assert.equal(answer.kind, 'failed')
  assert.match(answer.message, /Connection refused/)
  assert.equal(
    error(await engineAt(t, 'ssh://far', { env: () => Promise.resolve({ PATH: '/nonexistent' }), limitMs: 5000 }).info()).why,
    'misconfigured',
  )
  const silent = await fakeSsh(t, 'setInterval(() => {}, 1000)')
  assert.equal(error(await engineAt(t, 'ssh://far', { env: silent }).info()).why, 'timed-out')
})

test('an endpoint with a problem is not asked', async (t) => {
  const engine = createEngine({
    endpoint: () =>
      Promise.resolve({
        host: null,
        decidedBy: 'test',
        context: 'x',
        tls: false,
        problem: 'context "x" does not exist',
        tlsMaterial: null,
      }),
    deadline: Date.now() + 5000,
  })
  t.after(() => engine.close())
  assert.deepEqual(error(await engine.info()), { kind: 'failed', why: 'misconfigured', message: 'context "x" does not exist' })
})

test('our own DOCKER_HOST does not matter', async (t) => {
  const before = process.env['DOCKER_HOST']
  process.env['DOCKER_HOST'] = 'http://['
  t.after(() => {
    if (before === undefined) delete process.env['DOCKER_HOST']
    else process.env['DOCKER_HOST'] = before
  })
  const host = await listen(
    t,
    json((_, res) => void res.end('{"ID":"x"}')),
  )
  assert.deepEqual(await engineAt(t, host).info(), { ok: true, value: { ID: 'x' } })
})

test('what an engine says of itself in the head of any answer', async (t) => {
  const says = (head: Record<string, string>, seen: string[]): http.Server =>
    http.createServer((req, res) => {
      seen.push(req.url ?? '')
      res.writeHead(200, head).end(req.url === '/_ping' ? 'OK' : '{"Version":"asked"}')
    })
  const seen: string[] = []
  const docker = engineAt(t, await listen(t, says({ server: 'Docker/20.10.24 (linux)', 'api-version': '1.41' }, seen)))
  assert.deepEqual(await docker.hello?.(), { ok: true, value: { Version: '20.10.24', ApiVersion: '1.41', Components: [] } })
  assert.deepEqual(seen, ['/_ping'])
  const podman = engineAt(t, await listen(t, says({ server: 'Libpod/4.9.3 (linux)', 'api-version': '1.41' }, [])))
  const answer = await podman.hello?.()
  assert.deepEqual(answer?.ok && answer.value, { Version: '4.9.3', ApiVersion: '1.41', Components: [{ Name: 'Podman Engine' }] })
  const silent = engineAt(t, await listen(t, says({}, [])))
  assert.deepEqual(await silent.hello?.(), { ok: true, value: { Version: 'asked' } })
  // A proxy before the engine that lets only some questions through.
  const choosy = http.createServer((req, res) => {
    if (req.url === '/version') return void res.end('{"Version":"asked"}')
    res.writeHead(403, { 'content-type': 'application/json' }).end('{"message":"Forbidden"}')
  })
  assert.deepEqual(await engineAt(t, await listen(t, choosy)).hello?.(), { ok: true, value: { Version: 'asked' } })
})

test('events: objects in order, with and without line ends; asked up to the engine’s now', async (t) => {
  let asked = ''
  const ahead = 3_600_000
  const host = await listen(
    t,
    http.createServer((req, res) => {
      res.setHeader('date', new Date(Date.now() - ahead).toUTCString())
      if (req.url === '/version') return void res.end('{}')
      asked = req.url ?? ''
      res.end('{"a":1}\n{"a":"}{"}{"a":3}')
    }),
  )
  assert.deepEqual(await engineAt(t, host).events(), { ok: true, value: [{ a: 1 }, { a: '}{' }, { a: 3 }] })
  const until = Number(new URL(asked, 'http://x').searchParams.get('until')) * 1000
  assert.ok(Math.abs(until - (Date.now() - ahead)) < 5000, asked)
})

test('events that were cut off are no list', () => {
  assert.throws(() => jsonValues('{"a":1}\n{"a":'), /middle/)
  assert.throws(() => jsonValues('hello'), /not JSON/)
  assert.deepEqual(jsonValues(''), [])
})

test('programs: the container is removed when its export fails, by name when its creation was not answered', async (t) => {
  const calls: string[] = []
  const server = (createAnswers: boolean): http.Server =>
    json((url, res) => {
      const request = `${res.req.method} ${url.replace(/doctor-programs-[0-9a-f]+/, 'NAME')}`
      // dockerode repeats the body in the query.
      calls.push(request.replace(/&Image=.*/, ''))
      if (request.startsWith('GET /images/')) return void res.end('{"Id":"sha256:1","Config":{"Env":["PATH=/bin"]}}')
      if (request.startsWith('GET /containers/json')) return void res.end('[]')
      if (request.startsWith('POST')) return createAnswers ? void res.writeHead(201).end('{"Id":"c1"}') : undefined
      if (request.startsWith('DELETE')) return void res.writeHead(204).end()
      res.write('no tar'.repeat(200))
      res.end()
    })
  assert.equal(error(await engineAt(t, await listen(t, server(true))).programs('node:20')).why, 'failed')
  assert.deepEqual(
    calls.filter((c) => !c.startsWith('GET')),
    ['POST /containers/create?name=NAME', 'DELETE /containers/c1?force=true&v=true'],
  )
  calls.length = 0
  assert.equal(error(await engineAt(t, await listen(t, server(false))).programs('node:20')).why, 'timed-out')
  assert.deepEqual(
    calls.filter((c) => c.startsWith('DELETE')),
    ['DELETE /containers/NAME?force=true&v=true'],
  )
})
