/** Broken files, huge logs, engines that misbehave: an answer in time, never "healthy", never a hang. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { Finding } from '../../src/lib/rules/rule.ts'
import { brokenEngine, type Breakage } from '../helpers/broken-engine.ts'
import { packageRoot } from '../helpers/package-root.ts'
import { recordedApi } from '../helpers/recorded-api.ts'
import { runCli } from '../helpers/run-cli.ts'
import { smallHome, type SmallHome } from '../helpers/small-home.ts'
import { validReport } from '../helpers/valid-report.ts'

const isRoot = process.getuid?.() === 0

/** The same exit code and nothing on standard error, with --json and without; no crash, no secret. */
async function checked(home: SmallHome, ...args: string[]) {
  const [text, json] = await Promise.all([home.run(['check', ...args]), home.run(['check', '--json', ...args])])
  assert.equal(json.stderr, '')
  assert.equal(text.stderr, '')
  assert.equal(text.exitCode, json.exitCode)
  const report = validReport(json.stdout)
  const findings = [...report.findings, ...report.servers.flatMap((s) => s.findings)]
  assert.ok(!findings.some((f) => f.code === 'rule-crashed'), JSON.stringify(findings))
  assert.doesNotMatch(text.stdout + json.stdout, /hush-hush-7/)
  return { exitCode: json.exitCode, report, findings, text: text.stdout }
}
const placesOf = (findings: readonly Finding[], code: string): string[] =>
  findings.filter((f) => f.code === code).flatMap((f) => f.cites.flatMap((c) => (c.type === 'config' ? [`${c.line}:${c.column}`] : [])))

// ---- the configuration ----------------------------------------------------------

test('no configuration: a problem that says where it was looked for', async (t) => {
  const { exitCode, findings } = await checked(smallHome(t))
  assert.equal(exitCode, 1)
  assert.deepEqual(
    findings.map((f) => f.code),
    ['config-missing'],
  )
  assert.match(findings[0]?.detail ?? '', /mcp_config\.json/)
})

test('no configuration, but a server is named: what the logs say is still said', async (t) => {
  const home = smallHome(t, { capture: '0.60.0-tty-flag' })
  rmSync(home.config)
  const { exitCode, findings, report } = await checked(home, 'everything')
  assert.equal(exitCode, 1)
  assert.equal(findings[0]?.code, 'config-missing')
  assert.match(JSON.stringify(report.servers[0]?.findings), /the input device is not a TTY/)
})

for (const [name, content] of [
  ['empty', ''],
  ['blank', ' \n\t\n'],
] as const) {
  test(`an ${name} configuration: 1:1`, async (t) => {
    const { exitCode, findings } = await checked(smallHome(t, { config: content }))
    assert.equal(exitCode, 1)
    assert.deepEqual(placesOf(findings, 'config-empty'), ['1:1'])
  })
}

test('a directory in its place', async (t) => {
  const home = smallHome(t)
  mkdirSync(home.config)
  const { exitCode, findings } = await checked(home)
  assert.deepEqual([exitCode, findings.map((f) => f.code)], [1, ['config-unreadable']])
  assert.match(findings[0]?.detail ?? '', /directory/)
})

test('a FIFO in its place blocks nobody', { skip: process.platform === 'win32' }, async (t) => {
  const home = smallHome(t)
  assert.equal(spawnSync('mkfifo', [home.config]).status, 0)
  const started = Date.now()
  const { exitCode, findings } = await checked(home)
  assert.deepEqual([exitCode, findings.map((f) => f.code)], [1, ['config-unreadable']])
  assert.ok(Date.now() - started < 15_000)
})

test('a file that this user may not read', { skip: isRoot ? 'root may read everything' : false }, async (t) => {
  const home = smallHome(t, { config: '{"mcpServers":[]}' })
  chmodSync(home.config, 0)
  const { exitCode, findings } = await checked(home)
  assert.deepEqual([exitCode, findings.map((f) => f.code)], [1, ['config-unreadable']])
  assert.match(findings[0]?.detail ?? '', /permission denied/)
})

