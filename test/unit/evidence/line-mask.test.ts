import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLineMask } from '../../../src/lib/evidence/line-mask.ts'
import { clean } from '../../../src/lib/report/clean.ts'
import { packageRoot } from '../../helpers/package-root.ts'

const secrets = ['correct-horse', 'quo"te\\d-value', 'ümlaut-value', 'short', 'with blank in it', 'a<b>c&d-value']
const mask = createLineMask(secrets, clean)

function check(line: string): void {
  const bytes = Buffer.from(line)
  if (!mask.suspect(bytes, 0, bytes.length)) assert.equal(mask.mask(line), line)
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
        check(line)
        lines++
        if (mask.suspect(Buffer.from(line), 0, Buffer.byteLength(line))) suspects++
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
  const later = Buffer.from('2026-11-22T21:47:30.136Z | INFO | c.go:1 | it said blue-monday-77')
  assert.ok(own.suspect(later, 0, later.length))
  assert.doesNotMatch(own.mask(later.toString()), /blue-monday/)
})

test('a secret in a JSON text inside a field', () => {
  const line = '2026-11-22T21:47:29.136Z | INFO | c.go:1 | stderr | {"server": "x", "message": "{\\"token\\":\\"abcd1234efgh\\"} seen"}'
  const bytes = Buffer.from(line)
  assert.ok(mask.suspect(bytes, 0, bytes.length))
  assert.doesNotMatch(mask.mask(line), /abcd1234efgh/)
})

test('controls go, the rest of the line stays', () => {
  const line = '2026-11-22T21:47:29.136Z | INFO | c.go:1 | \u001b[31mred\u001b[0m | {"server": "x"}'
  assert.ok(mask.suspect(Buffer.from(line), 0, Buffer.byteLength(line)))
  assert.equal(mask.mask(line), '2026-11-22T21:47:29.136Z | INFO | c.go:1 | red | {"server": "x"}')
})
