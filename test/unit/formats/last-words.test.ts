/** What shells, node, python and npm print when something is missing, and which of several errors was the last. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fatalStart, programError, type ProgramErrorKind } from '../../../src/lib/formats/program-error.ts'

const texts: [string, ProgramErrorKind | null, (string | null)?][] = [
  ['sh: exec: line 0: node: not found', 'shell-not-found', 'node'],
  ['sh: 1: npx: not found', 'shell-not-found', 'npx'],
  ['bash: line 1: uvx: command not found', 'shell-not-found', 'uvx'],
  ["sh: 1: cd: can't cd to /home/user/app", 'file-missing', '/home/user/app'],
  ["sh: cd: line 0: can't cd to /home/user/app: No such file or directory", 'file-missing', '/home/user/app'],
  ['bash: line 1: cd: /home/user/app: No such file or directory', 'file-missing', '/home/user/app'],
  ['bash: line 1: cd: too many arguments', null],
  ['Error: spawn npx ENOENT', 'spawn-missing', 'npx'],
  ['<ref *1> Error: spawnSync docker ENOENT', 'spawn-missing', 'docker'],
  ["FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'", 'spawn-missing', 'ffmpeg'],
  ["FileNotFoundError: [Errno 2] No such file or directory: '/data/config.json'", 'file-missing', '/data/config.json'],
  ["FileNotFoundError: [Errno 2] No such file or directory: 'config.json'", 'file-missing', 'config.json'],
  ['Error: connect ECONNREFUSED 127.0.0.1:5432', 'connection-refused', '127.0.0.1'],
  ['Error: connect ECONNREFUSED ::1:5432', 'connection-refused', '::1'],
  ['connect ECONNREFUSED [::1]:80', 'connection-refused', '[::1]'],
  ['ECONNREFUSED host.docker.internal:80', 'connection-refused', 'host.docker.internal'],
  ['connect ECONNREFUSED 127.0.0.1', 'connection-refused', '127.0.0.1'],
  ['npm error syscall spawn git', 'tool-missing', 'git'],
  ['OSError: libGL.so.1: cannot open shared object file: No such file or directory', 'library-missing', 'libGL.so.1'],
  ['error while loading shared libraries: libssl.so.3: cannot open shared object file', 'library-missing', 'libssl.so.3'],
  ['error: No interpreter found for Python 3.13 in managed installations or search path', 'uv-python', 'Python 3.13'],
  ['sqlite3.OperationalError: unable to open database file', 'database-closed'],
]
for (const [text, kind, subject] of texts) {
  test(text.slice(0, 90), () => {
    const error = programError(text)
    assert.equal(error?.kind ?? null, kind)
    if (subject !== undefined) assert.equal(error?.subject, subject)
  })
}

test('an uncaught exception of node begins after its caret', () => {
  const lines = [
    'metrics: connect ECONNREFUSED 127.0.0.1:9090',
    'node:internal/x:1',
    'throw err;',
    '^',
    "Error: Cannot find package 'x'",
    'at y',
    'Node.js v20.20.2',
  ]
  assert.equal(fatalStart(lines), 4)
  assert.equal(fatalStart(lines.slice(0, -1)), null)
})
test('of a chain of python exceptions the first counts, of two that have nothing to do with each other the last', () => {
  const traceback = 'Traceback (most recent call last):'
  assert.equal(fatalStart(['x', traceback, 'A', 'During handling of the above exception, another exception occurred:', traceback, 'B']), 1)
  assert.equal(fatalStart([traceback, 'A', 'going on', traceback, 'B']), 3)
  assert.equal(fatalStart(['Error: no traceback at all']), null)
})
