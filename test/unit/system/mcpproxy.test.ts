import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { createFiles } from '../../../src/lib/system/files.ts'
import { createProxyApi, listenUrl, type LiveProxyApi, type ProxyApiOptions } from '../../../src/lib/system/mcpproxy.ts'

interface Seen {
  url: string
  key: string | undefined
}

async function serve(t: TestContext, server: net.Server, place?: string): Promise<string> {
  if (place === undefined) server.listen(0, '127.0.0.1')
  else server.listen(place)
  await once(server, 'listening')
  const sockets = new Set<net.Socket>()
  server.on('connection', (s: net.Socket) => sockets.add(s))
  t.after(() => {
    for (const s of sockets) s.destroy()
    server.close()
  })
  return place === undefined ? `http://127.0.0.1:${(server.address() as net.AddressInfo).port}` : `unix://${place}`
}

async function socketPath(t: TestContext): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  t.after(() => fs.rm(folder, { recursive: true, force: true }))
  return path.join(folder, 's.sock')
}

const respond = (seen: Seen[], handler: (req: http.IncomingMessage, res: http.ServerResponse) => void): http.Server =>
  http.createServer((req, res) => {
    seen.push({ url: req.url ?? '', key: req.headers['x-api-key'] as string | undefined })
    handler(req, res)
  })

/** As MCPProxy 0.60 answers over TCP. */
const likeMcpProxy = (seen: Seen[]): http.Server =>
  respond(seen, (req, res) => {
    res.setHeader('content-type', 'application/json')
    if (req.headers['x-api-key'] !== 'k1')
      return void res.writeHead(401).end('{"success":false,"error":"Invalid or missing API key","request_id":"f8ffb54f"}')
    if (req.url === '/api/v1/moved') return void res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    res.end('{"success":true,"data":{"version":"v0.60.0","pid":7}}')
  })

function api(t: TestContext, places: string[], more: Partial<ProxyApiOptions> = {}): LiveProxyApi {
  const made = createProxyApi({
    files: createFiles(),
    platform: process.platform,
    uid: process.getuid?.() ?? null,
    places: () => Promise.resolve(places),
    key: () => Promise.resolve('k1'),
    users: () => Promise.resolve(process.getuid === undefined ? null : [process.getuid(), 0]),
    deadline: Date.now() + 20_000,
    limitMs: 800,
    ...more,
  })
  t.after(() => made.close())
  return made
}

test('over TCP: the key is sent after MCPProxy showed itself', async (t) => {
  const seen: Seen[] = []
  const place = await serve(t, likeMcpProxy(seen))
  const proxy = api(t, [place])
  const answer = await proxy.get('/api/v1/servers')
  assert.ok(answer.ok && answer.value.status === 200)
  assert.deepEqual(seen, [
    { url: '/api/v1/info', key: undefined },
    { url: '/api/v1/servers', key: 'k1' },
  ])
  assert.equal(await proxy.address(), place)
  const moved = await proxy.get('/api/v1/moved')
  assert.ok(moved.ok && moved.value.status === 302)
})

test('a wrong key: 401 is an answer', async (t) => {
  const place = await serve(t, likeMcpProxy([]))
  const wrong = await api(t, [place], { key: () => Promise.resolve('other') }).get('/api/v1/info')
  assert.ok(wrong.ok && wrong.value.status === 401)
  const none = await api(t, [place], { key: () => Promise.resolve(null) }).get('/api/v1/info')
  assert.ok(none.ok && none.value.status === 401)
})

test('a stranger on the port gets no key, and whether MCPProxy runs is not known', async (t) => {
  for (const [status, body] of [
    [200, '{"status":"ok"}'],
    [401, '{"error":"login"}'],
    [200, '<html>'],
    [302, ''],
  ] as const) {
    const seen: Seen[] = []
    const place = await serve(
      t,
      respond(seen, (_, res) => void res.writeHead(status, status === 302 ? { location: '/login' } : {}).end(body)),
    )
    const answer = await api(t, [place]).get('/api/v1/servers')
    assert.ok(!answer.ok && answer.error.kind === 'failed' && /not MCPProxy \(HTTP \d+\).*--api/.test(answer.error.message))
    assert.ok(seen.every((s) => s.key === undefined))
  }
})

