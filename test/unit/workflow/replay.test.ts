/** What replays do to the findings of a report, on recorded failures and a world made of functions. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TrialOutcome } from '../../../src/lib/replay/experiment.ts'
import { signatureOf } from '../../../src/lib/replay/signature.ts'
import type { StartSpec } from '../../../src/lib/replay/start-spec.ts'
import { replayServer, worthReplaying, type ReplayOptions } from '../../../src/lib/workflow/replay.ts'
import { serverReport } from '../../../src/lib/workflow/check.ts'
import { subjectOf } from '../../helpers/subject.ts'

const words = (spec: StartSpec): string[] => (spec.kind === 'docker' ? [...spec.runArgs, ...spec.command] : [spec.command, ...spec.args])
const works: TrialOutcome = { result: 'works', tools: 13, ms: 900 }
const tty: TrialOutcome = { result: 'fails', signature: signatureOf('ended', 1, ['the input device is not a TTY']), ms: 100 }

async function replay(
  capture: string,
  server: string,
  world: (words: string[], start: number) => TrialOutcome,
  more: Partial<ReplayOptions> = {},
) {
  const { subject, report } = await subjectOf(capture, server)
  assert.ok(worthReplaying(subject, report))
  const started: string[] = []
  const result = await replayServer(subject, report, {
    allow: new Set(),
    starts: 12,
    budgetMs: 60_000,
    env: {},
    judge: serverReport,
    start: (spec) => {
      started.push(words(spec).join(' '))
      return Promise.resolve({ outcome: world(words(spec), started.length), changes: [{ what: '--rm', why: 'kept' }], run: null })
    },
    ...more,
  })
  return { ...result, started, before: report }
}

describe('a terminal flag', () => {
  const world = (words: string[]): TrialOutcome => (words.includes('-it') ? tty : works)
  test('A fails, B works, A fails: proven, with the runs as evidence', async () => {
    const r = await replay('0.60.0-tty-flag', 'everything', world)
    assert.deepEqual(r.started, ['run -it --rm mcp/everything', 'run -i --rm mcp/everything', 'run -it --rm mcp/everything'])
    assert.equal(r.replayed?.conclusion, 'proven')
    const [first] = r.findings
    assert.equal(first?.code, 'tty-flag')
    assert.equal(first?.rank, 'proven')
    assert.equal(first?.cites.filter((c) => c.type === 'replay').length, 3)
    assert.equal(r.steps.find((s) => s.step === 'replay')?.outcome, 'ok')
    assert.deepEqual(
      r.replays.map((x) => x.outcome),
      ['fails', 'works', 'fails'],
    )
  })
  test('it works now: no rank rises', async () => {
    const r = await replay('0.60.0-tty-flag', 'everything', () => works)
    assert.equal(r.replayed?.conclusion, 'works')
    assert.deepEqual(
      r.findings.map((f) => f.rank),
      r.before.findings.map((f) => f.rank),
    )
  })
})

test('what was started and cut short was run; what was not started was not', async () => {
  const why = 'the time for all replays was up'
  const cut = await replay('0.60.0-tty-flag', 'everything', () => ({ result: 'not-run', why, begun: true }))
  assert.equal(cut.replayed?.summary, `It was started, and no start came to an end that says anything: ${why}.`)
  assert.deepEqual([cut.replays[0]?.outcome, cut.replayed.conclusion], ['cut-short', 'not-run'])
  const not = await replay('0.60.0-tty-flag', 'everything', () => ({ result: 'not-run', why }))
  assert.equal(not.replayed?.summary, `Nothing was run: ${why}.`)
  assert.equal(not.replays[0]?.outcome, 'not-run')
  const others = await replay('0.60.0-tty-flag', 'everything', () => ({ result: 'disturbed', by: 'Somebody else paused it.', ms: 1 }))
  assert.match(others.replayed?.summary ?? '', /^It was started.*from outside each time/)
})

test('what loosens something is not tried unasked, and the report says how to ask', async () => {
  const missing: TrialOutcome = { result: 'fails', signature: signatureOf('ended', 127, ['sh: docker: not found']), ms: 100 }
  const world = (words: string[]): TrialOutcome => (words[0] === 'run' ? missing : works)
  const r = await replay('0.60.0-docker-in-docker', 'wrapped', world)
  assert.equal(r.started.length, 1)
  assert.deepEqual(
    r.replayed?.untried.map((u) => u.needs),
    ['unisolated'],
  )
  const allowed = await replay('0.60.0-docker-in-docker', 'wrapped', world, { allow: new Set(['unisolated']) })
  assert.equal(allowed.replayed?.conclusion, 'proven')
})

test('a healthy server and one without a remedy to try are not worth it', async () => {
  const healthy = await subjectOf('0.60.0-healthy', 'good')
  assert.equal(worthReplaying(healthy.subject, healthy.report), false)
  const down = await subjectOf('0.60.0-engine-down', 'good')
  assert.equal(worthReplaying(down.subject, down.report), false)
})
