import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Stop, timeLimit } from '../../../src/lib/stop.ts'

test('the signal is the same before and after, and has the reason of the first call', () => {
  for (const early of [true, false]) {
    const stop = new Stop()
    const before = early ? stop.signal : null
    const calls: string[] = []
    stop.whenAborted(() => calls.push('told'))
    before?.addEventListener('abort', () => calls.push('signalled'))
    assert.deepEqual([stop.aborted, stop.reason], [false, undefined])
    const reason = new Error('first')
    stop.abort(reason)
    stop.abort(new Error('second'))
    assert.deepEqual([stop.aborted, stop.reason, stop.signal.aborted, stop.signal.reason], [true, reason, true, reason])
    if (before) assert.equal(stop.signal, before)
    assert.deepEqual(calls, early ? ['told', 'signalled'] : ['told'])
  }
})

test('a time limit that nobody holds any more ends what it limits, with others and after a garbage collection', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const limited = (make: () => AbortSignal): Promise<unknown> =>
    new Promise((resolve) => {
      const signal = AbortSignal.any([new AbortController().signal, make()])
      const alive = setTimeout(() => resolve('never'), 2000)
      const over = (event: Event): void => {
        clearTimeout(alive)
        resolve((event.target as AbortSignal).reason)
      }
      signal.addEventListener('abort', over, { once: true })
    })
  const own = new Error('own')
  const ends = [limited(() => timeLimit(30)), limited(() => timeLimit(30, () => own)), limited(() => AbortSignal.any([timeLimit(30)]))]
  await new Promise((done) => setTimeout(done, 5))
  collect()
  const [plain, said, nested] = await Promise.all(ends)
  assert.deepEqual(
    [plain, nested].map((e) => e instanceof DOMException && e.name),
    ['TimeoutError', 'TimeoutError'],
  )
  assert.equal(said, own)
  // Longer than a timer of Node can be: at once otherwise.
  const long = timeLimit(2 ** 40)
  await new Promise((done) => setTimeout(done, 20))
  assert.equal(long.aborted, false)
})
