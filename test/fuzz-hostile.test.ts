/** Real logs, configurations and archives, damaged: no crash, no hang, and nothing printed that a terminal would obey. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { fc } from './helpers/fast-check.ts'
import { createRedactor } from '../src/lib/evidence/redaction.ts'
import { maskShapes } from '../src/lib/evidence/secrets.ts'
import { UserError } from '../src/lib/errors.ts'
import { clean } from '../src/lib/report/clean.ts'
import { renderMatches } from '../src/lib/report/explanation.ts'
import { formats, renderResults } from '../src/lib/report/formats.ts'
import { renderJson } from '../src/lib/report/json.ts'
import type { LintReport } from '../src/lib/report/lint-report.ts'
import { renderLint } from '../src/lib/report/lint-text.ts'
import { exitCode } from '../src/lib/report/report.ts'
import { checkResults, lintResults } from '../src/lib/report/results.ts'
import { renderReport } from '../src/lib/report/text.ts'
import { createTheme, plainTheme } from '../src/lib/report/theme.ts'
import { explainText } from '../src/lib/rules/match-text.ts'
import { packArchive, readArchive } from '../src/lib/system/archive.ts'
import { memoryFiles, type CaptureFile } from '../src/lib/system/capture-files.ts'
import { openRecorded } from '../src/lib/system/recorded.ts'
import { parseLogLine } from '../src/lib/formats/log-line.ts'
import { check } from '../src/lib/workflow/check.ts'
import { damaged, damagesOf } from './helpers/damage.ts'
import { lint } from './helpers/lint.ts'
import { processorTime } from './helpers/processor-time.ts'
import { uncleanPart } from './helpers/terminal-scanner.ts'

const recordings = 'test/captures'
const logs = 'home/.local/state/mcpproxy/logs'
const names = readdirSync(recordings).filter((n) => n.startsWith('0.60.0-'))
const theme = plainTheme()
const colourful = await createTheme({ env: { FORCE_COLOR: '3' }, platform: 'linux', isTerminal: true, columns: 100, noColor: false })
/** Whatever is given, an answer takes no longer than this on a machine that is busy. */
const limitMs = 5000

const nasty = fc.constantFrom(
  ...[
    '\u001b[2J',
    '\u001b]0;t\u0007',
    '\u001b]52;c;YQ==\u0007',
    '\u001b]8;;http://x\u001b\\',
    '\u009b31m',
    '\u009d0;x\u009c',
    '\u001bP',
    '\u001b',
  ],
  ...[
    '\r',
    '\n',
    '\t',
    '\0',
    '\b',
    '\u007f',
    '\u0085',
    '\u202e',
    '\u2066',
    '\u200b',
    '\u2028',
    '\ufeff',
    '\u00ad',
    '\u{e0041}',
    '\ud800',
    '\udc00',
  ],
  ...[
    '::error::x',
    '%0A::stop-commands::y',
    '<script>',
    ']]>',
    '`',
    '|',
    '[x](javascript:y)',
    '$(id)',
    '../../etc/passwd',
    '--help',
    '%s',
    '\\',
    '"',
    "'",
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '1e999',
    '-0',
    'null',
    '\\u0000',
    '\\ud800',
    '__proto__',
    'constructor',
    '\u{1f44b}',
    'e\u0301\u0301\u0301\u0301',
  ],
  ...['-e TOKEN=', '--token ', 'https://a:b@c', 'Bearer ', 'exec: "', 'a'.repeat(3000)],
)
const damages = damagesOf(nasty, 200)
const isClean = (text: string): void => assert.equal(uncleanPart(text), null)
function inTime<T>(work: () => T): T {
  const spent = processorTime()
  const result = work()
  assert.ok(spent() < limitMs, `${Math.round(spent())} ms`)
  return result
}

const lines = [
  ...new Set(
    names
      .filter((name) => existsSync(join(recordings, name, logs)))
      .flatMap((name) =>
        readdirSync(join(recordings, name, logs)).flatMap((f) => readFileSync(join(recordings, name, logs, f), 'utf8').split('\n')),
      ),
  ),
].filter((l) => l.length < 1500)

test('the scanner sees what it is there for', () => {
  for (const bad of ['\u001b[31m', '\u009b', '\r', '\u202e', '\u200b', '\u0085', '\0', '\ud800', '\u{e0041}'])
    assert.notEqual(uncleanPart(`a${bad}b`), null)
  assert.equal(uncleanPart('a\tb\n→ ✓ 日本 👋'), null)
  assert.equal(uncleanPart('\u001b[31mred\u001b[0m', { colour: true }), null)
  assert.notEqual(uncleanPart('\u001b[2J', { colour: true }), null)
  assert.equal(uncleanPart('https\u200b://x and @\u200bname', { markdown: true }), null)
  for (const bad of ['https\u200b://x', '@\u200bname']) assert.notEqual(uncleanPart(bad), null)
  for (const bad of ['a\u200bb', 'https:\u200b//x', '@\u200b name', '@\u200b\u200bname'])
    assert.notEqual(uncleanPart(bad, { markdown: true }), null)
})

test('lines of logs: 12,000', () => {
  fc.assert(
    fc.property(fc.constantFrom(...lines), damages, (line, damage) => {
      const text = damaged(line, damage)
      inTime(() => {
        parseLogLine(text, 'x.log', 1)
        const masked = maskShapes(text)
        assert.equal(maskShapes(masked), masked, 'masked once more')
        isClean(clean(masked))
      })
    }),
    { numRuns: 12_000 },
  )
})

