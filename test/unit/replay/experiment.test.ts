/** A-B-A on a world made of functions. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { experiment, type Candidate, type ExperimentOptions, type TrialOutcome } from '../../../src/lib/replay/experiment.ts'
import { imageNotHere, sameFailure, signatureOf } from '../../../src/lib/replay/signature.ts'

const tty = signatureOf('ended', 1, ['the input device is not a TTY'])
const other = signatureOf('ended', 1, ['Error: DEMO_KEY environment variable is required'])
const fails = (signature = tty): TrialOutcome => ({ result: 'fails', signature, ms: 100 })
const works: TrialOutcome = { result: 'works', tools: 3, ms: 900 }
const change = (spec: string, more: Partial<Candidate<string>> = {}): Candidate<string> => ({
  code: spec,
  remedy: 0,
  title: `with ${spec}`,
  class: 'safe',
  spec,
  ...more,
})

function lab(
  world: (spec: string, start: number) => TrialOutcome,
  candidates: Candidate<string>[],
  more: Partial<ExperimentOptions<string>> = {},
) {
  const started: string[] = []
  return experiment<string>({
    baseline: 'A',
    candidates,
    recorded: tty,
    allow: new Set(),
    starts: 12,
    deadline: 1000,
    now: () => 0,
    combine: (a, b) => `${a.spec}+${b.spec}`,
    run: (spec) => {
      started.push(spec)
      return Promise.resolve(world(spec, started.length))
    },
    ...more,
  }).then((result) => ({ ...result, started }))
}

describe('experiment', () => {
  test('A fails, B works, A fails: proven', async () => {
    const r = await lab((spec) => (spec === 'B' ? works : fails()), [change('B')])
    assert.equal(r.conclusion, 'proven')
    assert.deepEqual(r.proven, [{ code: 'B', remedy: 0, title: 'with B' }])
    assert.deepEqual(r.started, ['A', 'B', 'A'])
  })
  test('interrupted: what was started counts, what was not proves nothing', async () => {
    let over = false
    const upTo = (last: number) => (spec: string, start: number) => {
      over = start >= last
      return spec === 'B' ? works : fails()
    }
    const more = { interrupted: () => over }
    const first = await lab(upTo(1), [change('B')], more)
    assert.deepEqual([first.conclusion, first.stopped, first.started], ['unhealed', 'it was interrupted', ['A']])
    assert.deepEqual(first.untried, [{ code: 'B', title: 'with B', needs: null, why: 'it was interrupted' }])
    over = false
    const second = await lab(upTo(2), [change('B')], more)
    assert.deepEqual([second.conclusion, second.stopped, second.proven], ['not-confirmed', 'it was interrupted', []])
  })
  test('the world is mended between A and B: nothing is proven', async () => {
    const r = await lab((_, n) => (n === 1 ? fails() : works), [change('B')])
    assert.equal(r.conclusion, 'world-changed')
    assert.deepEqual(r.proven, [])
  })
  test('the second A fails in another way: nothing is proven', async () => {
    const r = await lab((spec, n) => (spec === 'B' ? works : n === 1 ? fails() : fails(other)), [change('B')])
    assert.equal(r.conclusion, 'world-changed')
  })
  test('it works as configured: nothing is tried', async () => {
    const r = await lab(() => works, [change('B')])
    assert.equal(r.conclusion, 'works')
    assert.deepEqual(r.started, ['A'])
  })
  test('it fails in another way than recorded: nothing is tried', async () => {
    const r = await lab(() => fails(other), [change('B')])
    assert.equal(r.conclusion, 'fails-differently')
    assert.deepEqual(r.started, ['A'])
  })
  test('a change that does not help is refuted, the next one is tried', async () => {
    const r = await lab((spec) => (spec === 'C' ? works : fails()), [change('B'), change('C')])
    assert.deepEqual(
      r.refuted.map((c) => c.code),
      ['B'],
    )
    assert.deepEqual(
      r.proven.map((c) => c.code),
      ['C'],
    )
  })
  test('what loosens something is tried only when its class is allowed, and last', async () => {
    const candidates = [change('N', { class: 'network' }), change('B')]
    const without = await lab(() => fails(), candidates)
    assert.deepEqual(without.started, ['A', 'B'])
    assert.deepEqual(
      without.untried.map((u) => [u.code, u.needs]),
      [['N', 'network']],
    )
    const allowed = await lab((spec) => (spec === 'N' ? works : fails()), candidates, { allow: new Set(['network']) })
    assert.deepEqual(allowed.started, ['A', 'B', 'N', 'A'])
    assert.equal(allowed.conclusion, 'proven')
  })
  test('a chain of two: the first change uncovers the second failure', async () => {
    const r = await lab((spec) => (spec === 'M+E' ? works : spec === 'M' ? fails(other) : fails()), [change('M'), change('E')])
    assert.equal(r.conclusion, 'proven')
    assert.deepEqual(
      r.proven.map((c) => c.code),
      ['M', 'E'],
    )
    assert.deepEqual(r.started, ['A', 'M', 'E', 'M+E', 'A'])
  })
  test('a start that somebody else ended is repeated and never counted', async () => {
    const r = await lab(
      (spec, n) => (n === 2 ? { result: 'disturbed', by: 'a clean-up', ms: 5 } : spec === 'B' ? works : fails()),
      [change('B')],
    )
    assert.deepEqual(r.started, ['A', 'B', 'B', 'A'])
    assert.equal(r.conclusion, 'proven')
  })
  test('ended from outside each time: not run', async () => {
    const r = await lab(() => ({ result: 'disturbed', by: 'a clean-up', ms: 5 }), [change('B')])
    assert.equal(r.conclusion, 'not-run')
  })
  test('the budget ends it, and what was not tried is said', async () => {
    const r = await lab(() => fails(), [change('B'), change('C')], { starts: 2 })
    assert.deepEqual(r.started, ['A', 'B'])
    assert.deepEqual(
      r.untried.map((u) => u.code),
      ['C'],
    )
    const unconfirmed = await lab((spec) => (spec === 'B' ? works : fails()), [change('B')], { starts: 2 })
    assert.equal(unconfirmed.conclusion, 'not-confirmed')
  })
  test('no start at all: not run, with the reason', async () => {
    const r = await lab(() => ({ result: 'not-run', why: 'no engine' }), [change('B')])
    assert.equal(r.conclusion, 'not-run')
    assert.equal(r.stopped, 'no engine')
  })
})

describe('signatures', () => {
  test('numbers and ids do not matter, words do', () => {
    assert.ok(
      sameFailure(signatureOf('ended', 1, ['boom at 10:31:04 in 8f3a9c1d2e']), signatureOf('ended', 1, ['boom at 11:02:59 in 0a1b2c3d4e'])),
    )
    assert.ok(!sameFailure(signatureOf('ended', 1, ['boom']), signatureOf('ended', 1, ['bang'])))
  })
  test('another exit code, or another end, is another failure', () => {
    assert.ok(!sameFailure(signatureOf('ended', 1, ['boom']), signatureOf('ended', 137, ['boom'])))
    assert.ok(!sameFailure(signatureOf('ended', null, ['boom']), signatureOf('no-answer', null, ['boom'])))
  })
  test('an image that is still not here is the pull that failed, and nothing else', () => {
    const missing = { how: 'ended' as const, exitCode: null, says: imageNotHere, text: null }
    const refused = signatureOf('ended', null, [
      'docker: Error response from daemon: pull access denied for acme/x, repository does not exist or may require docker login',
    ])
    assert.ok(sameFailure(refused, missing))
    assert.ok(sameFailure(missing, missing))
    assert.ok(!sameFailure(tty, missing))
    assert.ok(!sameFailure(missing, signatureOf('ended', null, [])))
  })
  test('an exit code that nobody saw says nothing against it', () => {
    assert.ok(sameFailure(signatureOf('ended', null, ['the input device is not a TTY']), tty))
    assert.ok(sameFailure(signatureOf('ended', 0, []), signatureOf('ended', 0, [])))
    assert.ok(!sameFailure(signatureOf('ended', 1, []), signatureOf('ended', 2, ['x'])))
  })
})
