import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../../src/lib/errors.ts'
import { describeFailure, failureJson, failureText, Interrupted } from '../../../src/lib/report/failure.ts'
import { plainTheme } from '../../../src/lib/report/theme.ts'

const oclifError = (message: string, exit: number, code?: string): Error => Object.assign(new Error(message), { oclif: { exit }, code })

test('whose error it is decides the exit code', () => {
  assert.equal(describeFailure(new UserError('no such server')).exitCode, 2)
  assert.equal(describeFailure(oclifError('Nonexistent flag: --x\nSee more help with --help', 2)).exitCode, 2)
  assert.equal(describeFailure(oclifError('EEXIT: 0', 0, 'EEXIT')).exitCode, 0)
  assert.equal(describeFailure(oclifError('failed to load', 1, 'MODULE_NOT_FOUND')).exitCode, 4)
  assert.equal(describeFailure(new TypeError('x is not a function')).exitCode, 4)
  assert.equal(describeFailure('thrown text').exitCode, 4)
  assert.equal(describeFailure(undefined).exitCode, 4)
  assert.equal(describeFailure(new Interrupted('SIGINT')).exitCode, 130)
  assert.equal(describeFailure(new Interrupted('SIGTERM')).exitCode, 143)
})

test('what the user can act on has no stack', () => {
  const text = failureText(describeFailure(new UserError('There is no server "x".', ['Did you mean "y"?'])), plainTheme(), '')
  assert.equal(text, '✗ There is no server "x".\n  Did you mean "y"?\n')
})

test('our own failure says so, with the stack and its cause, and where to report it', () => {
  const text = failureText(describeFailure(new Error('outer', { cause: new Error('inner') })), plainTheme(), 'https://example.org/issues')
  assert.match(text, /^✗ mcpproxy-doctor itself failed: outer\n/)
  assert.match(text, /failure\.test/)
  assert.match(text, /Caused by: Error: inner/)
  assert.match(text.replace(/\n\s*/g, ' '), /Please report it .* https:\/\/example\.org\/issues/)
})

test('as JSON', () => {
  assert.deepEqual(JSON.parse(failureJson(describeFailure(new UserError('no', ['try yes'])))), {
    error: { message: 'no', suggestions: ['try yes'], exitCode: 2 },
  })
})
