import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { timeLimit } from '../../../src/lib/stop.ts'
import { converse, protocolVersions, type ConversationOptions, type Transcript } from '../../../src/lib/system/stdio-client.ts'
import { packageRoot } from '../../helpers/package-root.ts'

const script = (name: string): string => join(packageRoot(), 'test/fixtures/servers', name)

async function talk(
  t: TestContext,
  args: readonly string[],
  options: ConversationOptions = {},
  env: Record<string, string> = {},
): Promise<Transcript> {
  const child = spawn(process.execPath, [...args], { stdio: 'pipe', env: { PATH: process.env['PATH'], ...env } })
  const closed = once(child, 'close')
  t.after(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const conversation = converse(child, { initializeMs: 10_000, toolsMs: 10_000, settleMs: 100, ...options })
  const outcome = await conversation.finished
  // What it said last may still be under way.
  if (outcome === 'ended') await Promise.race([closed, new Promise((done) => setTimeout(done, 300))])
  return conversation.transcript()
}
const naughty = (t: TestContext, mode: string, options: ConversationOptions = {}): Promise<Transcript> =>
  talk(t, [script('naughty.mjs'), mode], options)
/** For servers that never answer: long enough for a slow machine to start node, short enough for a test. */
const brief = { initializeMs: 3000, toolsMs: 1500 }

test('a good server', async (t) => {
  const seen = await talk(t, [script('good.mjs')])
  assert.equal(seen.outcome, 'works')
  assert.equal(seen.problem, null)
  assert.deepEqual([seen.protocolVersion, seen.serverInfo, seen.tools], [protocolVersions[0], { name: 'good', version: '1.2.3' }, 2])
  assert.deepEqual(seen.foreign, { first: null, count: 0, crlf: 0 })
  const { firstByte, initialize, tools, end } = seen.times
  assert.ok(firstByte !== null && initialize !== null && tools !== null)
  assert.ok(0 < firstByte && firstByte <= initialize && initialize <= tools && tools + 90 <= end)
  const lines = seen.stdout.head.toString('utf8').split('\n')
  assert.equal(seen.stdout.total, seen.stdout.head.length)
  assert.deepEqual(
    lines.slice(0, 2).map((l) => (JSON.parse(l) as { id: number }).id),
    [1, 2],
  )
  const sent = seen.sent.head
    .toString('utf8')
    .trim()
    .split('\n')
    .map((l) => (JSON.parse(l) as { method: string }).method)
  assert.deepEqual(sent, ['initialize', 'notifications/initialized', 'tools/list'])
})

test('the server of the official SDK', async (t) => {
  const seen = await talk(t, [script('sdk.mjs')])
  assert.deepEqual([seen.outcome, seen.tools, seen.protocolVersion, seen.serverInfo?.name], ['works', 3, protocolVersions[0], 'sdk-server'])
})

test('every version that MCPProxy accepts, and none that it does not', async (t) => {
  for (const version of protocolVersions) {
    const seen = await talk(t, [script('good.mjs')], {}, { VERSION: version })
    assert.deepEqual([seen.outcome, seen.protocolVersion], ['works', version])
  }
  const old = await naughty(t, 'old-version')
  assert.deepEqual([old.outcome, old.problem], ['refused', 'initialize: unsupported protocol version "2024-10-07"'])
})

test('tools on many pages', async (t) => {
  const seen = await talk(t, [script('good.mjs')], {}, { TOOLS: '7', PAGE: '2' })
  assert.deepEqual([seen.outcome, seen.tools, seen.pages], ['works', 7, { read: 4, more: false }])
  const endless = await naughty(t, 'endless-pages')
  assert.deepEqual([endless.outcome, endless.pages], ['works', { read: 100, more: true }])
  const same = await naughty(t, 'same-page')
  assert.deepEqual([same.outcome, same.pages], ['works', { read: 2, more: true }])
})

test('lines that are no protocol: passed over as MCPProxy does, the first one kept with its place', async (t) => {
  const banners: [string, string, number][] = [
    ['Listening on stdio\n', 'banner', 0],
    ['\n\u001b[32mready\u001b[0m\n', 'blank', 0],
    ['\u001b[32mready\u001b[0m\n', 'ansi', 0],
    ['\r\n', 'crlf', 0],
    ['{"level":"info","msg":"up"}\n', 'json', 0],
    ['[1,2]\n', 'json', 0],
    ['{oops\n', 'broken-json', 0],
    ['12\n', 'json', 0],
    ['\u0001\u0002binary\n', 'binary', 0],
  ]
  for (const [banner, kind, offset] of banners) {
    const seen = await talk(t, [script('good.mjs')], {}, { BANNER: banner })
    assert.equal(seen.outcome, 'works', kind)
    assert.deepEqual([seen.foreign.first?.kind, seen.foreign.first?.offset], [kind, offset])
    const line = banner.slice(0, banner.indexOf('\n')).replace(/\r$/, '')
    assert.equal(seen.foreign.first?.hex, Buffer.from(line).toString('hex'))
  }
  const crlf = await talk(t, [script('good.mjs')], {}, { EOL: '\r\n' })
  assert.deepEqual([crlf.outcome, crlf.foreign], ['works', { first: null, count: 0, crlf: 2 }])
})

test('what keeps MCPProxy waiting keeps us waiting', async (t) => {
  const kinds = {
    bom: 'bom',
    'utf-16': 'utf-16',
    batch: 'batch',
    'lsp-framing': 'content-length',
    echo: 'echo',
    'invalid-json': 'broken-json',
  }
  await Promise.all(
    Object.entries(kinds).map(async ([mode, kind]) => {
      const seen = await naughty(t, mode, brief)
      assert.deepEqual([mode, seen.outcome, seen.during, seen.foreign.first?.kind], [mode, 'no-answer', 'initialize', kind])
      assert.equal(seen.foreign.first?.offset, 0)
    }),
  )
  for (const mode of ['silent', 'deaf']) {
    const seen = await naughty(t, mode, { initializeMs: 300 })
    assert.deepEqual([seen.outcome, seen.times.firstByte, seen.stdout.total], ['no-answer', null, 0])
    // A timer may fire a moment early.
    assert.ok(seen.times.end >= 290, String(seen.times.end))
  }
})

test('answers to nothing that was asked', async (t) => {
  const [seen, early] = await Promise.all([naughty(t, 'wrong-id', brief), naughty(t, 'answer-early', brief)])
  assert.deepEqual([seen.outcome, seen.stray], ['no-answer', { ids: ['"1"', '99'], count: 2 }])
  // The first cannot be told from an answer, the second came before its question.
  assert.deepEqual([early.outcome, early.during, early.stray.ids], ['no-answer', 'tools/list', ['2']])
})

test('a server that says no', async (t) => {
  const no = await naughty(t, 'says-no')
  assert.deepEqual([no.outcome, no.problem], ['refused', 'initialize: licence expired (-32600)'])
  const tools = await naughty(t, 'tools-fail')
  assert.deepEqual([tools.outcome, tools.during, tools.problem], ['refused', 'tools/list', 'tools/list: database is down (-32603)'])
  const none = await naughty(t, 'no-tools')
  assert.deepEqual([none.outcome, none.tools], ['works', 0])
})

test('a server that ends', async (t) => {
  const exit = await naughty(t, 'exit')
  assert.deepEqual([exit.outcome, exit.during], ['ended', 'initialize'])
  const crash = await naughty(t, 'crash')
  assert.match(crash.stderr.head.toString(), /Error: no API key given[\s\S]*Node\.js v/)
  const late = await naughty(t, 'ends-after-tools', { settleMs: 3000 })
  assert.deepEqual([late.outcome, late.during], ['ended', 'settle'])
  const closed = await naughty(t, 'closes-stdout')
  assert.equal(closed.outcome, 'ended')
  const cut = await naughty(t, 'cut-off')
  assert.deepEqual([cut.outcome, cut.foreign.first?.kind], ['ended', 'partial'])
  const unfinished = await naughty(t, 'no-newline')
  assert.deepEqual([unfinished.outcome, unfinished.foreign.first?.kind], ['ended', 'partial'])
})

test('pieces that cut a character in two', async (t) => {
  const seen = await naughty(t, 'two-halves')
  assert.deepEqual([seen.outcome, seen.serverInfo?.name, seen.foreign.count], ['works', 'grüße 👋', 0])
})

test('questions of the server are answered or refused', async (t) => {
  const seen = await naughty(t, 'asks')
  assert.deepEqual([seen.outcome, seen.refusedRequests], ['works', ['roots/list', 'sampling/createMessage']])
})

test('floods end in bounded memory', async (t) => {
  const before = process.memoryUsage.rss()
  const lines = await naughty(t, 'flood-lines')
  assert.deepEqual([lines.outcome, lines.foreign.first?.kind, lines.foreign.first?.offset], ['flood', 'banner', 0])
  const asks = await naughty(t, 'asks-without-end')
  assert.equal(asks.outcome, 'flood')
  const long = await naughty(t, 'one-long-line', brief)
  assert.deepEqual([long.outcome, long.stdout.head.length], ['no-answer', 64 * 1024])
  const stderr = await naughty(t, 'flood-stderr', { settleMs: 1000 })
  assert.equal(stderr.outcome, 'works')
  assert.match(stderr.stderr.head.toString(), /^first words\n/)
  assert.match(stderr.stderr.tail.toString(), /\nlast words\n$/)
  assert.ok(stderr.stderr.head.length + stderr.stderr.tail.length <= 64 * 1024)
  const huge = await naughty(t, 'huge-answer')
  assert.deepEqual([huge.outcome, huge.tools], ['works', 500])
  assert.ok(process.memoryUsage.rss() - before < 300 * 1024 ** 2)
})

test('a line that is too long is passed over, what follows is read', async (t) => {
  const seen = await naughty(t, 'long-line-then-good', { maxLine: 1024 ** 2 })
  assert.equal(seen.outcome, 'works')
  assert.deepEqual([seen.foreign.first?.kind, seen.foreign.first?.length], ['too-long', 5 * 1024 ** 2])
})

test('it can be stopped', async (t) => {
  const seen = await naughty(t, 'silent', { signal: timeLimit(100) })
  assert.equal(seen.outcome, 'cancelled')
  const before = await naughty(t, 'silent', { signal: AbortSignal.abort() })
  assert.equal(before.outcome, 'cancelled')
})
