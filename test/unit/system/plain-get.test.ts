/** Whatever a server sends: the same answer as with Node's own client, or an error where that has one. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { after, test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { plainGet, type PlainAnswer } from '../../../src/lib/system/plain-get.ts'

/** What the next connection is told, in pieces; it is closed behind them unless `open`. */
let told: { pieces: Buffer[]; open: boolean } = { pieces: [], open: false }
let heard = ''
const server = net.createServer((socket) => {
  const { pieces, open } = told
  socket.on('error', () => undefined)
  socket.once('data', (data) => {
    heard = data.toString('latin1')
    const send = (i: number): void => {
      const piece = pieces[i]
      if (piece === undefined) return void (open || socket.end())
      // One at a time, so that they are not put together on the way.
      socket.write(piece, () => setImmediate(send, i + 1))
    }
    send(0)
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as net.AddressInfo
after(() => server.close())

type Told = { status: number; body: string } | { error: string }
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : String(error))

function ask(options: { most?: number; cut?: boolean; signal?: AbortSignal; path?: string; key?: string } = {}): Promise<PlainAnswer> {
  const { most = 1e6, cut = false, signal = new AbortController().signal, path = '/', key = '1' } = options
  const limit = (): { bytes: number; beyond: Error | 'cut' } => ({ bytes: most, beyond: cut ? 'cut' : new Error('too long') })
  return plainGet({ address: { host: '127.0.0.1', port }, host: 'x', path, headers: { 'X-One': key }, signal, limit })
}
const ours = (): Promise<Told> =>
  ask().then(
    ({ status, body }) => ({ status, body: body.toString('latin1') }),
    (error: unknown) => ({ error: codeOf(error) }),
  )
const theirs = (): Promise<Told> =>
  new Promise((resolve) => {
    const failed = (error: unknown): void => resolve({ error: codeOf(error) })
    const request = http.get({ host: '127.0.0.1', port, agent: false, headers: { Connection: 'close' } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', failed)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('latin1') }))
    })
    request.on('error', failed)
    request.on('upgrade', (_, socket) => {
      socket.destroy()
      failed('upgrade')
    })
  })

/** The same with the answer whole, and byte by byte. */
async function compared(text: string): Promise<Told> {
  const whole = bytesOf(text)
  const results: Told[] = []
  for (const pieces of [
    [whole],
    whole.length > 2000 ? [whole.subarray(0, 700), whole.subarray(700)] : [...whole].map((byte) => Buffer.from([byte])),
  ])
    for (const client of [ours, theirs]) {
      told = { pieces, open: false }
      results.push(await client())
    }
  const [first] = results as [Told]
  for (const result of results) {
    if ('error' in first) assert.ok('error' in result, `${JSON.stringify(text.slice(0, 200))}: ${JSON.stringify(results)}`)
    else assert.deepEqual(result, first, JSON.stringify(text.slice(0, 200)))
  }
  return first
}

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n')
const fine: [string, string, string][] = [
  ['a length', `${head('Content-Length: 5')}hello`, 'hello'],
  ['a length of nothing', head('Content-Length: 0'), ''],
  ['up to the end', `${head('Connection: close')}hello`, 'hello'],
  ['nothing up to the end', head('Server: Docker/1'), ''],
  ['chunks', `${head('Transfer-Encoding: chunked')}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, 'hello'],
  ['chunks with an extension and a trailer', `${head('transfer-encoding:chunked')}5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n`, 'hello'],
  ['a chunk of 0xA bytes that holds line ends', `${head('Transfer-Encoding: chunked')}A\r\n0123\r\n6789\r\n0\r\n\r\n`, '0123\r\n6789'],
  ['hints before the answer', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${head('Content-Length: 2')}ok`, 'ok'],
  ['no reason', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', 'ok'],
  ['1.0', 'HTTP/1.0 200 OK\r\n\r\nhello', 'hello'],
  ['a redirect is an answer', 'HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\nContent-Length: 2\r\n\r\nno', 'no'],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
]
for (const [what, text, body] of fine)
  test(`${what}: as Node's client`, async () => {
    const answer = await compared(text)
    assert.ok('body' in answer && answer.body === body, JSON.stringify(answer))
  })

const bad: [string, string][] = [
  ['an SSH banner', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['nothing', ''],
  ['half a head', 'HTTP/1.1 200 OK\r\nContent-'],
  ['a status of words', 'HTTP/1.1 fine OK\r\n\r\n'],
  ['a head without names', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
  ['a blank in a name', 'HTTP/1.1 200 OK\r\na b: x\r\n\r\n'],
  ['an answer that ends too soon', `${head('Content-Length: 5')}hel`],
  ['chunks that end too soon', `${head('Transfer-Encoding: chunked')}5\r\nhel`],
  ['chunks without the last one', `${head('Transfer-Encoding: chunked')}3\r\nhel\r\n`],
  ['a size that is none', `${head('Transfer-Encoding: chunked')}xyz\r\nhel\r\n0\r\n\r\n`],
  ['a chunk that is longer than it says', `${head('Transfer-Encoding: chunked')}2\r\nhello\r\n0\r\n\r\n`],
  ['a length that is none', `${head('Content-Length: five')}hello`],
  ['the same length twice', `${head('Content-Length: 5', 'Content-Length: 5')}hello`],
  ['a control in a value', `${head('X: a\x01b', 'Content-Length: 2')}ok`],
  ['two lengths', `${head('Content-Length: 5', 'Content-Length: 6')}hello!`],
  ['a length beside chunks', `${head('Content-Length: 5', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`],
  ['a head without end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(20_000)}`],
]
for (const [what, text] of bad)
  test(`${what}: an error, as of Node's client`, async () => {
    const answer = await compared(text)
    assert.ok('error' in answer)
    assert.match(answer.error, /^(?:HPE_\w+|ECONNRESET)$/)
  })

test('lines that end in another way are no HTTP, at once', async () => {
  told = { pieces: [bytesOf('HTTP/1.1 200 OK\nContent-Length: 2\n\nok')], open: true }
  await assert.rejects(ask(), { code: 'HPE_CR_EXPECTED' })
})

test('a body of a million chunks of one byte takes no more memory than a few times its length', async () => {
  told = {
    pieces: [bytesOf(head('Transfer-Encoding: chunked')), bytesOf('1\r\na\r\n'.repeat(1_000_000)), bytesOf('0\r\n\r\n')],
    open: true,
  }
  const before = process.memoryUsage().heapUsed
  assert.equal((await ask({ most: 2e6 })).body.length, 1_000_000)
  assert.ok(process.memoryUsage().heapUsed - before < 100e6)
})

test('bodies in any chunks, cut anywhere', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), { maxLength: 6 }),
      fc.array(fc.nat(400), { maxLength: 5 }),
      async (parts, cuts) => {
        const chunks = parts.map((part) => Buffer.from(part))
        const body = chunks.flatMap((chunk) => [bytesOf(`${chunk.length.toString(16)}\r\n`), chunk, bytesOf('\r\n')])
        const all = Buffer.concat([bytesOf(head('Transfer-Encoding: chunked')), ...body, bytesOf('0\r\n\r\n')])
        const places = [0, ...cuts.filter((at) => at < all.length).sort((a, b) => a - b), all.length]
        told = { pieces: places.slice(1).map((to, i) => all.subarray(places[i], to)), open: true }
        assert.ok((await ask()).body.equals(Buffer.concat(chunks)))
      },
    ),
    { numRuns: 60 },
  )
})

test('what is asked, and the head of the answer', async () => {
  told = { pieces: [bytesOf(`${head('Server: Docker/28.2.2 (linux)', 'Api-Version: 1.41', 'Content-Length: 2')}OK`)], open: true }
  const answer = await ask({ path: '/_ping?a=b' })
  assert.equal(heard, 'GET /_ping?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-One: 1\r\n\r\n')
  assert.equal(answer.headers.get('api-version'), '1.41')
})

test('a longer body is an error, or cut', async () => {
  const text = `${head('Transfer-Encoding: chunked')}5\r\nhello\r\n`
  told = { pieces: [bytesOf(text)], open: true }
  await assert.rejects(ask({ most: 4 }), /too long/)
  told = { pieces: [bytesOf(text)], open: true }
  assert.equal((await ask({ most: 4, cut: true })).body.toString(), 'hell')
})

test('a silent server is given up with the reason of the signal, before and after its head', async () => {
  for (const pieces of [[], [bytesOf(head('Content-Length: 5'))]]) {
    told = { pieces, open: true }
    const over = new AbortController()
    const asked = ask({ signal: over.signal })
    setTimeout(() => over.abort(new Error('late')), 50)
    await assert.rejects(asked, /late/)
    await assert.rejects(ask({ signal: over.signal }), /late/)
  }
})

test('nobody listens, and a path that would be another question', async () => {
  const nothing = plainGet({
    address: { socketPath: '/nonexistent/x.sock' },
    host: 'x',
    path: '/',
    headers: {},
    signal: new AbortController().signal,
    limit: () => ({ bytes: 1, beyond: 'cut' }),
  })
  await assert.rejects(nothing, { code: 'ENOENT' })
  for (const path of ['/ HTTP/1.1\r\nX: y', '/a b', '/\u010d\u010aX:y']) await assert.rejects(ask({ path }), { code: 'ERR_INVALID_CHAR' })
  // What is no Latin-1 would be sent as something else.
  for (const key of ['k\u010d\u010aX-Evil: yes', 'кл', 'a\nb']) await assert.rejects(ask({ key }), { code: 'ERR_INVALID_CHAR' })
})
