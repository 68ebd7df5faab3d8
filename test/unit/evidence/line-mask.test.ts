import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { createLineMask, type LineMask } from '../../../src/lib/evidence/line-mask.ts'
import { secretPatterns } from '../../../src/lib/evidence/secret-patterns.ts'
import { configSecrets, makeRedactor, mark, secretTraces } from '../../../src/lib/evidence/secrets.ts'
import { Suspicion } from '../../../src/lib/evidence/suspicion.ts'
import { parseLogLine } from '../../../src/lib/formats/log-line.ts'
import { parseConfig } from '../../../src/lib/formats/mcp-config.ts'
import { clean } from '../../../src/lib/report/clean.ts'
import { bare } from '../../helpers/bare-pattern.ts'
import { packageRoot } from '../../helpers/package-root.ts'
import { canaries } from '../../helpers/planted-capture.ts'

const secrets = ['correct-horse', 'quo"te\\d-value', 'ümlaut-value', 'short', 'with blank in it', 'a<b>c&d-value']
const mask = createLineMask(secrets, clean)

/** What is shown of the line without decoding it; null: it must be decoded. */
function shownAtOnce(line: string, by: LineMask = mask): string | null {
  const bytes = Buffer.from(line)
  const count = by.look(bytes, 0, bytes.length)
  if (count < 0) return null
  let shown = ''
  let from = 0
  for (let i = 0; i < count; i++) {
    shown += bytes.toString('utf8', from, by.spans[2 * i]) + mark
    from = by.spans[2 * i + 1] ?? 0
  }
  return shown + bytes.toString('utf8', from)
}

const redact = makeRedactor(secrets)
const suspicion = new Suspicion(secretTraces(secrets))

/** Masking leaves out the texts that the pass lets through: those must be the same behind it. */
function checkText(text: string): void {
  const bytes = Buffer.from(text)
  if (suspicion.scan(bytes, 0, bytes.length) === 0) assert.equal(redact(text), text)
}

function checkTexts(value: unknown, name: string): void {
  if (typeof value === 'string') [value, `"${name}": ${JSON.stringify(value)}`].forEach(checkText)
  else if (typeof value === 'object' && value !== null) for (const [key, item] of Object.entries(value)) checkTexts(item, key)
}

/** Whether the line was shown without decoding it. */
function check(line: string): boolean {
  const parsed = parseLogLine(line, '', null)
  ;[line, parsed?.message ?? ''].forEach(checkText)
  checkTexts(parsed?.fields, '')
  const shown = shownAtOnce(line)
  if (shown !== null) assert.equal(shown, mask.mask(line))
  return shown !== null
}

// Beginnings and ends of what is masked, so that many lines are nearly a secret.
const pieces = [
  'ghp_',
  'github_pat_',
  'abcdefghijklmnopqrstuv0123456789',
  'sk-',
  'xoxb-',
  'AKIA',
  'ABCDEFGHIJKLMNOP',
  'eyJ',
  '.',
  '-----BEGIN RSA PRIVATE KEY-----',
  'Bearer ',
  'Basic ',
  'https://',
  'user:pass-word',
  '@',
  'host/path',
  '?',
  '&',
  'token',
  'api_key',
  'API-KEY',
  'apikey',
  'access-key',
  '=',
  ': ',
  '"',
  '\\"',
  "'",
  ' ',
  ',',
  '-e',
  '-ie',
  '-eNAME=value1234',
  '--env',
  '--build-arg',
  '--token',
  '--password',
  '--api-key=',
  'NAME=',
  'PASSWORD=',
  'Authorization',
  'authorization',
  'x-api-key',
  'X-Token',
  'Cookie',
  ':',
  'value1234',
  'hunter2hunter2',
  'undefined',
  '${HOME}',
  '\\n',
  '\\t',
  '\u001b[31m',
  '\u202e',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  ';',
  '`',
  'passwd',
  'secret',
  'credential',
  'pwd',
  'correct-horse',
  'correct-hors',
  'quo\\"te\\\\d-value',
  'quo\\\\\\"te\\\\\\\\d-value',
  '%C3%BCmlaut-value',
  'short',
  'shorts',
  'Y29ycmVjdC1ob3JzZQ',
  'a\\u003cb\\u003ec\\u0026d-value',
  'with blank in it',
]

