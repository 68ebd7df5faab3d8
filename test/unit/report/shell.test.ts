import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { clean } from '../../../src/lib/report/clean.ts'
import { shellLine, shellQuote } from '../../../src/lib/report/shell.ts'

test('quotes only what needs it', () => {
  assert.equal(shellLine(['docker', 'run', '-e', 'A=b c', "it's", '']), `docker run -e 'A=b c' 'it'\\''s' ''`)
})

test('a shell reads what was meant, and the line is clean', { skip: process.platform === 'win32' }, () => {
  const argument = fc
    .oneof(
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('$HOME', '`id`', '\n', 'a\tb', '\u001b[2J', '\u202e', '!x', "\\'", '~', '*'),
    )
    .map((a) => a.replace(/[\u0000\p{Cs}]/gu, ''))
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1, maxLength: 5 }), (argv) => {
      const line = shellLine(argv)
      assert.equal(clean(line), line)
      const out = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } })
      assert.deepEqual(out.split('\u0000').slice(0, -1), argv)
    }),
    { numRuns: 60 },
  )
})

test('invisible characters become visible', () => {
  assert.equal(shellQuote('a\u202eb'), `$'a\\u202eb'`)
})
