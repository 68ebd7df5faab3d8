import assert from 'node:assert/strict'
import { test } from 'node:test'
import { programError } from '../../../src/lib/formats/program-error.ts'

test('what is taken for a program that a script asks for begins at a word', () => {
  const kind = (text: string): [string | undefined, string | null | undefined] => [programError(text)?.kind, programError(text)?.subject]
  assert.deepEqual(kind("/usr/bin/env: 'bash\\r': No such file or directory"), ['carriage-return', 'bash'])
  assert.deepEqual(kind('/app/run.sh: /bin/bash^M: bad interpreter: No such file or directory'), ['carriage-return', '/bin/bash'])
  assert.deepEqual(kind("/app/server: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /app/server)"), [
    'library-missing',
    '/lib/libc.so.6',
  ])
})

test('a long word costs no more than many short ones', () => {
  // Ratios, not seconds: the machine may do other things as well.
  const cost = (text: string): number => {
    const begun = process.cpuUsage()
    for (let n = 0; n < 200; n++) programError(text)
    return process.cpuUsage(begun).user
  }
  const [long, short] = ['x'.repeat(2000), 'xxxxxxx '.repeat(250)]
  for (const text of [long, short]) cost(text)
  const best = (text: string): number => Math.min(...Array.from({ length: 5 }, () => cost(text)))
  assert.ok(best(long) < 5 * best(short) + 1000)
})
