import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, event, finding, time, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic: it worked at 10:00, the image was built at 10:05, and at 10:08 it fails.
const moved = (reference: string, built: number, more: Partial<Synthetic> = {}): Synthetic => ({
  server: { name: 'web', command: 'docker', args: ['run', '-i', '--rm', reference] },
  serverLog: [
    ...attempt({ at: 0, container: null, command: 'docker', end: ['connected', 2] }),
    ...attempt({ at: 480, container: null, command: 'docker' }),
  ],
  images: { [reference]: { Created: time(built), Config: {}, RepoDigests: ['acme/mcp@sha256:aa'] } },
  ...more,
})

test('built after it last worked', async () => {
  const found = await finding('latest-moved', moved('acme/mcp', 300))
  assert.equal(found?.rank, 'supported')
  assert.equal(found.severity, 'warning')
})

test('pulled since then: it may be another one', async () => {
  const pull = event(400, 'image', 'pull', 'acme/mcp:latest', { name: 'acme/mcp' })
  assert.equal((await finding('latest-moved', moved('acme/mcp', -9000, { events: [pull] })))?.rank, 'suspected')
})

test('near misses: an older image, a pinned one, one that never worked', async () => {
  assert.equal(await finding('latest-moved', moved('acme/mcp', -9000)), null)
  assert.equal(await finding('latest-moved', moved('acme/mcp:1.2.3', 300)), null)
  const never = attempt({ at: 480, container: null, command: 'docker' })
  assert.equal(await finding('latest-moved', moved('acme/mcp', 300, { serverLog: never })), null)
})
