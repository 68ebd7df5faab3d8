import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, codes, finding, life, type Synthetic } from '../../helpers/synthetic.ts'

const file = { type: 'file', mode: '0644', uid: 0, gid: 0, size: 0 }
const directory = { type: 'directory', mode: '0755', uid: 0, gid: 0 }
// Synthetic: the file that Docker puts into every container, and the shell's words.
const inside = (text: string, more: Partial<Synthetic> = {}): Synthetic => ({
  server: { name: 'web', command: 'node', args: ['/srv/mcp/server.mjs'], isolation: { extra_args: ['-v', '/srv/mcp:/srv/mcp'] } },
  files: { '/.dockerenv': file },
  serverLog: attempt({ stderr: [[0.1, text]] }),
  ...more,
})

test('no docker in the image of MCPProxy', async () => {
  const parts = inside('/bin/sh: 1: docker: not found', { environment: { programs: { docker: null } } })
  assert.equal((await finding('proxy-in-container', parts))?.rank, 'supported')
  assert.equal((await codes(parts))[0], 'proxy-in-container')
})

test('a file that is here and not where the engine looks', async () => {
  const text = "Error: Cannot find module '/srv/mcp/server.mjs'"
  const found = await finding(
    'proxy-in-container',
    inside(text, { files: { '/.dockerenv': file, '/srv/mcp': directory, '/srv/mcp/server.mjs': file } }),
  )
  assert.equal(found?.facts['what'], 'path')
  assert.equal(found?.rank, 'supported')
})

test('near miss: a file that is not here either: the mounted folder is another, perhaps an empty one that docker made', async () => {
  const files = { '/.dockerenv': file, '/srv/mcp': directory, '/srv/mcp/server.mjs': { error: 'ENOENT' } }
  assert.equal(await finding('proxy-in-container', inside("Error: Cannot find module '/srv/mcp/server.mjs'", { files })), null)
})

test('near misses: the same on a host, another failure, a server that runs', async () => {
  assert.equal(await finding('proxy-in-container', inside('/bin/sh: 1: docker: not found', { files: {} })), null)
  assert.equal(await finding('proxy-in-container', inside('Error: API_KEY is required')), null)
  const fine = { serverLog: attempt({ stderr: [[0.1, '/bin/sh: 1: docker: not found']], end: ['connected', 1] }) }
  assert.equal(await finding('proxy-in-container', inside('', fine)), null)
})

test('near misses: the words come out of the container of the server, or docker is there', async () => {
  const text = 'sh: docker: not found'
  const missing = { environment: { programs: { docker: null } } }
  const ran = life({ then: [[0.1, 'create'], [0.2, 'start'], [0.3, 'die', { exitCode: '127' }]] }) // prettier-ignore
  assert.equal(await finding('proxy-in-container', inside(text, { ...missing, events: ran })), null)
  const refused = life({ then: [[0.1, 'create'], [0.3, 'destroy']] }) // prettier-ignore
  assert.notEqual(await finding('proxy-in-container', inside(text, { ...missing, events: refused })), null)
  assert.equal(await finding('proxy-in-container', inside(text)), null)
})