test('a line that is let through as it is holds nothing that masking would change', () => {
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, fc.nat(5), (body, form) => {
      const json = JSON.stringify(body)
      check(
        [
          body,
          `2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | ${clean(body)} | {"server": "x"}`,
          `2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | stderr | {"server": "x", "message": ${json}}`,
          `2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | m | {"server": "x", "list": ["run", ${json}, "b"]}`,
          `2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | m | {"server": "x", "final_args": ["run", ${json}, "b"]}`,
          `{"level":"info","ts":"2026-11-22T21:47:29Z","msg":"stderr","server":"x","message":${json}}`,
        ][form] as string,
      )
    }),
    { numRuns: 4000 },
  )
})

// ---- fields ------------------------------------------------------------------------

const fieldNames = [
  ...'session_id sessionid sessionId token access_token tokens total_tokens tokens_cached key keys api_key apiKey public_key'.split(' '),
  ...'password pass passed sig signature pat path pw jwt dsn auth auth_type author authorized credential cred bearer webhook_url'.split(
    ' ',
  ),
  ...'secret max_tokens no_auth x-api-key X-Token Authorization Cookie cookies server message msg level ts a 1 10 __proto__'.split(' '),
  'a b',
  'secret key',
  'tok\\u0065n',
  'to\\/ken',
  'ümlaut_key',
]
const names = fc.constantFrom(...fieldNames)
const shortIds = fc.string({ unit: fc.constantFrom(...'abcxyzABCXYZ0123456789_-'), minLength: 0, maxLength: 50 })
const words = fc.constantFrom(
  ...'true undefined missing environment development production password default utf-8 oauth2 c.utf-8 VALUE SECRET_0123456789ab sk- key'.split(
    ' ',
  ),
  '${HOME}',
  '$TOKEN',
  'a b',
  'node:20-alpine',
  '/run/secrets/x',
  '***',
  'a***b***c',
  '{"token": "abc12345"}',
  '6f1c2b1e-7d5a-4a53-9b1e-2f6b1c2d3e4f',
  'mcp-session-6f1c2b1e-7d5a-4a53-9b1e-2f6b1c2d3e4f',
  'mcp-session-6f1c2b1E-7D5a-4a53-9b1e-2f6b1c2d3e4f',
  'kJ8sh3Nd9aPq0LmXz7Vb2Wc4Rt6Yu1Io5Eg8Hf3D',
)
const canaryValues = fc.constantFrom(...canaries.map(({ value }) => value))
/** As it stands in JSON. Some of it is written as nobody writes it. */
const written: fc.Arbitrary<string> = fc.letrec<{ value: string; text: string; object: string; list: string }>((tie) => ({
  text: fc.oneof({ weight: 3, arbitrary: shortIds }, words, canaryValues).map((text) => JSON.stringify(text)),
  object: fc.array(fc.tuple(names, tie('value')), { maxLength: 3 }).map((all) => objectOf(all)),
  list: fc.array(tie('value'), { maxLength: 3 }).map((all) => `[${all.join(', ')}]`),
  value: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 6, arbitrary: tie('text') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...'0 7 832 123456 1234567 -5 -0 -0.0 0.5 0.25 1.50 1.0 0.01 0.0000001 1e5 1E400 123456789012345 1234567890123456789 01 true false null'.split(
          ' ',
        ),
        ...['"a\\/b"', '"\\u0041bcdefgh1"', '"\\tx"', '"tab\ty"', '"\\x"', '"", "', '{}', '[]', 'tru', '"open'],
      ),
    },
    tie('object'),
    tie('list'),
  ),
})).value
const objectOf = (all: readonly (readonly [string, string])[]): string =>
  `{${all.map(([name, value]) => `"${name}": ${value}`).join(', ')}}`
const aField = fc.tuple(names, written)