test('pasted texts: 2,500', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...lines), { minLength: 1, maxLength: 3 }), damages, (some, damage) => {
      isClean(inTime(() => renderMatches(explainText(damaged(some.join('\n'), damage)), theme)))
    }),
    { numRuns: 2500 },
  )
})

const configs = names
  .map((name) => readFileSync(join(recordings, name, 'home/.mcpproxy/mcp_config.json'), 'utf8'))
  .map((text) => (text.length > 2500 ? text.slice(0, text.indexOf('"tools_limit"') + 1 || 2500) : text))

test('configurations, in every format: 2,500', async () => {
  const shown = formats.filter((f) => f !== 'text' && f !== 'json')
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...configs), damages, fc.nat(shown.length - 1), async (config, damage, n) => {
      const { findings } = inTime(() => lint(damaged(config, damage)))
      const report: LintReport = {
        ...{ schemaVersion: 1, mcpproxy: { version: 'v0.60.0', assumed: true }, failOn: 'error', notes: [] },
        files: [{ file: 'mcp_config.json', servers: 1, findings, ignored: [], known: 0, fixed: [] }],
      }
      isClean(renderLint(report, { theme, verbose: true }))
      isClean(renderJson(report))
      assert.deepEqual(JSON.parse(renderJson(report)), JSON.parse(JSON.stringify(report)))
      const format = shown[n]
      assert.ok(format)
      const options = { version: '1', repository: null, pages: null, sources: {}, mask: (t: string) => t }
      const text = await renderResults(format, lintResults(report), options)
      assert.equal(uncleanPart(text, { markdown: format === 'markdown' }), null)
    }),
    { numRuns: 2500 },
  )
})

const small = names.flatMap((name): { name: string; server: string; files: CaptureFile[] }[] => {
  const { server } = JSON.parse(readFileSync(join(recordings, name, 'scenario.json'), 'utf8')) as { server: string }
  const files = readdirSync(join(recordings, name), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => {
      const path = join(e.parentPath, e.name)
      return { name: path.slice(join(recordings, name).length + 1), bytes: readFileSync(path) }
    })
  return files.reduce((n, f) => n + f.bytes.length, 0) < 250_000 ? [{ name, server, files }] : []
})

test('whole recordings: 500', async () => {
  assert.ok(small.length > 5)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...small),
      fc.array(fc.tuple(fc.nat(), damages), { minLength: 1, maxLength: 3 }),
      async ({ server, files }, changes) => {
        const changed = [...files]
        for (const [n, damage] of changes) {
          const at = n % changed.length
          const file = changed[at]
          if (file && file.name !== 'capture.json')
            changed[at] = { name: file.name, bytes: Buffer.from(damaged(file.bytes.toString('utf8'), damage)) }
        }
        const begun = performance.now()
        const system = await openRecorded('fuzz', memoryFiles(changed))
        // A damaged name of a server is a server that is not there.
        const report = await check(system, { servers: [server], all: false, timeoutMs: 20_000 }).catch((error: unknown) => {
          assert.ok(error instanceof UserError, String(error))
          return null
        })
        assert.ok(performance.now() - begun < limitMs)
        if (report === null) return
        assert.deepEqual(
          report.servers.flatMap((s) => s.findings.filter((f) => f.code === 'rule-crashed').map((f) => f.detail)),
          [],
        )
        assert.ok([0, 1, 3].includes(exitCode(report)))
        const options = { commands: [], flags: [], verbose: true }
        isClean(renderReport(report, { ...options, theme }))
        assert.equal(uncleanPart(renderReport(report, { ...options, theme: colourful }), { colour: true }), null)
        isClean(await renderResults('github', checkResults(report, '/'), { version: '1', repository: null, pages: null }))
      },
    ),
    { numRuns: 500 },
  )
})

test('redaction of what is no JSON any more: the second time nothing changes', () => {
  fc.assert(
    fc.property(fc.constantFrom(...configs), damages, (config, damage) => {
      const redactor = createRedactor({ key: Buffer.alloc(32, 1), identity: null, keep: [] })
      const text = damaged(config, damage)
      redactor.learn(text, 'config')
      const once = inTime(() => redactor.redact(text, 'x'))
      assert.equal(redactor.redact(once, 'x'), once)
    }),
    { numRuns: 500 },
  )
})

test('archives: 2,000', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-fuzz-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'x.tgz')
  const packed = await packArchive(small[0]?.files.slice(0, 6) ?? [])
  const plain = gunzipSync(packed)
  const change = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(change, fc.constantFrom('inside', 'header', 'packed', 'cut'), async (changes, where) => {
      const bytes = Buffer.from(where === 'packed' || where === 'cut' ? packed : plain)
      for (const [at, value] of changes) bytes[Math.floor(at * (where === 'header' ? 512 : bytes.length - 1))] = value
      writeFileSync(
        file,
        where === 'packed'
          ? bytes
          : where === 'cut'
            ? bytes.subarray(0, Math.floor((changes[0]?.[0] ?? 0) * bytes.length))
            : gzipSync(bytes, { level: 1 }),
      )
      const begun = performance.now()
      try {
        const files = await readArchive(file)
        for (const { name } of files) assert.doesNotMatch(name, /^\/|(?:^|[\\/])\.\.(?:[\\/]|$)|\0/)
        const system = await openRecorded('fuzz', memoryFiles(files))
        await check(system, { servers: [], all: true, timeoutMs: 10_000 })
      } catch (error) {
        assert.ok(error instanceof UserError, String(error))
      }
      assert.ok(performance.now() - begun < limitMs)
    }),
    { numRuns: 2000 },
  )
})
