import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, type Synthetic } from '../../helpers/synthetic.ts'

const enforcing = { SecurityOptions: ['name=seccomp,profile=default', 'name=selinux'] }
const denied = "Error: EACCES: permission denied, open '/data/notes.json'"
// Synthetic: the engine of a Fedora, the text of node.
const mounted = (volume: string, text = denied, more: Partial<Synthetic> = {}): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'], isolation: { extra_args: ['-v', volume] } },
  info: enforcing,
  images: { 'docker.io/library/node:22': { Config: { User: '' } } },
  serverLog: attempt({ stderr: [[1, text]] }),
  ...more,
})

test('root is refused on a mount without a label: the option is added where the mount stands', async () => {
  const found = await finding('selinux-label', mounted('/home/user/notes:/data'))
  assert.equal(found?.rank, 'supported')
  const [edit] = found.remedies
  assert.equal(edit?.kind === 'config-edit' && edit.edits[0]?.value, '/home/user/notes:/data:z')
  const readOnly = (await finding('selinux-label', mounted('/home/user/notes:/data:ro')))?.remedies[0]
  assert.equal(readOnly?.kind === 'config-edit' && readOnly.edits[0]?.value, '/home/user/notes:/data:ro,z')
})

test('a folder of the system is never labelled', async () => {
  assert.equal((await finding('selinux-label', mounted('/home/user:/data')))?.remedies[0]?.kind, 'instruction')
})

test('another user: it may be the ordinary permissions', async () => {
  const images = { 'docker.io/library/node:22': { Config: { User: 'node' } } }
  assert.equal((await finding('selinux-label', mounted('/home/user/notes:/data', denied, { images })))?.rank, 'suspected')
})

test('near misses: labelled, switched off, no SELinux, another path', async () => {
  assert.equal(await finding('selinux-label', mounted('/home/user/notes:/data:Z')), null)
  assert.equal(await finding('selinux-label', mounted('/home/user/notes:/data', denied, { info: {} })), null)
  assert.equal(await finding('selinux-label', mounted('/home/user/notes:/data', "EACCES: permission denied, mkdir '/root/.npm'")), null)
  const off = {
    name: 'web',
    command: 'npx',
    args: ['x'],
    isolation: { extra_args: ['-v', '/home/user/notes:/data', '--security-opt', 'label=disable'] },
  }
  assert.equal(await finding('selinux-label', mounted('', denied, { server: off })), null)
})
