import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withRun } from '../../../src/lib/replay/run-evidence.ts'
import type { Finding } from '../../../src/lib/rules/rule.ts'
import type { Run } from '../../../src/lib/system/replay-run.ts'
import { readHistory } from '../../../src/lib/formats/engine-events.ts'
import { serverReport } from '../../../src/lib/workflow/check.ts'
import { life, subject } from '../../helpers/synthetic.ts'

type Ending = 'ended' | 'flood' | 'refused' | 'no-answer'

async function first(ending: Ending, reason: string, stderr = '', oom = true): Promise<Finding | undefined> {
  const web = await subject({ server: { name: 'web', command: 'npx', args: ['-y', 'tool'] }, events: [] })
  const then: Parameters<typeof life>[0]['then'] = [[0, 'create'], [1, 'start'], ...(oom ? [[2, 'oom'] as [number, string]] : []), [3, 'die', { exitCode: '137' }]] // prettier-ignore
  const { stories } = readHistory(life({ then }))
  const outcomes = { ended: 'exited', flood: 'protocol-broken', refused: 'protocol-broken', 'no-answer': 'no-answer' } as const
  const run = {
    outcome: outcomes[ending],
    reason,
    plan: { name: 'mcpproxy-web-ab12' },
    startedAt: new Date('2026-11-23T10:00:00Z'),
    times: { end: 3000, tools: null },
    container: { story: stories[0] },
    transcript: { outcome: ending, stderr: { head: Buffer.from(stderr), tail: Buffer.alloc(0), total: stderr.length } },
  }
  return serverReport(withRun(web, run as unknown as Run)).findings[0]
}

test('memory that runs out while nobody reads the output is no cause', async () => {
  const heap = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
  const why = 'more than 64 MiB on standard output'
  assert.equal((await first('ended', 'It ended before the answer to initialize.'))?.code, 'memory-limit-reached')
  assert.equal((await first('ended', 'It ended before the answer to initialize.', heap, false))?.code, 'js-heap-limit')
  for (const oom of [true, false]) {
    const flood = await first('flood', why, heap, oom)
    assert.deepEqual([flood?.code, flood?.rank], ['no-answer', 'suspected'])
    assert.match(flood?.detail ?? '', /more than 64 MiB/)
  }
})

test('a server that has answered initialize is not said to be silent', async () => {
  const title = async (ending: Ending, reason: string): Promise<string | undefined> => (await first(ending, reason, '', false))?.title
  assert.match((await title('refused', 'tools/list: not today (-1)')) ?? '', /its output is not what MCPProxy can use/)
  assert.match((await title('no-answer', 'no answer to tools/list within 30 s')) ?? '', /not tools\/list in time/)
  assert.match((await title('no-answer', 'no answer to initialize within 30 s')) ?? '', /does not answer initialize in time/)
})
