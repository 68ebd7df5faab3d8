/** `lint` and the formats as a process: exit codes, files, standard input and output apart. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { LintReport } from '../../src/lib/report/lint-report.ts'
import { readAnnotation } from '../helpers/annotations.ts'
import { packageRoot } from '../helpers/package-root.ts'
import { validSarif } from '../helpers/sarif.ts'
import { lintSchemaErrors } from '../helpers/valid-report.ts'
import { runCli, type CliResult } from '../helpers/run-cli.ts'

const good = JSON.stringify({
  docker_isolation: { enabled: true },
  mcpServers: [{ name: 'a', command: 'npx', args: ['x'], enabled: true }],
})
const bad = `{
  "docker_isolation": { "enabled": true },
  "mcpServers": [
    { "name": "a", "enabled": true, "command": "docker", "args": ["run", "-it", "x/y"] },
    { "name": "b", "enabled": true, "command": "npx", "args": ["x"], "isolation": { "memory_limit": "1g" } }
  ]
}
`

function folderOf(t: TestContext, files: Record<string, string | Buffer>) {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-lint-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const run = (args: string[], stdin?: string): Promise<CliResult> =>
    runCli(['lint', ...args], { cwd: folder, env: { HOME: folder, NO_COLOR: '1' }, ...(stdin === undefined ? {} : { stdin }) })
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return { folder, run, read }
}
function reportOf({ stdout }: CliResult): LintReport {
  const value: unknown = JSON.parse(stdout)
  assert.equal(lintSchemaErrors(value), null)
  return value as LintReport
}
const found = (result: CliResult): string[] => reportOf(result).files.flatMap((f) => f.findings.map((x) => x.code))

test('exit codes: by what is found and --fail-on', async (t) => {
  const { run } = folderOf(t, { 'good.json': good, 'bad.json': bad, 'warn.json': bad.replace('-it', '-i') })
  for (const [args, code] of [
    [['good.json'], 0],
    [['bad.json'], 1],
    [['warn.json'], 0],
    [['warn.json', '--fail-on', 'warning'], 1],
    [['bad.json', '--ignore', 'tty-flag'], 0],
    [['bad.json', '--select', 'key-without-effect', 'good.json'], 0],
    [['bad.json', '--select', 'key-without-effect', '--fail-on', 'warning'], 1],
    [['none.json'], 2],
    [['*.jsonc'], 2],
    [['.'], 2],
    [['bad.json', '--format', 'xml'], 2],
    [['bad.json', '--output', 'xml=x'], 2],
    [['bad.json', '--output', 'sarif'], 2],
    [['bad.json', '--mcpproxy-version', 'new'], 2],
    [['bad.json', '--baseline', 'none.json'], 2],
  ] as const) {
    const { exitCode, stderr } = await run([...args])
    assert.equal(exitCode, code, `${args.join(' ')}\n${stderr}`)
  }
})

test('of a server that is reached by its url the command is never looked at', async (t) => {
  const config = JSON.stringify({
    mcpServers: [
      {
        name: 'a',
        enabled: true,
        protocol: 'sse',
        url: 'http://x.test/sse',
        command: 'docker',
        args: ['run', '-it', '-v', '~/x:/x', 'x/y'],
      },
      { name: 'b', enabled: true, protocol: 'http', url: 'http://x.test/mcp', command: 'npx' },
    ],
  })
  const { run } = folderOf(t, { 'remote.json': config, 'auto.json': config.replaceAll(/"(?:sse|http)"/g, '"auto"') })
  assert.deepEqual(found(await run(['remote.json', '--json'])), [])
  const codes = found(await run(['auto.json', '--json']))
  for (const code of ['tty-flag', 'path-not-absolute', 'command-incomplete']) assert.ok(codes.includes(code), codes.join(' '))
})

test('an unknown code is answered with the one that was meant', async (t) => {
  const { run } = folderOf(t, { 'good.json': good })
  const { exitCode, stdout, stderr } = await run(['good.json', '--ignore', 'tty-flg'])
  assert.equal(exitCode, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /no code "tty-flg"[^]*Did you mean tty-flag\?/)
})

test('the text, as people and grep read it', async (t) => {
  const { run } = folderOf(t, { 'bad.json': bad })
  const { stdout, stderr } = await run(['bad.json', '--mcpproxy-version', '0.60'])
  const lines = stdout.split('\n')
  assert.match(lines[0] ?? '', /^bad\.json:4:74 {2}error {2}tty-flag {12}a: /)
  assert.match(lines[1] ?? '', /^bad\.json:5:85 {2}warn {3}key-without-effect {2}b: isolation\.memory_limit is not read/)
  assert.equal(lines.at(-2), '1 error, 1 warning in 2 servers (MCPProxy v0.60.0)')
  assert.equal(stderr, '')
})

test('files, globs and standard input: each file once, also two of one name', async (t) => {
  const { run, folder } = folderOf(t, { 'a/mcp_config.json': bad, 'b/mcp_config.json': good, 'c[1].json': good })
  symlinkSync(join(folder, 'a/mcp_config.json'), join(folder, 'link.json'))
  const files = async (args: string[], stdin?: string): Promise<string[]> =>
    reportOf(await run([...args, '--json'], stdin)).files.map((f) => f.file)
  assert.deepEqual(await files(['*/mcp_config.json', 'a/mcp_config.json', 'link.json']), ['a/mcp_config.json', 'b/mcp_config.json'])
  assert.deepEqual(await files(['c[1].json', '-'], good), ['stdin', 'c[1].json'])
  const { exitCode, stdout } = await run(['-'], bad)
  assert.equal(exitCode, 1)
  assert.match(stdout, /^stdin:4:74 {2}error {2}tty-flag/)
})