const server = '{ "name": "probe", "command": "uvx", "args": ["mcp-x"], "env": { "TOKEN": "hush-hush-7" }, "enabled": true'
const utf16 = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
const syntax: [name: string, content: string | Buffer, place: string, says: RegExp][] = [
  ['a line comment', `{\n  // mine\n  "mcpServers": [\n    ${server} }\n  ]\n}`, '2:3', /comment/i],
  ['a block comment', `{\n  "mcpServers": /* mine */ [\n    ${server} }\n  ]\n}`, '2:17', /comment/i],
  ['a trailing comma', `{\n  "mcpServers": [\n    ${server} },\n  ]\n}`, '3:113', /comma/i],
  ['a missing comma', `{\n  "listen": ":8080"\n  "mcpServers": [\n    ${server} }\n  ]\n}`, '3:3', /comma is missing/i],
  ['a byte order mark', `\uFEFF{"mcpServers": [\n    ${server} }\n  ]\n}`, '1:1', /byte order mark/i],
  ['UTF-16', utf16(`{"mcpServers": [\n    ${server} }\n  ]\n}`), '1:1', /UTF-16/],
  ['an end that is missing', `{\n  "mcpServers": [\n    ${server} }\n`, '4:1', /ends too early/],
  ['typographic quotes', `{\n  “listen”: ":8080",\n  "mcpServers": [\n    ${server} }\n  ]\n}`, '2:3', /typographic/i],
]
for (const [name, content, place, says] of syntax) {
  test(`${name}: line and column, and the server is looked at all the same`, async (t) => {
    const { exitCode, findings, report } = await checked(smallHome(t, { config: content }), 'probe')
    assert.equal(exitCode, 1)
    assert.equal(placesOf(findings, 'config-syntax')[0], place)
    assert.equal(findings[0]?.code, 'config-syntax')
    assert.match(findings[0].detail, says)
    assert.equal(report.servers[0]?.server, 'probe')
    assert.notEqual(report.servers[0].steps[0]?.outcome, 'unknown')
  })
}

const leaks: [name: string, content: string][] = [
  ['in a comment', `{"mcpServers": [\n  ${server}, // "TOKEN": "hush-hush-7"\n  }\n]}`],
  ['in a block comment', `{"mcpServers": [\n  ${server} /* old:\n  hush-hush-7 */ }\n]}`],
  ['in single quotes', `{"mcpServers": [\n  ${server.replace('"hush-hush-7"', "'hush-hush-7'")} }\n]}`],
  ['in typographic quotes', `{"mcpServers": [\n  ${server.replace('"hush-hush-7"', '“hush-hush-7”')} }\n]}`],
  ['without quotes', `{"mcpServers": [\n  ${server.replace('"hush-hush-7"', 'hush-hush-7')} }\n]}`],
  ['after a quote that is missing', `{"mcpServers": [\n  ${server.replace('"TOKEN"', '"TOKEN')} }\n]}`],
  ['in a string that does not end', `{"mcpServers": [\n  ${server.replace('hush-hush-7"', 'hush-hush-7')} }\n]}`],
  ['in a second document', `{"mcpServers": []} {"env": {"TOKEN": "hush-hush-7"}}\n"hush-hush-7"`],
]
for (const [name, content] of leaks) {
  test(`broken JSON with a secret ${name}: the place is shown, the secret is not`, async (t) => {
    // `checked` looks for it.
    const { exitCode, findings } = await checked(smallHome(t, { config: content }))
    assert.equal(exitCode, 1)
    assert.ok(findings.some((f) => f.cites.some((c) => c.type === 'config')))
  })
}

test('bytes that are not UTF-8: the server that has them, and only that one', async (t) => {
  const config = Buffer.from(
    `{"mcpServers": [\n  ${server}, "working_dir": "caf\xe9" },\n  ${server.replace('probe', 'other')} }\n]}`,
    'latin1',
  )
  const home = smallHome(t, { config })
  const { exitCode, findings } = await checked(home, 'probe')
  assert.equal(exitCode, 1)
  assert.deepEqual(placesOf(findings, 'config-encoding'), ['2:130'])
  const other = await checked(home, 'other')
  assert.deepEqual(
    other.findings.filter((f) => f.code === 'config-encoding').map((f) => f.severity),
    ['info'],
  )
})