test('a value that is replaced where it stands leaves the line that masking leaves', () => {
  let shown = 0
  const time = '2026-11-22T21:47:29.136Z'
  const caller = 't/main.go:40'
  const compact = (json: string): string => json.replaceAll('": ', '":').replaceAll(', "', ',"')
  const message = fc.constantFrom(
    'm',
    'INFO',
    't',
    'it said | {"a": 1} | and went on',
    'key: abc',
    '{',
    '',
    'a | b | c',
    '{"token": "abc12345"}',
  )
  fc.assert(
    fc.property(fc.array(aField, { maxLength: 5 }), message, fc.nat(13), (all, text, form) => {
      const fields = objectOf([['server', '"x"'], ...all])
      const line = [
        `${time} | INFO | ${caller} | ${text} | ${fields}`,
        `${time} | INFO | ${caller} | ${text} | ${objectOf(all)}`,
        `${time} | WARN | logger | ${caller} | ${text} | ${fields}`,
        `${time} | INFO | ${text} | ${fields}`,
        `${time} | INFO | a | b | ${text} | ${fields}`,
        `${time} | info | ${caller} | ${text} | ${fields}`,
        `2026-13-22T21:47:29.136Z | INFO | ${caller} | ${text} | ${fields}`,
        `2026-11-22T21:47:29+02:00 | INFO | ${caller} | ${text} | ${fields}`,
        `${time} | INFO | ${caller} | ${text} | ${compact(fields)}`,
        `${time} | INFO | ${caller} | ${text} | ${fields}\r`,
        `${time} | INFO | ${caller} | ${text} | ${fields} `,
        compact(`{"level":"info","ts":"${time}","caller":"${caller}","msg":"m",${fields.slice(1)}`),
        compact(`{"level":"info","ts":"2026-13-22T00:00:00Z","caller":"${caller}","msg":"m",${fields.slice(1)}`),
        `{"level":"info","ts":"${time}","caller":"${caller}","msg":"m",${fields.slice(1)}`,
      ][form] as string
      if (check(line)) shown++
    }),
    { numRuns: 3000 },
  )
  // Else nothing was tried.
  assert.ok(shown > 250, String(shown))
})

test('each kind of secret under each name, in both forms of a line', () => {
  for (const name of fieldNames)
    for (const value of [...canaries.map((canary) => canary.value), 'a1b2c3d4', 'abcdefgh'])
      for (const line of [
        `2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | m | {"server": "x", "${name}": ${JSON.stringify(value)}, "n": 12}`,
        `{"level":"info","ts":"2026-11-22T21:47:29.136Z","caller":"t/main.go:40","msg":"m","server":"x","${name}":${JSON.stringify(value)},"n":12}`,
      ])
        check(line)
})

test('what stands behind each name that makes a secret of it', () => {
  const stems = (
    'key keys apikey apikeys token tokens secret secrets pass passwd password passwords passphrase passcode pat pwd pw auth authorization ' +
    'credential credentials creds bearer cookie cookies jwt sig signature dsn accesskey secretkey privatekey authkey session sessionid webhookurl'
  ).split(' ')
  const cases = (word: string): string[] => [word, word.toUpperCase(), `${word.charAt(0).toUpperCase()}${word.slice(1)}`]
  for (const stem of stems.flatMap(cases))
    for (const name of [stem, `my_${stem}`, `my${stem}`, `${stem}_1`, `${stem}Value`, `${stem}-id`, `--${stem}`])
      for (const text of [
        '=abcd1234',
        ': abcd1234',
        '="abcd1234"',
        "': 'abcd1234'",
        '": "abcd1234"',
        '\\": \\"abcd1234',
        '\\n: abcd1234',
        '\n: abcd1234',
        '\n = abcd1234',
        ' abcd1234',
      ])
        check(
          `2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | said | {"server": "x", "message": ${JSON.stringify(`it ${name}${text} x`)}}`,
        )
})

test('the id of a session is masked where it stands', () => {
  const head = '2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | call | '
  const line = (id: string): string =>
    `${head}{"server": "x", "session_id": "${id}", "n": 12, "tokens_cached": 4, "inner": {"api_key": "${id}"}, "c": 1.5}`
  for (const id of ['k3j4h5g6', 'abcdefgh', '6f1c2b1e-7d5a-4a53-9b1e-2f6b1c2d3e4f', 'mcp-session-6f1c2b1e-7d5a-4a53-9b1e-2f6b1c2d3e4f'])
    assert.equal(shownAtOnce(line(id)), line(mark))
  // What is written twice, or in another way, is written anew.
  for (const other of ['1, "n": 2', '1.0', '-0', '12345678901234567', '0.0000001', '"\\/"', '"\\u0041"', '[1,2]']) {
    const odd = line('k3j4h5g6').replace('"n": 12', `"n": ${other}`)
    assert.equal(shownAtOnce(odd), null)
    assert.doesNotMatch(mask.mask(odd), /k3j4h5g6/)
  }
  // A long number may be one.
  assert.equal(shownAtOnce(line('k3j4h5g6').replace('"tokens_cached": 4', '"tokens_cached": 1234567')), null)
})