test('without CONFIG: the file that MCPProxy would read', async (t) => {
  const { run, folder } = folderOf(t, { '.mcpproxy/mcp_config.json': bad })
  assert.match((await run([])).stdout, /^\.mcpproxy\/mcp_config\.json:4:74 /)
  rmSync(join(folder, '.mcpproxy'), { recursive: true })
  const { exitCode, stderr } = await run([])
  // A service's configuration of this machine is a default too.
  if (!existsSync('/etc/mcpproxy/mcp_config.json')) {
    assert.equal(exitCode, 2)
    assert.match(stderr, /No mcp_config\.json was found/)
  }
})

test('several outputs in one run; one that cannot be written is said after the others are', async (t) => {
  const { run, read } = folderOf(t, { 'bad.json': bad })
  const outputs = ['sarif=x.sarif', 'junit=x.xml', 'json=x.json', 'markdown=x.md', 'github=x.txt', 'text=x.log'].flatMap((o) => [
    '--output',
    o,
  ])
  const { exitCode, stdout } = await run(['bad.json', ...outputs])
  assert.equal(exitCode, 1)
  assert.match(stdout, /^bad\.json:4:74/)
  assert.deepEqual(
    validSarif(read('x.sarif')).results.map((r) => r.ruleId),
    ['tty-flag', 'key-without-effect'],
  )
  assert.match(read('x.xml'), /^<\?xml[^]*<failure type="tty-flag"/)
  assert.equal((JSON.parse(read('x.json')) as LintReport).files.length, 1)
  assert.match(read('x.md'), /\| error \| 4:74 \|/)
  assert.match(read('x.txt'), /^::error file=bad\.json,line=4,endLine=4,col=74,endColumn=79,/)
  assert.equal(read('x.log'), stdout)
  const broken = await run(['bad.json', '--output', 'sarif=none/x.sarif', '--output', 'junit=y.xml', '--json'])
  assert.equal(broken.exitCode, 2)
  assert.match(broken.stderr + broken.stdout, /none\/x\.sarif cannot be written/)
  assert.match(read('y.xml'), /^<\?xml/)
})