const shapes: [name: string, content: string, place: string, servers: string[]][] = [
  ['mcpServers as an object', `{\n  "mcpServers": {\n    "probe": { "command": "uvx", "args": ["x"] }\n  }\n}`, '2:17', ['probe']],
  ['mcpServers as a number', '{\n  "mcpServers": 5\n}', '2:17', []],
  ['mcpServers as null is no server', '{\n  "mcpServers": null,\n  "docker_isolation": []\n}', '3:23', []],
  ['an array at the top', `[\n${server} }\n]`, '1:1', []],
  ['text at the top', '"mcpServers"', '1:1', []],
  ['a server without a name', '{\n  "mcpServers": [\n    { "command": "uvx", "args": ["x"] }\n  ]\n}', '3:5', []],
  ['a server that is text', `{\n  "mcpServers": [ "probe",\n    ${server} } ]\n}`, '2:19', ['probe']],
  ['a limit as a number', `{\n  "docker_isolation": { "memory_limit": 512 },\n  "mcpServers": [\n    ${server} } ]\n}`, '2:41', ['probe']],
  ['"true" in quotes', `{\n  "mcpServers": [\n    ${server.replace('true', '"true"')} } ]\n}`, '3:107', ['probe']],
  ['args as text', `{\n  "mcpServers": [\n    ${server.replace('["mcp-x"]', '"mcp-x"')} } ]\n}`, '3:50', ['probe']],
]
for (const [name, content, place, servers] of shapes) {
  test(`${name}: line and column`, async (t) => {
    const { exitCode, findings, report } = await checked(smallHome(t, { config: content }))
    assert.equal(exitCode, 1)
    assert.equal(placesOf(findings, 'config-shape')[0], place)
    assert.deepEqual(
      report.servers.map((s) => s.server),
      servers,
    )
  })
}

test('the object form of other clients: what is said of its servers points into it', async (t) => {
  const config = `{\n  "mcpServers": {\n    "probe": { "command": "uvx", "args": ["x"], "enabled": false }\n  }\n}`
  const { findings } = await checked(smallHome(t, { config }))
  assert.deepEqual(placesOf(findings, 'server-disabled'), ['3:60'])
})

test('a configuration without servers: nothing was looked at, so nothing is healthy', async (t) => {
  const { exitCode, report } = await checked(smallHome(t, { config: '{"mcpServers": []}' }))
  assert.deepEqual([exitCode, report.verdict, report.servers, report.findings], [3, 'undetermined', [], []])
})

test('a configuration nested 100,000 deep does not break the reader', async (t) => {
  const depth = 100_000
  const { exitCode } = await checked(smallHome(t, { config: `{"mcpServers":${'['.repeat(depth)}${']'.repeat(depth)}}` }))
  assert.equal(exitCode, 1)
})

// ---- names and captures ---------------------------------------------------------

test('an unknown server: exit 2, the nearest names, on standard error', async (t) => {
  const home = smallHome(t, { config: `{"mcpServers": [${server} }]}` })
  const text = await home.run(['check', 'prob'])
  assert.deepEqual([text.exitCode, text.stdout], [2, ''])
  assert.match(text.stderr, /There is no server "prob"[^]*Did you mean "probe"\?/)
  const json = await home.run(['check', 'prob', '--json'])
  assert.equal(json.exitCode, 2)
  const { error } = JSON.parse(json.stdout) as { error: { message: string; suggestions: string[]; exitCode: number } }
  assert.deepEqual([error.exitCode, error.suggestions], [2, ['Did you mean "probe"?']])
})

const recorded = { format: 'mcpproxy-doctor-capture/1', recordedAt: '2026-11-23T16:15:00.000Z', home: '/home/user' }
for (const [name, content, says] of [
  ['without capture.json', null, /no capture/],
  ['whose capture.json is no JSON', '{', /not JSON/],
  ['whose capture.json is a list', '[]', /no format/],
  ['of another program', '{"format":"something/1"}', /no format/],
  ['of a newer format', JSON.stringify({ ...recorded, format: 'mcpproxy-doctor-capture/2' }), /knows 1[^]*Update mcpproxy-doctor/],
  ['that does not say when', JSON.stringify({ ...recorded, recordedAt: 'yesterday' }), /does not say when/],
] as const) {
  test(`a capture ${name}: exit 2`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'doctor-capture-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    if (content !== null) writeFileSync(join(folder, 'capture.json'), content)
    const { exitCode, stdout, stderr } = await runCli(['check', '--from', folder])
    assert.deepEqual([exitCode, stdout], [2, ''])
    assert.match(stderr, says)
  })
}

