/**
 * All formats of all commands that have them, against schemas and the parsers of their readers, with names and texts from
 * somebody who wants more than to be read.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from './helpers/fast-check.ts'
import { clean } from '../src/lib/report/clean.ts'
import { renderGithub } from '../src/lib/report/github.ts'
import { renderJson } from '../src/lib/report/json.ts'
import type { LintReport } from '../src/lib/report/lint-report.ts'
import { renderMarkdown } from '../src/lib/report/markdown.ts'
import { renderResultsJunit } from '../src/lib/report/results-junit.ts'
import { checkResults, configPlace, lintResults, sentenceOf, type Results } from '../src/lib/report/results.ts'
import { renderSarif } from '../src/lib/report/sarif.ts'
import { smokeJunit, type SmokeView } from '../src/lib/report/smoke-text.ts'
import { openCapture } from '../src/lib/system/recorded.ts'
import { check } from '../src/lib/workflow/check.ts'
import { readAnnotation } from './helpers/annotations.ts'
import { junitErrors, validJunit } from './helpers/junit.ts'
import { lint } from './helpers/lint.ts'
import { markdownRows } from './helpers/markdown-tables.ts'
import { sampleReport, severalServers, ttyFlag } from './helpers/sample-report.ts'
import { smallCapture } from './helpers/small-capture.ts'
import { selected, validSarif } from './helpers/sarif.ts'
import { uncleanPart } from './helpers/terminal-scanner.ts'
import { lintSchemaErrors, schemaErrors } from './helpers/valid-report.ts'

const about = { version: '0.1.0', repository: 'https://example.org/doctor', pages: 'https://example.org/pages' }
const pieces = [
  ...[
    ']]>',
    '<![CDATA[',
    '<script>alert(1)</script>',
    '</failure>',
    '<!-- ',
    '&lt;',
    '&#0;',
    '"',
    "'",
    '<b>',
    '</code>',
    '<img src=x onerror=y>',
  ],
  ...['%0A::error::x', '%25', '%', '::error::x', '\n::set-output name=a::b', '\r\n##[error]x', '::', ',', '=', 'file=/etc/passwd,line=1'],
  ...[
    '|',
    '\\|',
    '\\',
    '`',
    '``',
    '`|`',
    '\n| a | b |',
    '***',
    '[x](http://evil.example)',
    '@someone',
    '# ',
    '$x$',
    '~~',
    'https://evil.example',
  ],
  ...[
    '\u0000',
    '\u0001',
    '\u001b[31m',
    '\u009b2J',
    '\u007f',
    '\u202e',
    '\ufeff',
    '\ufffe',
    '\uffff',
    '\ud800',
    '\u2028',
    '日本語',
    '😀',
    ' ',
    'a',
  ],
]
const hostile = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }).map((list) => list.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
/** Everything at once, and then at random. */
const examples: [string][] = [[pieces.join('')], [pieces.toReversed().join('')]]

/** What a terminal obeys or does not show goes; a runner prints its log to one. */
const visible = (text: string): string => text.split('\n').map(clean).join('\n')

/** Each format of these results, read back. */
async function holds(results: Results): Promise<void> {
  const cases = results.groups.flatMap((g) => g.cases)
  const findings = cases.flatMap((c) => c.findings)
  const open = cases.filter((c) => c.open !== null).length

  const run = validSarif(renderSarif(results, about))
  assert.equal(run.results.length, findings.filter((f) => configPlace(f) !== null).length)

  const read = await validJunit(renderResultsJunit(results))
  assert.equal(read.filter((c) => c.outcome?.kind === 'failure' || c.outcome?.kind === 'skipped').length, findings.length)
  assert.equal(read.filter((c) => c.outcome?.kind === 'error').length, open)

  const printed = renderGithub(results)
  assert.equal(uncleanPart(printed), null)
  const lines = printed.split('\n').slice(0, -1)
  const annotations = lines.map(readAnnotation)
  assert.ok(annotations.every((a) => a !== null && ['error', 'warning', 'notice'].includes(a.command)))
  assert.equal(lines.length, findings.length + open + results.notes.length)
  findings.forEach((finding, i) => {
    // Those of one case stand together, in order.
    const annotation = annotations.find((a, at) => at >= i && a?.message === visible(sentenceOf(finding)))
    assert.ok(annotation, sentenceOf(finding))
    const place = configPlace(finding)
    assert.equal(annotation.properties['file'], place === null ? undefined : visible(place.file))
    assert.equal(annotation.properties['line'], place === null ? undefined : String(place.line))
    const known = ['file', 'line', 'endLine', 'col', 'endColumn', 'title']
    assert.ok(Object.keys(annotation.properties).every((key) => known.includes(key)))
  })

  assert.equal(markdownRows(renderMarkdown(results, about)).length, findings.length + open)
}

const lintReport = (text: string, name: string): LintReport => ({
  ...{ schemaVersion: 1, mcpproxy: { version: 'v0.60.0', assumed: true }, failOn: 'error', notes: [`A note about ${name}.`] },
  files: [{ file: name, servers: 3, findings: lint(text).findings, ignored: [], known: 0, fixed: [] }],
})