test('helpUri of each rule: from --help-uri-base, else from the home page of the package, else none', async (t) => {
  const { run, read } = folderOf(t, { 'bad.json': bad })
  const rules = (text: string): (string | undefined)[] => validSarif(text).tool.driver.rules.map((r) => r.helpUri)
  const { homepage } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { homepage?: string }
  const usual = (code: string): string | undefined =>
    homepage === undefined ? undefined : `${homepage.replace(/\/$/, '')}/blob/main/docs/findings/${code}.md`
  assert.deepEqual(rules((await run(['bad.json', '--format', 'sarif'])).stdout), ['key-without-effect', 'tty-flag'].map(usual))
  const base = ['--help-uri-base', 'https://example.org/a b/', '--format', 'sarif', '--output', 'markdown=x.md']
  const pages = ['key-without-effect', 'tty-flag'].map((code) => `https://example.org/a%20b/${code}.md`)
  assert.deepEqual(rules((await run(['bad.json', ...base])).stdout), pages)
  assert.match(read('x.md'), /\[`tty-flag`\]\(https:\/\/example\.org\/a%20b\/tty-flag\.md\)/)
  for (const wrong of ['docs/findings', 'javascript:alert(1)', 'https://'])
    assert.equal((await run(['bad.json', '--help-uri-base', wrong])).exitCode, 2)
  const check = await runCli(['check', 'everything', '--from', 'demo', '--format', 'sarif', '--help-uri-base', 'https://example.org'])
  assert.ok(rules(check.stdout).includes('https://example.org/tty-flag.md'), check.stderr)
})

test('helpUri by the settings: those of the first file that say it, and the flag before them', async (t) => {
  const settings = JSON.stringify({ helpUriBase: 'https://example.org/pages/' })
  const { run } = folderOf(t, { 'bad.json': bad, 'in/bad.json': bad, 'in/.mcpproxy-doctor.json': settings })
  const first = (text: string): string | undefined => validSarif(text).tool.driver.rules.find((r) => r.id === 'tty-flag')?.helpUri
  assert.equal(first((await run(['bad.json', 'in/bad.json', '--format', 'sarif'])).stdout), 'https://example.org/pages/tty-flag.md')
  const flagged = await run(['in/bad.json', '--format', 'sarif', '--help-uri-base', 'https://example.com'])
  assert.equal(first(flagged.stdout), 'https://example.com/tty-flag.md')
  assert.ok(!first((await run(['bad.json', '--format', 'sarif'])).stdout)?.startsWith('https://example.org/pages'))
})

test('a note that quotes a file is one line, and no command', async (t) => {
  const reason = 'x\n::error::y\u001b[31m'
  const { run } = folderOf(t, {
    'bad.json': bad,
    '.mcpproxy-doctor.json': JSON.stringify({ ignores: [{ code: 'tty-flag', reason, expires: '2020-01-31' }] }),
  })
  const { stderr, stdout } = await run(['bad.json', '--format', 'github'])
  assert.match(stderr, /^[^\n\u001b]+\(x ::error::y\)\.\n$/)
  assert.deepEqual(
    stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => readAnnotation(line)?.command),
    ['error', 'warning', 'notice'],
  )
})

test('.mcpproxy-doctor.json: ignored with a reason, reported again when it has expired', async (t) => {
  const ignore = (more: object): string =>
    JSON.stringify({ ignores: [{ code: 'tty-flag', server: 'a', reason: 'replaced next week', ...more }] })
  const { run, folder } = folderOf(t, { 'bad.json': bad, '.mcpproxy-doctor.json': ignore({}) })
  const ignored = await run(['bad.json', '--json'])
  assert.equal(ignored.exitCode, 0)
  assert.deepEqual(found(ignored), ['key-without-effect'])
  assert.equal(reportOf(ignored).files[0]?.ignored[0]?.reason, 'replaced next week')
  writeFileSync(join(folder, '.mcpproxy-doctor.json'), ignore({ expires: '2020-01-31' }))
  const expired = await run(['bad.json'])
  assert.equal(expired.exitCode, 1)
  assert.match(expired.stderr, /the ignore of tty-flag expired on 2020-01-31 \(replaced next week\)/)
  writeFileSync(join(folder, '.mcpproxy-doctor.json'), JSON.stringify({ ignores: [{ code: 'tty-flag' }] }))
  const wrong = await run(['bad.json'])
  assert.equal(wrong.exitCode, 2)
  assert.match(wrong.stderr, /\.mcpproxy-doctor\.json: ignores\[0\] needs a "reason"/)
})

test('a baseline: what was there before does not fail, what is new does', async (t) => {
  const { run, folder } = folderOf(t, { 'bad.json': bad })
  const written = await run(['bad.json', '--baseline', 'base.json', '--write-baseline'])
  assert.equal(written.exitCode, 0)
  assert.match(written.stderr, /2 findings written to base\.json/)
  const same = await run(['bad.json', '--baseline', 'base.json', '--json'])
  assert.equal(same.exitCode, 0)
  assert.equal(reportOf(same).files[0]?.known, 2)
  const grown = bad.replace(
    '    { "name": "b"',
    '    { "name": "c", "enabled": true, "command": "bunx", "args": ["x"] },\n    { "name": "b"',
  )
  writeFileSync(join(folder, 'bad.json'), grown)
  const more = await run(['bad.json', '--baseline', 'base.json', '--json'])
  assert.equal(more.exitCode, 1)
  assert.deepEqual(found(more), ['unknown-runner'])
})