test('a capture that holds nothing but its manifest: not recorded is undetermined', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-capture-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'capture.json'), JSON.stringify(recorded))
  const { exitCode, stdout } = await runCli(['check', 'x', '--from', folder, '--json'])
  assert.equal(exitCode, 3)
  const report = validReport(stdout)
  assert.deepEqual([report.verdict, report.findings], ['undetermined', []])
  assert.ok(report.servers[0]?.undetermined.some((u) => u.source === 'config' && u.error.kind === 'not-recorded'))
})

// ---- logs -----------------------------------------------------------------------

/** What the process used at most, in MiB: written down by a hook that runs when it ends. */
async function withMemory(t: TestContext, home: SmallHome, args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-memory-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'rss')
  const hook = join(folder, 'hook.mjs')
  writeFileSync(
    hook,
    `import fs from 'node:fs'\nprocess.on('exit', () => fs.writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS)))\n`,
  )
  const started = Date.now()
  const result = await home.run(args, { NODE_OPTIONS: `--import=${hook}` })
  return { ...result, ms: Date.now() - started, mib: Number(readFileSync(file, 'utf8')) / 1024 }
}
const recordedLog = (capture: string, name: string): Buffer =>
  readFileSync(join(packageRoot(), 'test/captures', capture, 'home/.local/state/mcpproxy/logs', name))
const cause = (stdout: string): string | undefined => validReport(stdout).servers[0]?.findings[0]?.code

/** A hole of this size, then a real log. */
function grow(file: string, size: number, tail: Buffer): void {
  writeFileSync(file, '')
  truncateSync(file, size)
  appendFileSync(file, Buffer.concat([Buffer.from('\n'), tail]))
}

test('a main.log of 10 GB: read from its end, in little memory and time', async (t) => {
  const home = smallHome(t, { capture: '0.60.0-image-without-uvx' })
  grow(join(home.logs, 'main.log'), 10 * 1024 ** 3, recordedLog('0.60.0-image-without-uvx', 'main.log'))
  const { exitCode, stdout, ms, mib } = await withMemory(t, home, ['check', '--json', '--all'])
  const [first] = validReport(stdout).servers
  assert.equal(exitCode, 1)
  assert.ok(
    first?.findings.some((f) => f.code === 'image-lacks-program'),
    stdout,
  )
  assert.ok(ms < 10_000, `${ms} ms`)
  assert.ok(mib < 300, `${mib} MiB`)
})

test('10 GB in which the start of MCPProxy does not stand: ends with the time limit', async (t) => {
  const home = smallHome(t, { capture: '0.60.0-tty-flag' })
  grow(join(home.logs, 'main.log'), 10 * 1024 ** 3, Buffer.from('half a line'))
  const { exitCode, stdout, ms, mib } = await withMemory(t, home, ['check', '--json', 'everything', '--timeout', '4'])
  assert.equal(cause(stdout), 'tty-flag')
  assert.equal(exitCode, 1)
  assert.ok(ms < 10_000, `${ms} ms`)
  assert.ok(mib < 300, `${mib} MiB`)
})

test('lines of 10 MB, NUL bytes and half a last line: the lines between them count', async (t) => {
  const home = smallHome(t, { capture: '0.60.0-tty-flag' })
  const long = Buffer.alloc(10 * 1024 ** 2, 'x')
  for (const name of ['main.log', 'server-everything.log']) {
    const log = recordedLog('0.60.0-tty-flag', name)
    const half = log.indexOf('\n', log.length / 2) + 1
    writeFileSync(
      join(home.logs, name),
      Buffer.concat([
        long,
        Buffer.from('\n'),
        log.subarray(0, half),
        Buffer.alloc(5000),
        Buffer.from('\n'),
        long,
        Buffer.from('\n'),
        log.subarray(half),
        Buffer.from('2026-11-23T16:28:37.447Z | INFO | core/conn'),
      ]),
    )
  }
  const { exitCode, stdout, mib } = await withMemory(t, home, ['check', '--json', 'everything'])
  assert.deepEqual([exitCode, cause(stdout)], [1, 'tty-flag'])
  assert.ok(mib < 300, `${mib} MiB`)
})

