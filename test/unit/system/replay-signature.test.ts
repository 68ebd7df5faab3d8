import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSignature } from '../../../src/lib/system/replay-signature.ts'
import type { Transcript } from '../../../src/lib/system/stdio-client.ts'

const none = { total: 0, head: Buffer.alloc(0), tail: Buffer.alloc(0) }
const transcript = (over: Partial<Transcript> = {}): Transcript => ({
  outcome: 'ended',
  during: 'initialize',
  problem: null,
  times: { firstByte: null, initialize: null, tools: null, end: 0 },
  protocolVersion: null,
  serverInfo: null,
  tools: null,
  pages: { read: 0, more: false },
  stdout: none,
  stderr: none,
  sent: none,
  foreign: { first: null, count: 0, crlf: 0 },
  messages: 0,
  stray: { ids: [], count: 0 },
  refusedRequests: [],
  ...over,
})
const exited = (stderr: string[], exitCode = 1): string =>
  runSignature({ outcome: 'exited', transcript: transcript(), dockerErrors: [], exitCode, oom: false }, stderr)

test('the error, not what stands around it', () => {
  assert.equal(
    exited([
      'node:internal/modules/cjs/loader:1210',
      'throw err;',
      '^',
      "Error: Cannot find module '/srv/x.mjs'",
      'at Module._load',
      'Node.js v20.1.0',
    ]),
    "exited 1: Error: Cannot find module '/srv/x.mjs'",
  )
  assert.equal(
    exited(['Error [ERR_MODULE_NOT_FOUND]: Cannot find package', "code: 'ERR_MODULE_NOT_FOUND'", 'Node.js v22.0.0']),
    'exited 1: Error [ERR_MODULE_NOT_FOUND]: Cannot find package',
  )
  assert.equal(
    exited(['Traceback (most recent call last):', 'File "x.py", line 3', "ModuleNotFoundError: No module named 'mcp'"]),
    "exited 1: ModuleNotFoundError: No module named 'mcp'",
  )
  assert.equal(exited([], 0), 'exited 0')
})

test('runs that went the same way have the same one', () => {
  const one = exited(['2026-01-02T03:04:05.678Z [1234] request 3f2a9c1b7d4e8f00 failed on port 49152'])
  const two = exited(['2026-02-03T04:05:06.789Z [987] request 00aa9c1b7d4e8f11 failed on port 50001'])
  assert.equal(one, two)
  assert.notEqual(exited(['cannot open a.txt']), exited(['cannot open b.txt']))
  assert.notEqual(exited([], 1), exited([], 2))
})

test('docker`s refusals by their kind', () => {
  const refused = (stderr: string[]): string =>
    runSignature({ outcome: 'refused', transcript: transcript(), dockerErrors: [], exitCode: 125, oom: false }, stderr)
  assert.equal(refused(['the input device is not a TTY']), 'refused: tty')
  assert.equal(
    refused([`docker: Error response from daemon: Conflict. The container name "/x" is already in use by container "abc".`]),
    'refused: name-taken x',
  )
})
