import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, outcome, startedTogether, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic: one container for each server, all within seconds.
const together = (count: number, apart = 0.5): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'] },
  serverLog: attempt({ end: ['no-answer', 30] }),
  events: startedTogether(count, apart),
})

test('twelve at once', async () => {
  const found = await finding('start-stampede', together(12))
  assert.equal(found?.severity, 'warning')
  assert.equal(found.rank, 'suspected')
  assert.equal(found.facts['servers'], 12)
})

test('near misses: a few, one after the other, a machine with many processors', async () => {
  assert.equal(await finding('start-stampede', together(4)), null)
  assert.equal(await finding('start-stampede', together(12, 60)), null)
  assert.equal(await finding('start-stampede', { ...together(12), info: { NCPU: 32 } }), null)
})

test('without the events it cannot be told', async () => {
  const { events: _, ...parts } = together(12)
  assert.equal((await outcome('start-stampede', parts)).type, 'undetermined')
})