test('an escape hides neither a name nor a token', () => {
  const random = 'kJ8sh3Nd9aPq0LmXz7Vb2Wc4Rt6Yu1Io5Eg8Hf3D'
  for (const said of [`to\\/ken=${random}`, `x ${random.slice(0, 20)}\\/${random.slice(20)}`, `tok\\u0065n=abcd1234`])
    check(`2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | said | {"server": "x", "message": "${said}"}`)
})

test('what stands before a message stays when the message is masked, also when it says the same', () => {
  const line = '2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | t | {"server": "x", "token": "correct-horse"}'
  assert.equal(mask.mask(line), line.replace('correct-horse', mark))
})

test('the lines of all recordings', () => {
  const captures = join(packageRoot(), 'test/captures')
  let lines = 0
  let suspects = 0
  for (const name of readdirSync(captures)) {
    const logs = join(captures, name, 'home/.local/state/mcpproxy/logs')
    let files: string[]
    try {
      files = readdirSync(logs).filter((file) => file.endsWith('.log'))
    } catch {
      continue
    }
    for (const file of files)
      for (const line of readFileSync(join(logs, file), 'utf8').split('\n')) {
        if (!check(line)) suspects++
        lines++
      }
  }
  assert.ok(lines > 1000)
  // Else nothing is gained by it.
  assert.ok(suspects < lines / 2, `${suspects} of ${lines}`)
})

test('values of variables in a setup line, by their places, and from then on everywhere', () => {
  const own = createLineMask([], clean)
  const line =
    '2026-11-22T21:47:29.136Z | INFO | c.go:1 | Docker isolation setup completed | {"server": "x", "container_args": ["--token", "zebra-zebra-1"], "docker_run_args": ["run", "-e", "PLAIN=blue-monday-77", "node:20"]}'
  const masked = own.mask(line)
  assert.match(masked, /^2026-11-22T21:47:29\.136Z \| INFO \| c\.go:1 \| Docker isolation setup completed \| \{"server": "x", /)
  assert.doesNotMatch(masked, /blue-monday|zebra/)
  assert.match(masked, /"-e", "PLAIN=••••", "node:20"/)
  const later = '2026-11-22T21:47:30.136Z | INFO | c.go:1 | it said blue-monday-77'
  assert.equal(shownAtOnce(later, own), null)
  assert.doesNotMatch(own.mask(later), /blue-monday/)
})

test('a secret in a JSON text inside a field', () => {
  const line = '2026-11-22T21:47:29.136Z | INFO | c.go:1 | stderr | {"server": "x", "message": "{\\"token\\":\\"abcd1234efgh\\"} seen"}'
  assert.equal(shownAtOnce(line), null)
  assert.doesNotMatch(mask.mask(line), /abcd1234efgh/)
})

test('controls go, the rest of the line stays', () => {
  const line = '2026-11-22T21:47:29.136Z | INFO | c.go:1 | \u001b[31mred\u001b[0m | {"server": "x"}'
  assert.equal(shownAtOnce(line), null)
  assert.equal(mask.mask(line), '2026-11-22T21:47:29.136Z | INFO | c.go:1 | red | {"server": "x"}')
})

test('what any pattern of a token finds is suspect', () => {
  for (const { pattern } of secretPatterns)
    fc.assert(
      fc.property(fc.stringMatching(bare(pattern())), (text) => {
        checkText(`using ${text} for it`)
      }),
      { numRuns: 60 },
    )
})

test('the password of an address is struck without the address, also as it is meant', () => {
  const address = 'postgres://app:pw%40Rq7Zk2@db.internal:5432/x'
  for (const server of [{ env: { DATABASE_URL: address } }, { args: ['-e', `DATABASE_URL=${address}`] }]) {
    const values = configSecrets(parseConfig('', Buffer.from(JSON.stringify({ mcpServers: [server] }))))
    const redactAll = makeRedactor(values)
    for (const said of ['pw%40Rq7Zk2', 'pw@Rq7Zk2'])
      assert.equal(redactAll(`login failed with ${said} twice`), `login failed with ${mark} twice`)
  }
})
