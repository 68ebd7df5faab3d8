/** A start that the time for all replays cuts short says nothing of the server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReplayRunner, RunOptions } from '../../../src/lib/system/replay-run.ts'
import { recordedReplays } from '../../../src/lib/system/replay-record.ts'
import { observed, type System } from '../../../src/lib/system/system.ts'
import { createStarter, startedOf, type SeenStart } from '../../../src/lib/workflow/start.ts'

const spec = { kind: 'docker' as const, runArgs: ['run', '-i', '--rm', 'mcp/everything'], command: [], env: {} }

/** `run`: of a container that never answers, in the way of the real one: the reason of the signal, after cleaning up. */
async function started(run: (options: RunOptions) => Promise<never>, deadline: number) {
  const replays: Partial<ReplayRunner> = {
    owner: () => Promise.resolve({ pid: 1, startTime: '', bootId: '', host: 'here' }),
    run: (_, options = {}) => run(options),
  }
  const system: Partial<System> = {
    platform: 'linux',
    replays: replays as ReplayRunner,
    environment: () => Promise.resolve(observed({ env: {}, user: null }) as Awaited<ReturnType<System['environment']>>),
  }
  const seen: SeenStart[] = []
  const starter = await createStarter(system as System, { deadline })
  const start = await starter?.start(spec, 30_000, (s) => seen.push(s))
  return { start, seen }
}

const silent = ({ signal }: RunOptions): Promise<never> =>
  new Promise((_, reject) => {
    // A container keeps the process alive; the timer of a signal does not.
    const alive = setTimeout(() => reject(new Error('It was not ended.')), 5000)
    signal?.addEventListener('abort', () => {
      clearTimeout(alive)
      reject(signal.reason as Error)
    })
  })

test('it is ended then, is no failure, and a recording of it says the same', async () => {
  const { start, seen } = await started((options) => {
    options.starting?.()
    return silent(options)
  }, Date.now() + 30)
  assert.equal(start?.outcome.result, 'not-run')
  assert.equal(start.outcome.begun, true)
  assert.match(start.outcome.why, /the time for all replays was up before it had ended/)
  const [kept] = recordedReplays(JSON.parse(JSON.stringify({ servers: [{ server: 's', starts: seen }] })))?.servers[0]?.starts ?? []
  assert.deepEqual(kept && startedOf(kept), start)
  assert.equal(start.run, null)
  assert.equal(seen[0]?.notStarted, start.outcome.why)
})

test('where nothing was started yet, that is said', async () => {
  const { start } = await started(silent, Date.now() + 30)
  assert.deepEqual(start?.outcome, { result: 'not-run', why: 'the time for all replays was up before it was started', begun: false })
})

test('an error of another kind is not taken for it', async () => {
  await assert.rejects(
    started(() => Promise.reject(new Error('of ours')), Date.now() - 1),
    /of ours/,
  )
})
