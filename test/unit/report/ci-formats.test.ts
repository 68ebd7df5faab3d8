import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LintReport } from '../../../src/lib/report/lint-report.ts'
import { renderGithub } from '../../../src/lib/report/github.ts'
import { renderLint } from '../../../src/lib/report/lint-text.ts'
import { renderMarkdown } from '../../../src/lib/report/markdown.ts'
import { renderResultsJunit } from '../../../src/lib/report/results-junit.ts'
import { checkResults, lintResults, pagesIn, type Results } from '../../../src/lib/report/results.ts'
import { artifact, difference, renderSarif } from '../../../src/lib/report/sarif.ts'
import { plainTheme } from '../../../src/lib/report/theme.ts'
import type { Finding } from '../../../src/lib/rules/rule.ts'
import { lint } from '../../helpers/lint.ts'
import { offsetsOf, selected, validSarif } from '../../helpers/sarif.ts'
import { sampleReport, severalServers, ttyFlag } from '../../helpers/sample-report.ts'

const about = { version: '0.1.0', repository: 'https://example.org/doctor', pages: pagesIn('https://example.org/doctor') }
const secret = 'ghp_0123456789abcdef0123456789abcdef0123'
const config = `{
  "docker_isolation": { "enabled": true },
  "mcpServers": [
    { "name": "a", "enabled": true, "command": "docker",
      "args": ["run", "-it", "-e", "TOKEN=${secret}", "mcp/everything"] },
    { "name": "b", "enabled": "yes", "command": "bunx", "args": ["x"] },
    { "name": "c", "enabled": true, "command": "npx", "args": ["x"], "isolation": { "memory_limit": "1g" } }
  ]
}
`
const report = (text: string): LintReport => ({
  schemaVersion: 1,
  mcpproxy: { version: 'v0.60.0', assumed: true },
  failOn: 'error',
  files: [{ file: 'conf/mcp_config.json', servers: 3, findings: lint(text).findings, ignored: [], known: 0, fixed: [] }],
  notes: ['A note.'],
})

test('SARIF fits its schema; regions select exactly the bad words', () => {
  const run = validSarif(renderSarif(lintResults(report(config)), about))
  const words = run.results.map((r) => [r.ruleId, selected(config, r.locations[0]!.physicalLocation.region)])
  assert.deepEqual(words, [
    ['tty-flag', '"-it"'],
    ['config-shape', '"yes"'],
    ['unknown-runner', '"bunx"'],
    ['key-without-effect', '"memory_limit"'],
  ])
  for (const rule of run.tool.driver.rules) assert.equal(rule.helpUri, `https://example.org/doctor/blob/main/docs/findings/${rule.id}.md`)
  assert.deepEqual(
    run.invocations[0]?.toolExecutionNotifications?.map((n) => n.message.text),
    ['A note.'],
  )
  assert.equal(new Set(run.results.map((r) => r.partialFingerprints['mcpproxyDoctor/v1'])).size, run.results.length)
})

test('the schema refuses what is no SARIF', () => {
  const log = renderSarif(lintResults(report(config)), about)
  for (const broken of [
    log.replace('"startLine": 5', '"startLine": 0'),
    log.replace('"helpUri": "https', '"helpUri": "no uri'),
    log.replace('"error"', '"bad"'),
  ])
    assert.throws(() => validSarif(broken))
})

test('a fix of SARIF makes what the edit makes, and shows no secret', () => {
  const results = lintResults(report(config))
  const sources = { 'mcp_config.json': config }
  const run = validSarif(renderSarif(results, { ...about, sources, mask: (text) => text.replaceAll(secret, '*') }))
  const replacement = run.results[0]?.fixes?.[0]?.artifactChanges[0]?.replacements[0]
  assert.ok(replacement)
  const [start, end] = offsetsOf(config, replacement.deletedRegion)
  assert.equal(config.slice(0, start) + replacement.insertedContent.text + config.slice(end), config.replace('"-it"', '"-i"'))
  const leaking: Finding = {
    ...ttyFlag,
    cites: [{ type: 'config', file: 'mcp_config.json', pointer: '', line: 1, column: 1, length: 1, excerpt: '{' }],
    remedies: [{ kind: 'config-edit', class: 'safe', title: 'x', because: '', edits: [{ path: ['x'], value: secret }] }],
  }
  const group: Results['groups'][number] = { name: 'x', cases: [{ server: null, findings: [leaking], open: null }] }
  const text = renderSarif({ ...results, groups: [group] }, { ...about, sources, mask: (t) => t.replaceAll(secret, '*') })
  assert.doesNotMatch(text, /ghp_/)
  assert.equal(validSarif(text).results[0]?.fixes, undefined)
})