test('an imitation by another user gets no key', { skip: process.platform !== 'linux' }, async (t) => {
  const seen: Seen[] = []
  const place = await serve(t, likeMcpProxy(seen))
  const answer = await api(t, [place], { users: () => Promise.resolve([99_999]) }).get('/api/v1/servers')
  assert.ok(!answer.ok && answer.error.kind === 'denied' && /another user/.test(answer.error.message))
  assert.ok(seen.every((s) => s.key === undefined))
})

test('the socket comes first and needs no key', { skip: process.platform === 'win32' }, async (t) => {
  const seen: Seen[] = []
  const place = await serve(
    t,
    respond(seen, (_, res) => void res.end('{"success":true,"data":{"version":"v0.60.0"}}')),
    await socketPath(t),
  )
  const proxy = api(t, [place, 'http://127.0.0.1:1'])
  assert.equal((await proxy.get('/api/v1/servers')).ok, true)
  assert.equal(await proxy.address(), place)
  assert.ok(seen.every((s) => s.key === undefined))
})

test(
  'who asks while it is being found is answered with what it said then; later it is asked anew',
  { skip: process.platform === 'win32' },
  async (t) => {
    const seen: Seen[] = []
    let pid = 0
    const answering = respond(seen, (_, res) => void res.end(`{"success":true,"data":{"version":"v0.60.0","pid":${++pid}}}`))
    const proxy = api(t, [await serve(t, answering, await socketPath(t))])
    const pids = async (): Promise<unknown> => {
      const answer = await proxy.get('/api/v1/info')
      return answer.ok && (answer.value.body as { data: { pid: number } }).data.pid
    }
    assert.deepEqual(await Promise.all([pids(), pids()]), [1, 1])
    assert.equal(await pids(), 2)
    assert.equal(seen.length, 2)
  },
)

test('the socket of another user is not touched: the daemon would end', { skip: process.platform === 'win32' }, async (t) => {
  let connections = 0
  const socket = await serve(
    t,
    net.createServer((s) => {
      connections++
      s.destroy()
    }),
    await socketPath(t),
  )
  const answer = await api(t, [socket], { uid: 99_999 }).get('/api/v1/servers')
  assert.ok(!answer.ok && answer.error.kind === 'denied' && /its own user/.test(answer.error.message))
  const place = await serve(t, likeMcpProxy([]))
  const proxy = api(t, [socket, place], { uid: 99_999 })
  assert.equal((await proxy.get('/api/v1/servers')).ok, true)
  assert.equal(await proxy.address(), place)
  assert.equal(connections, 0)
})

test('nothing there: MCPProxy does not run', async (t) => {
  const proxy = api(t, [`unix://${await socketPath(t)}`, 'http://127.0.0.1:1'])
  const answer = await proxy.get('/api/v1/info')
  assert.ok(!answer.ok && answer.error.kind === 'unreachable')
  assert.match((await proxy.address()) ?? '', /^unix:/)
})

test('silent, endless, no HTTP', async (t) => {
  const silent = await api(t, [
    await serve(
      t,
      net.createServer(() => {}),
    ),
  ]).get('/x')
  assert.ok(!silent.ok && silent.error.kind === 'timed-out')
  const banner = await api(t, [
    await serve(
      t,
      net.createServer((s) => s.end('SSH-2.0-x\r\n')),
    ),
  ]).get('/x')
  assert.ok(!banner.ok && banner.error.kind === 'failed' && /not MCPProxy \(no HTTP\)/.test(banner.error.message))
  const half = await api(t, [
    await serve(
      t,
      http.createServer((_, res) => void res.write('{')),
    ),
  ]).get('/x')
  assert.ok(!half.ok && half.error.kind === 'timed-out')
  const endless = http.createServer((_, res) => {
    const more = (): void => {
      while (res.write(' '.repeat(65536)));
      res.once('drain', more)
    }
    more()
  })
  const cut = await api(t, [await serve(t, endless)], { maxBytes: 2 ** 20, limitMs: 5000 }).get('/x')
  assert.ok(!cut.ok && /longer than/.test(cut.error.message))
})

test('listen addresses', () => {
  assert.equal(listenUrl('127.0.0.1:8080', false), 'http://127.0.0.1:8080')
  assert.equal(listenUrl(':9000', true), 'https://127.0.0.1:9000')
  assert.equal(listenUrl('0.0.0.0:1', false), 'http://127.0.0.1:1')
  assert.equal(listenUrl('[::1]:1', false), 'http://[::1]:1')
})
