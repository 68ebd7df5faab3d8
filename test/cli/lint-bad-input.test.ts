/** lint on files that nobody should write, and outputs that cannot be written: the right place, the right exit code, no crash. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { LintReport } from '../../src/lib/report/lint-report.ts'
import { validSarif } from '../helpers/sarif.ts'
import { lintSchemaErrors } from '../helpers/valid-report.ts'
import { runCli, type CliResult } from '../helpers/run-cli.ts'

const good = { name: 'a', command: 'npx', args: ['-y', 'x'], enabled: true }
const isolated = '"docker_isolation": {"enabled": true}'
const bad = `{ ${isolated},\n  "mcpServers": [\n    {"name": "a", "enabled": true, "command": "docker", "args": ["run", "-it", "x/y"]}\n  ]\n}\n`

function folderOf(t: TestContext, files: Record<string, string | Buffer>) {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-lint-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const run = (...args: string[]): Promise<CliResult> => runCli(['lint', ...args], { cwd: folder, env: { HOME: folder, NO_COLOR: '1' } })
  return { folder, run }
}

/** `code line:column` of each finding, and the exit code. */
async function found(t: TestContext, text: string | Buffer): Promise<{ exitCode: number | null; list: string[] }> {
  const { run } = folderOf(t, { 'x.json': text })
  const [json, sarif] = await Promise.all([run('x.json', '--json'), run('x.json', '--format', 'sarif')])
  assert.equal(json.stderr, '')
  const report = JSON.parse(json.stdout) as LintReport
  assert.equal(lintSchemaErrors(report), null)
  const list = report.files.flatMap((f) =>
    f.findings.map((x) => {
      const [place] = x.cites.filter((c) => c.type === 'config')
      return `${x.code} ${place?.line}:${place?.column}`
    }),
  )
  assert.equal(validSarif(sarif.stdout).results.length, list.length)
  assert.equal(sarif.exitCode, json.exitCode)
  return { exitCode: json.exitCode, list }
}

// ---- files --------------------------------------------------------------------------------

const wide = `{${isolated}, "mcpServers": [{"name": "a", "command": "bunx", "args": ["x"], "enabled": true}]}`
const bytes = (text: string, order: 'little' | 'big'): Buffer => {
  const little = Buffer.from(text, 'utf16le')
  return order === 'little' ? little : little.swap16()
}
for (const [name, content] of [
  ['little-endian with a mark', bytes(`\uFEFF${wide}`, 'little')],
  ['big-endian with a mark', bytes(`\uFEFF${wide}`, 'big')],
  ['little-endian without a mark', bytes(wide, 'little')],
  ['big-endian without a mark', bytes(wide, 'big')],
  ['with half a character at the end', Buffer.concat([bytes(`\uFEFF${wide}\n`, 'big'), Buffer.from([0])])],
] as const)
  test(`UTF-16, ${name}: one finding at the beginning, and what is in it is seen`, async (t) => {
    const { exitCode, list } = await found(t, content)
    assert.equal(exitCode, 1)
    // A mark is a character of the line.
    assert.deepEqual(list, [
      'config-syntax 1:1',
      `unknown-runner 1:${wide.indexOf('"bunx"') + (content[0] === 0xff || content[0] === 0xfe ? 2 : 1)}`,
    ])
  })

test('bytes that are no text at all', async (t) => {
  for (const content of [
    Buffer.from([0]),
    Buffer.from([0xff]),
    Buffer.from([0xff, 0xfe]),
    Buffer.alloc(5000),
    Buffer.from([0xfe, 0xff, 0]),
  ]) {
    const { exitCode, list } = await found(t, content)
    assert.equal(exitCode, 1)
    assert.match(list[0] ?? '', / 1:1$/)
  }
})

test('nested 10,000 deep: the bracket that is too deep', async (t) => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const text = `{"mcpServers":\n${open.repeat(10_000)}1${close.repeat(10_000)}}`
    const { exitCode, list } = await found(t, text)
    assert.deepEqual([exitCode, list], [1, [`config-syntax 2:${open.length * 499 + 1}`]])
  }
})

test('duplicate keys, at the top, in a server and deeper: the second one of each', async (t) => {
  const text = `{\n"listen": ":1",\n"listen": ":2",\n"mcpServers": [{"name": "a", "command": "npx",\n"command": "npx", "args": ["x"], "enabled": true,\n"isolation": {"image": "x/y",\n"image": "x/z"}}]\n}`
  const { list } = await found(t, text)
  assert.deepEqual(list, ['duplicate-keys 3:1', 'duplicate-keys 5:1', 'duplicate-keys 7:1'])
})

test('keys in another case are read as MCPProxy reads them', async (t) => {
  const text = `{"Docker_Isolation": {"ENABLED": true},\n"MCPSERVERS": [{"Name": "a", "Command": "bunx",\n"ARGS": ["x"], "Enabled": true},\n{"NAME": "b", "command": "npx", "Args": "x", "enabled": true}]}`
  const { exitCode, list } = await found(t, text)
  assert.deepEqual([exitCode, list.slice(0, 2)], [1, ['unknown-runner 2:41', 'config-shape 4:41']])
})

