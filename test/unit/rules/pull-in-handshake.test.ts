import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, event, finding, type Synthetic } from '../../helpers/synthetic.ts'

const image = 'docker.io/library/tools:1'
// Synthetic: the lines of docker run when it pulls (docker CLI 20.10 to 28).
const pulling = (lines: [number, string][], here: boolean, more: Partial<Synthetic> = {}): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'], isolation: { image: 'tools:1' } },
  images: { [image]: here ? { Config: {}, RepoDigests: [] } : null },
  serverLog: attempt({ stderr: lines, end: ['no-answer', 30] }),
  ...more,
})
const begun: [number, string][] = [
  [0.2, `Unable to find image '${image}' locally`],
  [2, '1: Pulling from library/tools'],
  [2.1, 'a1b2c3d4e5f6: Pulling fs layer'],
]

test('in the middle of the download: pull first, then restart', async () => {
  const found = await finding('pull-in-handshake', pulling(begun, false))
  assert.equal(found?.rank, 'supported')
  assert.match(found.detail, /in the middle of the download\. A restart through its API waits 180 s/)
  assert.deepEqual(
    found.remedies.map((r) => r.kind),
    ['command', 'reload'],
  )
})

test('releases before v0.24.0 wait no longer on a restart', async () => {
  const found = await finding('pull-in-handshake', pulling(begun, false, { version: 'v0.23.2' }))
  assert.match(found?.detail ?? '', /API waits 30 s/)
})

test('the image came after the deadline, so a restart is all', async () => {
  const pull = event(50, 'image', 'pull', image, { name: 'tools' })
  const found = await finding('pull-in-handshake', pulling(begun, true, { events: [pull] }))
  assert.deepEqual(
    found?.remedies.map((r) => r.kind),
    ['reload'],
  )
  assert.equal(found.cites.length, 3)
})

test('near misses: the registry is silent, docker gave up, or the image was here', async () => {
  assert.equal(await finding('pull-in-handshake', pulling(begun.slice(0, 1), false)), null)
  const refused: [number, string] = [3, 'docker: Error response from daemon: manifest for tools:1 not found: manifest unknown.']
  assert.equal(await finding('pull-in-handshake', pulling([...begun, refused], false)), null)
  assert.equal(await finding('pull-in-handshake', pulling([], true)), null)
})