test('a masked secret and an object of several lines are selected as a whole', () => {
  const text = `{"mcpServers": [{"name": "a", "enabled": true, "command": "npx", "env": {"TOKEN": 12345678},\n  "args": {"x":\n "y"}}]}`
  const shapes = validSarif(renderSarif(lintResults(report(text)), about)).results.filter((r) => r.ruleId === 'config-shape')
  assert.deepEqual(
    shapes.map((r) => selected(text, r.locations[0]!.physicalLocation.region)),
    ['12345678', '{"x":\n "y"}'],
  )
})

test('what was seen at run time is in JUnit, Markdown and annotations, and no result of SARIF', () => {
  const runtime: Finding = { ...ttyFlag, code: 'server-crash', cites: ttyFlag.cites.filter((c) => c.type === 'log') }
  const [first] = sampleReport.servers
  assert.ok(first)
  const results = checkResults({ ...sampleReport, servers: [{ ...first, findings: [runtime] }] }, '/home/user')
  const run = validSarif(renderSarif(results, about))
  assert.deepEqual(run.results, [])
  assert.match(run.invocations[0]?.toolExecutionNotifications?.[0]?.message.text ?? '', /^everything: docker was told/)
  assert.match(renderGithub(results), /^::error title=server-crash \(everything\)::docker was told/)
  assert.match(renderResultsJunit(results), /<failure type="server-crash"/)
  assert.match(renderMarkdown(results, about), /\| error \| log \| \[`server-crash`\]/)
})

test('what could not be told is no success anywhere', () => {
  const results = checkResults(severalServers, '/home/user')
  assert.equal(results.groups[0]?.name, '.mcpproxy/mcp_config.json')
  assert.match(renderResultsJunit(results), /<testcase name="files"[^>]*>\n\s*<error type="undetermined" message="could not tell why/)
  assert.match(renderResultsJunit(results), /<testcase name="日本語" [^>]*\/>/)
  assert.match(renderGithub(results), /::warning title=files::could not tell: could not tell why/)
  assert.match(renderMarkdown(results, about), /\| could not tell \|/)
  const told = validSarif(renderSarif(results, about)).invocations[0]?.toolExecutionNotifications ?? []
  assert.ok(told.some((n) => n.message.text.startsWith('files: ')))
})

const nasty: Results = {
  command: 'lint',
  at: null,
  failOn: 'error',
  notes: [],
  groups: [
    {
      name: 'a,b:c%.json',
      cases: [
        {
          server: null,
          open: null,
          findings: [
            {
              ...ttyFlag,
              server: 'x\n::error::y',
              detail: '100% | <b>`_*[x](http://evil.example) @someone\u001b[31m\r\n::set-env',
              cites: [{ type: 'config', file: 'a,b:c%\n.json', pointer: '', line: 2, column: 3, length: 4, excerpt: '' }],
            },
          ],
        },
      ],
    },
  ],
}

test('annotations are one line each, whatever is in them', () => {
  const text = renderGithub(nasty)
  assert.equal(text.split('\n').length, 2)
  assert.match(
    text,
    /^::error file=a%2Cb%3Ac%25%0A\.json,line=2,endLine=2,col=3,endColumn=7,title=tty-flag \(x%0A%3A%3Aerror%3A%3Ay\)::100%25 \|/,
  )
})

test('Markdown stays one row, without markup, links and mentions', () => {
  const text = renderMarkdown(nasty, about)
  const row = text.split('\n').find((line) => line.startsWith('| error'))
  assert.ok(row)
  assert.equal(row.replaceAll('\\|', '').split('|').length, 6)
  assert.doesNotMatch(row, /<b>|[^\\]\[x\]|http:\/\/|@someone|\u001b/)
})

test('names of files become URIs', () => {
  assert.deepEqual(artifact('a b/ä#%.json'), { uri: 'a%20b/%C3%A4%23%25.json', uriBaseId: '%SRCROOT%' })
  assert.deepEqual(artifact('/etc/x y.json'), { uri: 'file:///etc/x%20y.json' })
  assert.deepEqual(artifact('C:/a b.json'), { uri: 'file:///C:/a%20b.json' })
})

test('the difference of two texts is one stretch', () => {
  assert.deepEqual(difference('aXb', 'aYYb'), { start: 1, end: 2, text: 'YY' })
  assert.deepEqual(difference('aab', 'ab'), { start: 1, end: 2, text: '' })
  assert.deepEqual(difference('', 'x'), { start: 0, end: 0, text: 'x' })
})

test('text: one line for each finding, then the sum', () => {
  const lines = renderLint(report(config), { theme: plainTheme() }).split('\n')
  assert.match(lines[0] ?? '', /^mcp_config\.json:5:23 {2}error {2}tty-flag {12}a: /)
  assert.equal(lines.at(-2), '3 errors, 1 warning in 3 servers (MCPProxy v0.60.0 assumed; --mcpproxy-version says otherwise)')
})
