import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, codes, finding, type Synthetic } from '../../helpers/synthetic.ts'

// In the form of the recording of a Python server that never flushes.
const silent = (command: string, args: string[], more: Partial<Synthetic> = {}): Synthetic => ({
  server: { name: 'web', command, args },
  serverLog: attempt({ command, runtime: 'python', stderr: [[0.3, 'started']], end: ['no-answer', 30] }),
  ...more,
})

test('a silent script: something to try beside the symptom', async () => {
  const parts = silent('python3', ['/srv/server.py'])
  assert.deepEqual(await codes(parts), ['no-answer', 'stdout-buffered'])
  const found = await finding('stdout-buffered', parts)
  assert.equal(found?.rank, 'suspected')
  assert.equal(found.remedies[0]?.kind === 'config-edit' && found.remedies[0].edits[0]?.path.at(-1), 'PYTHONUNBUFFERED')
})

test('near misses: unbuffered already, a module, node, a script that says what is wrong', async () => {
  assert.equal(await finding('stdout-buffered', silent('python3', ['-u', '/srv/server.py'])), null)
  const set = { name: 'web', command: 'python3', args: ['/srv/server.py'], env: { PYTHONUNBUFFERED: '1' } }
  assert.equal(await finding('stdout-buffered', silent('', [], { server: set })), null)
  assert.equal(await finding('stdout-buffered', silent('python3', ['-m', 'http.server'])), null)
  assert.equal(await finding('stdout-buffered', silent('node', ['/srv/server.mjs'])), null)
  const refused = attempt({ command: 'python3', stderr: [[1, '[Errno 111] Connection refused']], end: ['no-answer', 30] })
  assert.equal(await finding('stdout-buffered', silent('python3', ['/srv/server.py'], { serverLog: refused })), null)
})
