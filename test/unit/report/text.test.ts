import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { fc } from '../../helpers/fast-check.ts'
import type { Citation, Finding } from '../../../src/lib/rules/rule.ts'
import { displayWidth } from '../../../src/lib/report/clean.ts'
import type { Report } from '../../../src/lib/report/report.ts'
import { renderReport } from '../../../src/lib/report/text.ts'
import type { TextOptions } from '../../../src/lib/report/text-options.ts'
import { createTheme, plainTheme } from '../../../src/lib/report/theme.ts'
import {
  healthy,
  only,
  sampleConfig,
  sampleConfigPath,
  sampleHome,
  sampleReport,
  severalServers,
  ttyFlag,
  undecided,
} from '../../helpers/sample-report.ts'
import { nasty } from './clean.test.ts'

const secret = 'ghp_0123456789abcdef0123456789abcdef0123'
const mask = (line: string): string => line.replaceAll(secret, '••••')
const shown = { sources: { [sampleConfigPath]: sampleConfig }, mask, home: sampleHome }
const render = (report: Report, options: Partial<TextOptions> = {}): string =>
  renderReport(report, { theme: plainTheme(options.width), ...shown, ...options })
const withFinding = (finding: Partial<Finding>): Report => ({
  ...sampleReport,
  servers: sampleReport.servers.map((s) => ({ ...s, findings: [{ ...ttyFlag, ...finding }] })),
})

test('the first line is the verdict, with the cause and how sure it is', () => {
  const [first] = render(sampleReport, { width: 120 }).split('\n')
  assert.equal(first, '✗ everything does not work: the Docker arguments ask for a terminal (-t), but MCPProxy talks over pipes   proven')
})

test('seven steps, aligned, one symbol each', () => {
  const lines = render(sampleReport)
    .split('\n')
    .filter((l) => /^ {2}\d \w/.test(l))
  assert.deepEqual(
    lines.map((l) => l.slice(4, 13).trim()),
    ['isolation', 'container', 'logs', 'args', 'replay', 'fix', 'reload'],
  )
  assert.deepEqual(
    lines.map((l) => l[15]),
    ['–', '✓', '✗', '✗', '?', '→', '·'],
  )
})

test('the cited line, its place and the caret', () => {
  const lines = render(sampleReport).split('\n')
  const place = lines.indexOf('  ~/.mcpproxy/mcp_config.json:9:23')
  assert.ok(place > 0)
  assert.equal(lines[place + 1], '    9 │ "args": ["run", "-it", "--rm", "mcp/everything"]')
  assert.equal(lines[place + 2], '      │                 ^^^^^')
})

test('all kinds of citations are told', () => {
  const text = render(sampleReport, { verbose: true })
  for (const part of [
    'server-everything.log:7',
    '16:14:09Z  the input device is not a TTY',
    '11-22 09:00:00Z  failed to connect everything'.replace('everything', 'gnihtyreve'),
    'engine events',
    'mcpproxy-everything-ab12',
    'MCPProxy /api/v1/servers',
    'last_error',
    'engine, version',
    '/var/run/docker.sock',
    'a socket, mode 660',
  ])
    assert.ok(text.includes(part), part)
  assert.equal(text.match(/engine events/g)?.length, 1, 'neighbours share their heading')
})

test('what was left out is counted', () => {
  assert.match(render(sampleReport), /and 2 more \(--verbose\)/)
  assert.doesNotMatch(render(sampleReport, { verbose: true }), /more \(--verbose\)/)
})