test('every type wrong: each value at its place', async (t) => {
  const fields = {
    ...{ name: 1, url: [], protocol: {}, command: true, args: 'x', working_dir: 1, env: [], headers: 'x', enabled: 'yes', quarantined: 1 },
    ...{ init_timeout: 30, isolation: [], max_concurrent_requests: '1', enabled_tools: 'x' },
  }
  const lines = Object.entries(fields).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`)
  const { exitCode, list } = await found(
    t,
    `{"mcpServers": [{\n${lines.join(',\n')}\n}],\n"docker_isolation": {"enabled": 1,\n"extra_args": [1]}}`,
  )
  assert.equal(exitCode, 1)
  const expected = Object.keys(fields).map((key, i) => `config-shape ${i + 2}:${key.length + 5}`)
  assert.deepEqual(
    list.filter((f) => f.startsWith('config-shape')),
    [...expected, `config-shape ${lines.length + 3}:33`, `config-shape ${lines.length + 4}:16`],
  )
})

test('mcpServers as the object of other clients, and the key "servers" of others', async (t) => {
  const object = await found(t, `{\n"mcpServers": {"a": {"command": "npx", "args": ["x"]}}}`)
  assert.deepEqual([object.exitCode, object.list[0]], [1, 'config-shape 2:15'])
  // VS Code's form: MCPProxy finds no servers in it.
  const servers = await found(t, '{\n"servers": {"a": {"command": "npx", "args": ["x"]}}}')
  assert.deepEqual(servers, { exitCode: 1, list: ['key-without-effect 2:1'] })
  // Beside mcpServers it may be anybody's.
  const beside = await found(t, `{"servers": {}, "mcpServers": [${JSON.stringify(good)}]}`)
  assert.deepEqual(beside, { exitCode: 0, list: [] })
})

test('two files of one name: each by its path, in all formats', async (t) => {
  const { run, folder } = folderOf(t, { 'one/mcp_config.json': bad, 'two/mcp_config.json': bad })
  const outputs = ['sarif=x.sarif', 'github=x.txt', 'junit=x.xml', 'markdown=x.md'].flatMap((o) => ['--output', o])
  const { exitCode, stdout } = await run('*/mcp_config.json', ...outputs)
  assert.equal(exitCode, 1)
  const both = [/^one\/mcp_config\.json:3:/m, /^two\/mcp_config\.json:3:/m]
  for (const name of both) assert.match(stdout, name)
  const run1 = validSarif(readFileSync(join(folder, 'x.sarif'), 'utf8'))
  assert.deepEqual(
    run1.results.map((r) => r.locations[0]?.physicalLocation.artifactLocation.uri),
    ['one/mcp_config.json', 'two/mcp_config.json'],
  )
  assert.notEqual(run1.results[0]?.partialFingerprints['mcpproxyDoctor/v1'], run1.results[1]?.partialFingerprints['mcpproxyDoctor/v1'])
  for (const name of ['x.txt', 'x.xml', 'x.md']) {
    const text = readFileSync(join(folder, name), 'utf8')
    for (const file of ['one/mcp_config.json', 'two/mcp_config.json']) assert.ok(text.includes(file), `${name}: ${file}`)
  }
})

// ---- outputs ------------------------------------------------------------------------------

const isRoot = process.getuid?.() === 0
for (const [name, place, skip] of [
  ['whose folder is missing', 'none/x.sarif', false],
  ['that is a folder', 'folder', false],
  ['below a file', 'x.json/x.sarif', false],
  ['that is read-only', 'readonly.sarif', isRoot && 'root may write everything'],
  ['on a full disk', '/dev/full', !existsSync('/dev/full') && 'there is no /dev/full'],
] as const)
  test(`a SARIF file ${name}: exit code 2, said, and the result is printed all the same`, { skip }, async (t) => {
    const { run, folder } = folderOf(t, { 'x.json': bad, 'readonly.sarif': '' })
    mkdirSync(join(folder, 'folder'))
    chmodSync(join(folder, 'readonly.sarif'), 0o444)
    const { exitCode, stdout, stderr } = await run('x.json', '--output', `sarif=${place}`, '--output', 'json=x.out')
    assert.equal(exitCode, 2)
    assert.match(stdout, /^x\.json:3:\d+ {2}error {2}tty-flag/)
    assert.ok(stderr.includes(`${place} cannot be written`), stderr)
    assert.doesNotMatch(stderr, /\n\s+at /)
    assert.equal(lintSchemaErrors(JSON.parse(readFileSync(join(folder, 'x.out'), 'utf8'))), null)
  })

// ---- size ---------------------------------------------------------------------------------

test('5,000 servers in less than 300 MiB, the one that is wrong at its place', async (t) => {
  const servers = Array.from({ length: 5000 }, (_, i) => ({
    ...{ ...good, name: `server-${i}`, command: i === 4321 ? 'bunx' : 'npx', args: [`package-${i}`] },
    env: { NOTE: 'x'.repeat(1900), API_TOKEN: `tok-${i}-0123456789abcdef` },
  }))
  const text = JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: servers }, null, 2)
  assert.ok(text.length > 10_000_000)
  const { folder } = folderOf(t, { 'x.json': text })
  writeFileSync(
    join(folder, 'hook.cjs'),
    `process.on('exit', () => require('fs').writeFileSync('rss', String(process.resourceUsage().maxRSS)))\n`,
  )
  const { exitCode, stdout } = await runCli(['lint', 'x.json'], {
    cwd: folder,
    env: { HOME: folder, NO_COLOR: '1', NODE_OPTIONS: '--require=./hook.cjs' },
  })
  assert.equal(exitCode, 1)
  const line = text.slice(0, text.indexOf('"bunx"')).split('\n').length
  assert.match(stdout, new RegExp(`^x\\.json:${line}:18 {2}error {2}unknown-runner {2}server-4321`))
  const mib = Number(readFileSync(join(folder, 'rss'), 'utf8')) / 1024
  assert.ok(mib < 300, `${mib} MiB`)
})