test('a folder, a FIFO and nothing in the place of the logs', { skip: process.platform === 'win32' }, async (t) => {
  const home = smallHome(t, { capture: '0.60.0-tty-flag' })
  rmSync(join(home.logs, 'main.log'))
  mkdirSync(join(home.logs, 'main.log'))
  rmSync(join(home.logs, 'server-everything.log'))
  assert.equal(spawnSync('mkfifo', [join(home.logs, 'server-everything.log')]).status, 0)
  const { exitCode, report } = await checked(home, 'everything')
  const open = report.servers[0]?.undetermined.map((u) => u.source)
  assert.ok(open?.includes('serverLog'), JSON.stringify(open))
  assert.notEqual(exitCode, 0)
})

// ---- engines --------------------------------------------------------------------

/** A server whose log says "connected", as does MCPProxy, with an engine that cannot confirm it: nobody knows. */
async function connectedHome(t: TestContext, engine: string, running = true): Promise<SmallHome> {
  const home = smallHome(t, { capture: '0.60.0-healthy', engine, ...(running ? { api: await recordedApi(t, '0.60.0-healthy') } : {}) })
  const log = recordedLog('0.60.0-healthy', 'server-good.log').toString('utf8')
  const end = log.indexOf('\n', log.indexOf('Successfully connected')) + 1
  writeFileSync(join(home.logs, 'server-good.log'), log.slice(0, end))
  return home
}

// Most of their time they wait.
describe('engines that misbehave', { concurrency: 4 }, () => {
  test('an engine that answers and has the container: healthy (or the next tests would prove nothing)', async (t) => {
    const home = await connectedHome(t, await brokenEngine(t, 'none'))
    const { exitCode, stdout } = await home.run(['check', 'good', '--json'])
    assert.deepEqual([exitCode, validReport(stdout).verdict], [0, 'healthy'])
  })

  const breakages: Breakage[] = [
    'silent',
    'silent-after-version',
    'reset',
    'reset-in-body',
    'stalls-in-body',
    'http-500',
    'html',
    'garbage',
    'no-json',
  ]
  test('the same with a MCPProxy that does not answer: what the log says is the past', async (t) => {
    const home = await connectedHome(t, await brokenEngine(t, 'none'), false)
    const { exitCode, report } = await checked(home, 'good')
    assert.deepEqual([exitCode, report.verdict], [3, 'undetermined'])
  })

  for (const breakage of [...breakages, 'refused', 'killed', 'missing'] as const) {
    test(`an engine that is ${breakage}: could not tell, in time, with the reason`, async (t) => {
      const home = await connectedHome(t, await brokenEngine(t, breakage))
      const started = Date.now()
      const { exitCode, stdout, stderr } = await home.run(['check', 'good', '--json', '--timeout', '6'])
      assert.ok(Date.now() - started < 12_000, `${Date.now() - started} ms`)
      const report = validReport(stdout)
      const [good] = report.servers
      assert.deepEqual([exitCode, report.verdict, stderr], [3, 'undetermined', ''], stdout)
      assert.ok(
        good?.undetermined.some((u) => u.source === 'containers' || u.source === 'events'),
        stdout,
      )
      assert.equal(good?.findings.filter((f) => f.severity === 'error').length, 0)
    })
  }
})

test('HTTP 500 is an answer: nobody says that the engine is silent', async (t) => {
  const home = smallHome(t, {
    config: `{"docker_isolation": {"enabled": true}, "mcpServers": [${server} }]}`,
    engine: await brokenEngine(t, 'http-500'),
  })
  const { report, findings } = await checked(home, 'probe')
  assert.equal(report.verdict, 'undetermined')
  assert.ok(!findings.some((f) => f.code === 'engine-unresponsive' || f.code === 'engine-down'))
})
