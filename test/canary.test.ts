/** No secret reaches a bundle: forty kinds, in every place and spelling, and each is counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { fc } from './helpers/fast-check.ts'
import { processorTime } from './helpers/processor-time.ts'
import { createRedactor } from '../src/lib/evidence/redaction.ts'
import { packArchive } from '../src/lib/system/archive.ts'
import { memoryFiles } from '../src/lib/system/capture-files.ts'
import { openRecorded } from '../src/lib/system/recorded.ts'
import { captureFiles } from '../src/lib/system/recording.ts'
import { record, redacted } from '../src/lib/workflow/bundle.ts'
import { canaries, plantedCapture, type Canary } from './helpers/planted-capture.ts'
import { tracesOf } from './helpers/planted-folder.ts'

const places = [
  'home/.mcpproxy/mcp_config.json',
  'home/.local/state/mcpproxy/logs/main.log',
  'home/.local/state/mcpproxy/logs/server-web.log',
  'api/config.json',
  'api/servers.json',
  'docker/containers.json',
  'docker/inspect-at-die.json',
  'docker/events.ndjson',
  'docker/images/node_22.json',
  'host/environment.json',
]

const recorded = async (canary: Canary) =>
  (await record(await openRecorded('planted', memoryFiles(plantedCapture(canary))), { servers: ['web'], all: false, timeoutMs: 60_000 }))
    .content

test('there are forty kinds', () => assert.ok(new Set(canaries.map((c) => c.kind)).size >= 40))

for (const canary of canaries) {
  test(`canary: ${canary.kind}`, async () => {
    const content = await recorded(canary)
    const before = new Map(captureFiles(content).map((f) => [f.name, f.bytes.toString('utf8')]))
    for (const place of places)
      assert.ok(
        tracesOf(canary.value).some((t) => before.get(place)?.includes(t)),
        `it was planted in ${place}`,
      )

    const { files, redactions } = redacted(content, { keepPaths: false, hostname: 'elsewhere' })
    const archive = await packArchive(files)
    for (const [what, text] of [
      ...files.map((f) => [f.name, f.bytes.toString('utf8')] as const),
      ['the archive', archive.toString('latin1')] as const,
      ['the archive, unzipped', gunzipSync(archive).toString('utf8')] as const,
    ])
      for (const trace of tracesOf(canary.value)) {
        const at = text.indexOf(trace)
        assert.ok(at < 0, `${what}: …${text.slice(Math.max(0, at - 60), at + trace.length + 20)}…`)
      }
    for (const place of places) assert.ok((redactions.find((r) => r.place === place)?.count ?? 0) > 0, `counted in ${place}`)
    assert.doesNotMatch(JSON.stringify(redactions), new RegExp(canary.value.replace(/[^\w]/g, '\\$&')))
    // The same value has the same token in all places.
    const shared = redactions.filter((r) => r.token.startsWith('SECRET_') || r.token.startsWith('VALUE_'))
    const tokens = new Map<string, number>()
    for (const { token } of shared) tokens.set(token, (tokens.get(token) ?? 0) + 1)
    assert.ok(Math.max(...tokens.values()) >= places.length - 2)
  })
}

test('another bundle has other tokens', async () => {
  const content = await recorded(canaries[0] as Canary)
  const tokens = () => new Set(redacted(content, { keepPaths: false, hostname: 'x' }).redactions.map((r) => r.token))
  const [one, two] = [tokens(), tokens()]
  assert.ok(one.size > 0)
  for (const token of one) assert.ok(!two.has(token), token)
})

const options = { key: Buffer.alloc(32, 7), identity: null, keep: [] }

for (const { kind, value } of canaries.filter((c) => c.variable === null)) {
  test(`by its form alone: ${kind}`, () => {
    for (const text of [`the server said ${value} and went on`, JSON.stringify({ message: `got ${value}` }), `x="${value}"`]) {
      const redactor = createRedactor(options)
      redactor.learn(text, 'lines')
      const struck = redactor.redact(text, 'x')
      assert.ok(!struck.includes(value), struck)
      assert.equal(redactor.redactions().length, 1)
    }
  })
}

test('cut off by MCPProxy, or split over two fields: what is left goes too', () => {
  const value = 'Zk3Xq9Lw7Rt2Vb8Nc5Md4Hs6Jf1Gp0Qy'
  const redactor = createRedactor(options)
  redactor.learn(JSON.stringify({ env: { API_TOKEN: value } }), 'json')
  for (const text of [
    `"message": "token ${value.slice(0, 12)}..."`,
    `"message": "token ${value.slice(0, 20)}"`,
    `{"first": "${value.slice(0, 15)}", "second": "${value.slice(15)}"}`,
    `…${value.slice(10)} was refused`,
  ]) {
    const struck = redactor.redact(text, 'x')
    for (let at = 0; at + 8 <= value.length; at++) assert.ok(!struck.includes(value.slice(at, at + 8)), struck)
  }
})

test('a PEM block goes, as a text of several lines and inside JSON', () => {
  const body = ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7', 'VJTUt9Us8cKjMzEfYyjiWA4R4ypbHqGC0H0+tG3hGbN3MYHa4Ry4']
  const pem = `-----BEGIN PRIVATE KEY-----\n${body.join('\n')}\n-----END PRIVATE KEY-----\n`
  for (const text of [pem, JSON.stringify({ key_file: pem }), JSON.stringify({ message: JSON.stringify(pem) }), body[0] ?? '']) {
    const redactor = createRedactor(options)
    redactor.learn(text, 'json')
    const struck = redactor.redact(text, 'x')
    for (const line of body) assert.ok(!struck.includes(line), struck)
  }
})

test('redaction changes nothing the second time', () => {
  const parts = fc.constantFrom(
    ...canaries.flatMap((c) => [c.value, `${c.variable ?? 'API_KEY'}=${c.value}`]),
    'text ',
    '"',
    ' ',
    ': ',
    '/home/alice/x',
    '\n',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, fc.string()), { maxLength: 8 }), (pieces) => {
      const text = pieces.join('')
      const identity = { home: '/home/alice', users: ['alice'], hosts: ['workstation'] }
      const first = createRedactor({ ...options, identity })
      first.learn(text, 'lines')
      const once = first.redact(text, 'x')
      assert.equal(first.redact(once, 'x'), once, 'the same redactor')
      const second = createRedactor({ ...options, key: Buffer.alloc(32, 9), identity })
      second.learn(once, 'lines')
      assert.equal(second.redact(once, 'x'), once, 'another one')
    }),
    { numRuns: 500 },
  )
})

test('a text without a secret stays as it is', () => {
  const words = fc.constantFrom(
    'docker',
    'run',
    '--rm',
    '-i',
    'NODE_ENV=production',
    'LOG_LEVEL=debug',
    '-v',
    '/data:/data:ro',
    'PATH=/usr/bin:/bin',
    'sha256:d964fc5475b03f935c94f1c59ee1233c262ef9a3adbdbadb9b481e2451f40d13',
    'docker.io/library/node:22',
    'mcpproxy-web-a1b2',
    'http://127.0.0.1:8080/mcp',
    'exec: "docker-credential-desktop": executable file not found in $PATH',
    'token is missing',
    'the input device is not a TTY',
    'API_KEY is required',
    '"max_tokens": 4096',
    '${env:API_KEY}',
    '2026-11-23T16:10:02.000Z',
    'host.docker.internal',
    'npm error code E404',
    '"auth_type": "oauth"',
    '"secrets": []',
    '{"ok": true}',
    'ghp_abc***CD',
    '/usr/local/lib/node_modules/@modelcontextprotocol/server-everything/dist/index.js',
    'Basic authentication failed',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.lorem({ maxCount: 4 }), fc.integer().map(String)), { maxLength: 12 }), (pieces) => {
      for (const text of [pieces.join(' '), JSON.stringify({ args: pieces, message: pieces.join(' ') })]) {
        const redactor = createRedactor({ ...options, identity: { home: '/home/alice', users: ['alice'], hosts: ['workstation'] } })
        for (const form of ['json', 'lines', 'config'] as const) redactor.learn(text, form)
        assert.equal(redactor.redact(text, 'x'), text)
        assert.deepEqual(redactor.redactions(), [])
      }
    }),
    { numRuns: 500 },
  )
})

test('names of user and host and the home go, those that images bring along stay', () => {
  const redactor = createRedactor({ ...options, identity: { home: '/Users/alice', users: ['alice'], hosts: ['alices-mac'] } })
  assert.equal(
    redactor.redact('/Users/alice/x of alice on alices-mac, C:\\\\Users\\\\bob\\\\x, /home/node/.npm, /home/malice, malice', 'x'),
    '/Users/user/x of user on host, C:\\\\Users\\\\user\\\\x, /home/node/.npm, /home/user, malice',
  )
})

test('no foreign text makes the search slow', () => {
  for (const piece of ['"', 'a=', 'token', 'key-', 'A', 'cookie: ', 'a://', 'sk-', ' ', 'eyJ-', '\\', '-----BEGIN PRIVATE KEY-----']) {
    const text = piece.repeat(Math.ceil(200_000 / piece.length))
    const redactor = createRedactor(options)
    const spent = processorTime()
    redactor.learn(text, 'lines')
    redactor.redact(text, 'x')
    assert.ok(spent() < 10_000, piece)
  }
})
