/** `explain` as a process: where a text may come from, what goes where, exit codes. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import type { Explanations } from '../../src/lib/rules/match-text.ts'
import { packageRoot } from '../helpers/package-root.ts'
import { runCli } from '../helpers/run-cli.ts'

const tty = 'the input device is not a TTY'
const validate = new Ajv2020({ allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(join(packageRoot(), 'schemas/explain.schema.json'), 'utf8')) as AnySchemaObject,
)
function matches(stdout: string): Explanations['matches'] {
  const parsed = JSON.parse(stdout) as Explanations
  assert.ok(validate(parsed), JSON.stringify(validate.errors))
  return parsed.matches
}

describe('a text', () => {
  test('in one argument, in several, on standard input, in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'doctor-explain-'))
    const file = join(folder, 'log')
    writeFileSync(file, Buffer.from(`\ufeff${tty}\r\n`, 'utf16le'))
    try {
      for (const [args, stdin] of [
        [[tty], ''],
        [tty.split(' '), ''],
        [[], `\u001b[31m${tty}\u001b[0m\n`],
        [['-'], tty],
        [['--file', '-'], tty],
        [['--file', file], ''],
      ] as const) {
        const r = await runCli(['explain', ...args, '--json'], { stdin })
        assert.equal(r.exitCode, 0)
        assert.equal(r.stderr, '')
        assert.equal(matches(r.stdout)[0]?.code, 'tty-flag')
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
  test('for people: what it means, what guides get wrong, what heals it, within 80 columns', async () => {
    const r = await runCli(['explain', tty])
    assert.match(r.stdout, /^This text means one thing: tty-flag/)
    assert.match(r.stdout, /not Docker-in-Docker/)
    assert.match(r.stdout, /"-it" becomes "-i"/)
    for (const line of r.stdout.split('\n')) assert.ok(line.length <= 80, line)
  })
  test('that nothing is known of: exit code 0, and it says so', async () => {
    const r = await runCli(['explain', 'all is well'])
    assert.equal(r.exitCode, 0)
    assert.match(r.stdout, /none that is known/)
    assert.deepEqual(matches((await runCli(['explain', 'all is well', '--json'])).stdout), [])
  })
  test('of many megabytes', async () => {
    const r = await runCli(['explain', '--json'], { stdin: `${'something else\n'.repeat(1_000_000)}${tty}\n` })
    assert.equal(matches(r.stdout)[0]?.code, 'tty-flag')
  })
})

describe('a code', () => {
  test('what it means, as text and as JSON', async () => {
    const r = await runCli(['explain', 'TTY-Flag'])
    assert.equal(r.exitCode, 0)
    assert.match(r.stdout, /^tty-flag {2}[^]*What happens[^]*What proves it[^]*What heals it[^]*Often mistaken for[^]*MCPX_/)
    assert.equal(matches((await runCli(['explain', 'tty-flag', '--json'])).stdout)[0]?.code, 'tty-flag')
  })
  test('--list has all of them', async () => {
    const r = await runCli(['explain', '--list'])
    assert.match(r.stdout, /^api-version +The[^]*\nworking-dir-not-mounted /)
    assert.ok(matches((await runCli(['explain', '--list', '--json'])).stdout).length > 100)
  })
})

describe('wrong usage is 2', () => {
  for (const [name, args, message] of [
    ['an unknown code', ['tyt-flag'], /Did you mean tty-flag\?/],
    ['no input', [], /needs a code or a text[^]*--list/],
    ['a text and a file', ['x y', '--file', 'z'], /exclude each other/],
    ['no such file', ['--file', '/nonexistent'], /no file/],
    ['a folder', ['--file', '/'], /cannot be read/],
  ] as const)
    test(name, async () => {
      const r = await runCli(['explain', ...args])
      assert.equal(r.exitCode, 2)
      assert.equal(r.stdout, '')
      assert.match(r.stderr, message)
    })
})

test('one word on standard input is a text, not a code that does not exist', async () => {
  const r = await runCli(['explain', '-', '--json'], { stdin: 'hello\n' })
  assert.equal(r.exitCode, 0)
  assert.deepEqual((JSON.parse(r.stdout) as { matches: unknown[] }).matches, [])
})
