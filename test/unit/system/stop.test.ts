import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stop } from '../../../src/lib/stop.ts'

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