/** Three servers with much that is wrong, and foreign text wherever there can be any. */
function config(word: string): string {
  const server = (name: string, more: object): object => ({ name: `${name}${word}`, enabled: true, ...more })
  const mcpServers = [
    server('a', { command: 'docker', args: ['run', '-it', `--${word}`, '-v', `~/${word}:/x`, `x/${word}`], protocol: word, [word]: 1 }),
    server('b', {
      command: `bunx${word}`,
      args: [`$\{${word}}`, 1],
      isolation: { mode: word, image: word, memory_limit: word, network: word },
    }),
    server('a', { command: 'npx', args: [word], working_dir: word, init_timeout: word, env: { [word]: 1 } }),
  ]
  return JSON.stringify({ docker_isolation: { enabled: true, network_mode: word, [word]: word }, mcpServers }, null, 2)
}

test('lint: every format holds, and every region of SARIF selects something', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (word) => {
      const text = config(word)
      const report = lintReport(text, `conf/${word.replaceAll(/[/\\\u0000]/g, '')}.json`)
      assert.ok((report.files[0]?.findings.length ?? 0) > 3)
      assert.equal(lintSchemaErrors(JSON.parse(renderJson(report))), null)
      await holds(lintResults(report))
      const { results } = validSarif(renderSarif(lintResults(report), about))
      for (const { locations } of results) assert.notEqual(selected(text, locations[0]!.physicalLocation.region).trim(), '')
    }),
    { numRuns: 25, examples },
  )
})

test('check and check --all on a configuration of somebody else', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (word) => {
      const capture = smallCapture(config(word))
      try {
        for (const all of [true, false]) {
          const system = await openCapture(capture.folder)
          const report = await check(system, { servers: all ? [] : [`b${word}`], all, timeoutMs: 60_000 })
          assert.equal(schemaErrors(JSON.parse(renderJson(report))), null)
          await holds(checkResults(report, '/home/user'))
        }
      } finally {
        capture.remove()
      }
    }),
    { numRuns: 10, examples: examples.slice(0, 1) },
  )
})

test('check with findings from logs and events, and servers of which nothing could be told', async () => {
  for (const [word] of examples) {
    const evil = (report: typeof sampleReport): typeof sampleReport => ({
      ...report,
      servers: report.servers.map((s) => ({
        ...s,
        server: s.server + word,
        summary: s.summary + word,
        findings: [...s.findings, { ...ttyFlag, server: word, title: word, detail: word, cites: ttyFlag.cites.slice(1) }],
      })),
    })
    for (const report of [sampleReport, severalServers]) await holds(checkResults(evil(report), '/home/user'))
  }
})

test('replay --all: what a server says of itself stays its text', async () => {
  const finding = (word: string) => ({ ...ttyFlag, title: word, detail: word })
  await fc.assert(
    fc.asyncProperty(hostile, async (word) => {
      const view: SmokeView = {
        ...{ config: `/home/${word}/mcp_config.json`, mcpproxyVersion: { value: 'v0.60.0', assumed: true } },
        ...{ checkedAt: '2026-11-24T12:00:00.000Z', passed: 1, failed: 1, notTried: 1 },
        servers: [
          { server: `a${word}.`, result: 'pass', why: word, run: null, findings: [] },
          { server: `b${word}`, result: 'fail', why: `says ${word}.`, run: null, findings: [finding(word)] },
          { server: `c${word}`, result: 'not-tried', why: word, run: null, findings: [] },
        ],
      }
      const read = await validJunit(smokeJunit(view))
      assert.deepEqual(
        read.map((c) => c.outcome?.kind ?? 'passed'),
        ['passed', 'failure', 'error'],
      )
      // What XML can hold and a terminal shows comes back as it was.
      const [passed] = read
      const held = (text: string): string =>
        text.replace(
          /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]|[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\u2065\u{e0000}-\u{e0fff}]/gu,
          '\uFFFD',
        )
      assert.equal(passed?.name, held(`a${word}.`))
      assert.equal(read[1]?.outcome?.message, held(`says ${word}.`))
    }),
    { numRuns: 25, examples },
  )
})

test('the checks see what they are there for', async () => {
  assert.notDeepEqual(await junitErrors('<testsuites skipped="1"/>'), [])
  assert.notDeepEqual(
    await junitErrors('<testsuites><testsuite name="a" tests="1" failures="0" errors="0"><case/></testsuite></testsuites>'),
    [],
  )
  assert.notDeepEqual(await junitErrors('<testsuites><![CDATA[ ]]> ]]></testsuites>'), [])
  assert.equal(readAnnotation('error: x'), null)
  assert.deepEqual(readAnnotation('::error file=a%2Cb,line=2::50%25 %0A'), {
    command: 'error',
    properties: { file: 'a,b', line: '2' },
    message: '50% \n',
  })
  assert.throws(() => markdownRows('| a | b |\n| --- | --- |\n| x | y | z |\n'))
  assert.throws(() => markdownRows('| a | b |\n| --- | --- |\n| `x|y` | z |\n'))
  assert.throws(() => markdownRows('a <script>'))
})