test('the remedy is a diff without secrets', () => {
  const text = render(sampleReport)
  assert.match(text, /^ {4}- +"args": \["run", "-it", "--rm", "mcp\/everything"\]$/m)
  assert.match(text, /^ {4}\+ +"args": \["run", "-i", "--rm", "mcp\/everything"\]$/m)
  assert.match(text, /Class: safe \(/)
  assert.ok(text.includes('••••') && !text.includes(secret))
})

test('without a mask nothing of the file is shown', () => {
  const text = renderReport(sampleReport, { theme: plainTheme(), sources: shown.sources })
  assert.ok(!text.includes(secret))
  assert.match(text, /set mcpServers\[0\]\.args\[1\] to a new value/)
})

test('a command can be pasted', () => {
  assert.ok(render(sampleReport).includes(`docker run -i --rm -e 'GREETING=it'\\''s me' mcp/everything`))
  const narrow = render(sampleReport, { width: 40 })
  assert.match(narrow, / \\\n/)
})

test('the next command, and where there is more', () => {
  assert.match(render(sampleReport), /\nNext: mcpproxy-doctor fix everything --apply\nMore: mcpproxy-doctor explain tty-flag\n$/)
  assert.match(
    render(sampleReport, { flags: ['--config', 'my config.json'], width: 120 }),
    /Next: mcpproxy-doctor fix everything --apply --config 'my config.json'\n/,
  )
  assert.match(render(sampleReport, { commands: ['check'] }), /Next: change the file as shown/)
  assert.match(
    render({ ...sampleReport, recordedAt: '2026-11-23T16:15:00Z' }),
    /\nNext: mcpproxy-doctor explain tty-flag\n$/,
    'a recording cannot be mended',
  )
})

test('what an edit weakens is said, and what it needs', () => {
  const text = render(
    withFinding({
      remedies: [
        {
          kind: 'config-edit',
          title: 'Raise it',
          because: 'it is too low',
          class: 'limits',
          edits: [{ path: ['docker_isolation', 'memory_limit'], value: '512m' }],
        },
      ],
    }),
  )
  assert.match(text, /--allow limits\./)
  assert.match(text, /Next: mcpproxy-doctor fix everything --apply --allow limits/)
})

test('the meaning of a rank is told once', () => {
  const two = {
    ...sampleReport,
    findings: [],
    servers: sampleReport.servers.map((s) => ({ ...s, findings: [ttyFlag, { ...ttyFlag, code: 'other-code' }] })),
  }
  assert.equal(render(two).match(/proven: /g)?.length, 1)
})

test('warnings are short', () => {
  const text = render(sampleReport)
  assert.match(text, /^warning {2}key-without-effect {2}The configuration sets keys/m)
  assert.doesNotMatch(text, /timeout has never been read/)
  assert.match(render(sampleReport, { verbose: true }), /timeout has never been read/)
})

test('healthy is one line', () => {
  assert.equal(render(only(healthy)), '✓ 日本語 works: connected, 2 tools, container up 4 min\n')
})

test('undetermined: what was not looked at, and why, by reason', () => {
  const text = render(only(undecided), { width: 120 })
  assert.equal(text.split('\n')[0], '? files: could not tell why it does not start')
  assert.equal(text.match(/did not answer/g)?.length, 2, 'in a step and once in the list')
  assert.match(text, /image, engine events: The engine did not answer .* \(3 rules need it\)/)
  assert.match(text, /\(41 rules looked, 4 could not\)/)
  assert.match(text, /\nNext: mcpproxy-doctor logs files\n$/)
})

test('several servers: the summary first, then a block each', () => {
  const text = render(severalServers)
  assert.match(text, /^✗ 3 servers: 1 works, 1 does not, 1 could not be told\n/)
  assert.match(text, /^✓ 日本語 works/m)
  assert.match(text, /^\? files: could not tell/m)
  assert.equal(text.match(/^Next: /gm)?.length, 1)
})

test('many servers: a line each', () => {
  const [server] = sampleReport.servers
  assert.ok(server)
  const lines = render({ ...sampleReport, servers: Array.from({ length: 12 }, (_, i) => ({ ...server, server: `s${i}` })) }).split('\n')
  assert.match(lines[0] ?? '', /^✗ 12 servers: 12 do not$/)
  assert.match(lines.find((l) => l.includes('s7')) ?? '', /^✗ s7 {2}tty-flag: /)
  assert.ok(lines.length < 45, String(lines.length))
})

test('an error of the machine comes first', () => {
  const [first] = render({
    ...severalServers,
    findings: [{ ...ttyFlag, server: null, code: 'engine-down', title: 'No engine answers' }],
  }).split('\n')
  assert.equal(first, '✗ No engine answers   proven')
})

test('no line is wider than the terminal, at any width', () => {
  for (let width = 40; width <= 120; width++) {
    for (const verbose of [false, true]) {
      for (const line of render(severalServers, { width, verbose }).split('\n')) {
        assert.ok(displayWidth(line) <= width, `${width}: ${line}`)
        assert.equal(line, line.trimEnd())
      }
    }
  }
})

test('colour changes nothing but colour', async () => {
  const theme = await createTheme({ env: { FORCE_COLOR: '1', LANG: 'C.UTF-8' }, platform: 'linux', isTerminal: true, columns: 80 })
  const coloured = renderReport(severalServers, { ...shown, theme })
  assert.match(coloured, /\u001b\[31m✗/)
  assert.equal(stripVTControlCharacters(coloured), render(severalServers))
})

test('without UTF-8 our own text is ASCII', async () => {
  const theme = await createTheme({ env: { LANG: 'C' }, platform: 'linux', isTerminal: false })
  const text = renderReport(sampleReport, { ...shown, theme })
  assert.match(text, /^[\n -~]*$/)
  assert.match(text, /^x everything/)
})

const hostile: fc.Arbitrary<Report> = fc
  .record({ a: nasty, b: nasty, c: nasty, at: fc.nat(80), length: fc.nat(80) })
  .map(({ a, b, c, at, length }) => {
    const cites: Citation[] = [
      { type: 'config', file: a, pointer: b, line: 1 + at, column: at, length, excerpt: c },
      { type: 'log', file: b, line: at, at: a, text: c },
      { type: 'event', at: a, container: b, text: c },
      { type: 'api', endpoint: a, field: b, text: c },
      { type: 'engine', what: a, text: b },
      { type: 'host', path: c, text: a },
    ]
    const finding: Finding = {
      ...ttyFlag,
      server: a,
      title: b,
      detail: c,
      cites,
      ruledOut: [a],
      remedies: [
        { kind: 'command', title: a, argv: ['x', b] },
        { kind: 'instruction', title: c },
        { kind: 'config-edit', title: a, because: b, class: 'safe', edits: [{ path: ['mcpServers', 0, a], value: c }] },
      ],
    }
    const error = { kind: 'failed', message: c } as const
    return {
      ...sampleReport,
      mcpproxy: { version: a, running: null, config: sampleConfigPath },
      engine: { host: b, version: c, reachable: true },
      servers: [
        { ...undecided, server: a, summary: b, undetermined: [{ code: 'x', source: 'image', error }] },
        { ...healthy, server: c, verdict: 'problem', summary: a, findings: [finding, { ...finding, severity: 'warning' }] },
      ],
    }
  })

test('no foreign text reaches the terminal as it is', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 40, max: 120 }), fc.boolean(), (report, width, verbose) => {
      const text = render(report, { width, verbose })
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      // An argument of a command is never broken, so only those lines may be longer.
      for (const line of text.split('\n')) if (!/'/.test(line)) assert.ok(displayWidth(line) <= width, `${width}: ${JSON.stringify(line)}`)
    }),
    { numRuns: 200 },
  )
})