test('--diff shows, --fix writes with a backup, and a second time there is nothing to do', async (t) => {
  const { run, read, folder } = folderOf(t, { 'bad.json': bad })
  const shown = await run(['bad.json', '--diff'])
  assert.match(shown.stdout, /^--- bad\.json\n[^]*\n-.*"-it"[^]*\n\+.*"-i"/)
  assert.equal(read('bad.json'), bad)
  const fixed = await run(['bad.json', '--fix'])
  assert.equal(fixed.exitCode, 0)
  assert.equal(read('bad.json'), bad.replace('"-it"', '"-i"'))
  const backups = readdirSync(folder).filter((name) => name.includes('.doctor-'))
  assert.deepEqual(backups.map(read), [bad])
  await run(['bad.json', '--fix'])
  assert.equal(readdirSync(folder).length, 2)
  const stdin = await run(['-', '--fix'], bad)
  assert.equal(stdin.exitCode, 2)
})

test('what --fix passes over: what is ignored, and what is known', async (t) => {
  const { run, read } = folderOf(t, {
    'bad.json': bad,
    '.mcpproxy-doctor.json': JSON.stringify({ ignores: [{ code: 'tty-flag', reason: 'x' }] }),
  })
  assert.equal((await run(['bad.json', '--fix'])).exitCode, 0)
  assert.equal(read('bad.json'), bad)
})

test(
  'a file that may not be read, UTF-16, and one that is none',
  { skip: process.getuid?.() === 0 && 'root may read everything' },
  async (t) => {
    const { run, folder } = folderOf(t, { 'secret.json': good })
    chmodSync(join(folder, 'secret.json'), 0)
    assert.equal((await run(['secret.json'])).exitCode, 2)
  },
)

test('UTF-16 is refused by MCPProxy, and so it is an error', async (t) => {
  const { run, read, folder } = folderOf(t, { 'wide.json': Buffer.from(`\uFEFF${good}`, 'utf16le') })
  const before = read('wide.json')
  const { exitCode, stdout } = await run(['wide.json', '--fix'])
  assert.equal(exitCode, 1)
  assert.match(stdout, /^wide\.json:1:1 {2}error {2}config-syntax {2}The file is UTF-16/)
  assert.equal(read('wide.json'), before)
  assert.equal(readdirSync(folder).length, 1)
})

test('ten megabytes and five thousand servers', async (t) => {
  const servers = Array.from({ length: 5000 }, (_, i) => ({
    name: `server-${i}`,
    command: i === 4999 ? 'bunx' : 'npx',
    args: [`package-${i}`],
    enabled: true,
    env: { NOTE: 'x'.repeat(1900) },
  }))
  const text = JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: servers }, null, 1)
  assert.ok(text.length > 10_000_000)
  const line = text.slice(0, text.indexOf('"bunx"')).split('\n').length
  const { run } = folderOf(t, { 'big.json': text })
  const { exitCode, stdout } = await run(['big.json'])
  assert.equal(exitCode, 1)
  assert.match(stdout, new RegExp(`^big\\.json:${line}:15 {2}error {2}unknown-runner {2}server-4999`))
})

test('check has the same formats', async (t) => {
  const { folder, read } = folderOf(t, {})
  const args = [
    'check',
    'everything',
    '--from',
    'demo',
    '--output',
    `sarif=${join(folder, 'x.sarif')}`,
    '--output',
    `json=${join(folder, 'x.json')}`,
  ]
  const { exitCode, stdout } = await runCli([...args, '--format', 'github'])
  assert.equal(exitCode, 1)
  assert.match(stdout, /^::error file=[^\n]*mcp_config\.json,line=14,[^\n]*title=tty-flag \(everything\)::/)
  assert.equal(validSarif(read('x.sarif')).results[0]?.ruleId, 'tty-flag')
  assert.equal((JSON.parse(read('x.json')) as { verdict: string }).verdict, 'problem')
})
