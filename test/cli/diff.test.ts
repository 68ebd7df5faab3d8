/** diff as a process: what changed is said, what cannot be known is not said to have changed, and no secret is shown. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import type { DiffReport } from '../../src/lib/report/diff-report.ts'
import { mayBeSame } from '../../src/lib/workflow/diff.ts'
import { packageRoot } from '../helpers/package-root.ts'
import { runCli } from '../helpers/run-cli.ts'
import { smallHome } from '../helpers/small-home.ts'

const schema = JSON.parse(readFileSync(join(packageRoot(), 'schemas/diff.schema.json'), 'utf8')) as AnySchemaObject
const valid = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema)
const capture = (name: string): string => join(packageRoot(), 'test/captures', name)
const key = `ghp_${'Zk3Xq9Lw7Rt2Vb8Nc5Md4Hs6Jf1Gp0Qy'}1234`
const config = (more: object = {}, value = key): unknown => ({
  docker_isolation: { enabled: true, memory_limit: '512m' },
  mcpServers: [{ name: 'web', command: 'npx', args: ['-y', 'web-mcp'], env: { SOME_KEY: value }, enabled: true, ...more }],
})

async function diff(args: string[]): Promise<{ exitCode: number | null; report: DiffReport; told: string[]; text: string }> {
  const [json, text] = [await runCli(['diff', ...args, '--format', 'json']), await runCli(['diff', ...args])]
  assert.equal(json.stderr, '')
  assert.equal(text.exitCode, json.exitCode)
  const report = JSON.parse(json.stdout) as DiffReport
  assert.ok(valid(report), JSON.stringify(valid.errors))
  assert.ok(!json.stdout.includes(key) && !text.stdout.includes(key))
  const told = [{ server: '', differences: report.general }, ...report.servers].flatMap(({ server, differences }) =>
    differences.map((d) => `${server} ${d.group} ${d.what} ${d.kind}`.trim()),
  )
  return { exitCode: json.exitCode, report, told, text: text.stdout }
}

/** Bundles of one machine with two configurations. */
async function bundles(t: TestContext, first: unknown, second: unknown): Promise<[string, string]> {
  const home = smallHome(t, { config: JSON.stringify(first, null, 1) })
  assert.equal((await home.run(['bundle', '--all', '-o', 'first.tgz'])).exitCode, 0)
  writeFileSync(home.config, JSON.stringify(second, null, 1))
  assert.equal((await home.run(['bundle', '--all', '-o', 'second'])).exitCode, 0)
  return [join(home.folder, 'first.tgz'), join(home.folder, 'second')]
}

test('a capture and itself', async () => {
  const { exitCode, told, text } = await diff([capture('0.60.0-healthy'), capture('0.60.0-healthy')])
  assert.equal(exitCode, 0)
  assert.deepEqual(told, [])
  assert.match(text, /No difference/)
})

test('a bundle of one of several servers and itself: nothing differs, and what it does not hold is said', async (t) => {
  const { docker_isolation, mcpServers } = config() as { docker_isolation: object; mcpServers: object[] }
  const home = smallHome(t, {
    config: JSON.stringify({ docker_isolation, mcpServers: [...mcpServers, { ...mcpServers[0], name: 'other' }] }),
  })
  const at = join(home.folder, 'web.tgz')
  assert.equal((await home.run(['bundle', 'web', '-o', at])).exitCode, 0)
  const { exitCode, told, text } = await diff([at, at])
  assert.equal(exitCode, 0)
  assert.ok(told.includes('other findings findings neither'), told.join())
  assert.match(text, /^. No difference in what they hold\n[^]*In neither of them\n[^]*other: findings \(It was not recorded about other\)/)
  // What one of them holds and the other does not is another matter.
  const both = join(home.folder, 'both.tgz')
  assert.equal((await home.run(['bundle', '--all', '-o', both])).exitCode, 0)
  assert.ok((await diff([at, both])).told.includes('other findings verdict unknown'))
})

test('the arguments, the image, the status and the findings of a server that works now', async () => {
  const { exitCode, told, text } = await diff([capture('0.60.0-edited-not-restarted'), capture('0.60.0-healthy')])
  assert.equal(exitCode, 1)
  for (const what of [
    'arguments IMAGE changed',
    'image id changed',
    'status newest attempt changed',
    'findings not-restarted removed',
    'findings verdict changed',
  ])
    assert.ok(told.includes(`good ${what}`), what)
  assert.match(text, /alpine:3\.18 → docker\.io\/library\/node:20/)
})

test('a server that is in one only', async () => {
  const { told } = await diff([capture('0.60.0-tty-flag'), capture('0.60.0-healthy')])
  assert.ok(told.includes('everything server server removed') && told.includes('good server server added'))
  assert.equal(told.filter((line) => /^(?:everything|good) /.test(line)).length, 2)
})

test('versions', async () => {
  const { report } = await diff([capture('0.45.0-healthy'), capture('0.60.0-healthy')])
  const version = report.general.find((d) => d.what === 'MCPProxy')
  assert.equal(version?.kind, 'changed')
  assert.match(version.after.value ?? '', /0\.60/)
})

test('of bundles: values of the configuration with their places', async (t) => {
  const [before, after] = await bundles(t, config(), config({ command: 'uvx', isolation: { image: 'python:3.11' } }))
  const { report, told, exitCode } = await diff([before, after])
  assert.equal(exitCode, 1)
  const command = report.servers[0]?.differences.find((d) => d.what === 'command')
  assert.equal(command?.kind, 'changed')
  assert.equal(command.before.value, '"npx"')
  assert.match(command.after.place?.file ?? '', /mcp_config\.json$/)
  assert.equal(command.after.place?.line, 9)
  assert.ok(told.includes('web configuration isolation.image added'))
  // The same secret in two bundles, each with a token of its own.
  assert.ok(told.includes('web configuration env.SOME_KEY masked'))
})

test('nothing but a masked secret: not equal, and not a change', async (t) => {
  const [before, after] = await bundles(t, config(), config())
  const { exitCode, told, text } = await diff([before, after])
  assert.deepEqual(
    told.filter((l) => / (?:changed|added|removed)$/.test(l)),
    [],
  )
  assert.ok(told.includes('web configuration env.SOME_KEY masked'))
  assert.equal(exitCode, 3)
  assert.match(text, /could not be compared[^]*whether these differ cannot be told\n +web: env\.SOME_KEY/)
})

test('secrets that are in both captures are compared and not shown', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-diff-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const made = [key, `${key}other`, key].map((value, i) => {
    const at = join(folder, String(i))
    cpSync(capture('0.60.0-healthy'), at, { recursive: true })
    writeFileSync(join(at, 'home/.mcpproxy/mcp_config.json'), JSON.stringify(config({}, value), null, 1))
    return at
  })
  const changed = await diff(made.slice(0, 2))
  // Neither capture holds the image that the configuration now leads to.
  assert.deepEqual(changed.told, ['web configuration env.SOME_KEY changed', 'web image image neither'])
  assert.match(changed.text, /SOME_KEY {2}changed; both values are masked/)
  const same = await diff([made[0] ?? '', made[2] ?? ''])
  assert.deepEqual([same.exitCode, same.told], [0, ['web image image neither']])
})

test('wrong usage', async () => {
  const at = capture('0.60.0-healthy')
  for (const args of [[at], [at, '/nowhere'], [at, at, '--server', 'nobody'], [at, at, '--format', 'html']])
    assert.equal((await runCli(['diff', ...args])).exitCode, 2, args.join(' '))
})

test('what may be the same behind a mask', () => {
  const token = 'SECRET_0123456789ab'
  const other = 'SECRET_ba9876543210'
  assert.ok(mayBeSame(`"https://x/?k=${token}"`, `"https://x/?k=${other}"`, true, true))
  assert.ok(mayBeSame(`"https://x/?k=${token}"`, '"https://x/?k=plain"', true, false))
  assert.ok(mayBeSame('"https://x/?k=plain"', `"https://x/?k=${token}"`, false, true))
  assert.ok(!mayBeSame(`"https://x/?k=${token}"`, `"https://y/?k=${other}"`, true, true))
  assert.ok(!mayBeSame(`"https://x/?k=${token}"`, '"https://y/?k=plain"', true, false))
  assert.ok(!mayBeSame('"a"', '"b"', false, false))
  assert.ok(!mayBeSame('host', 'bridge', true, true))
  assert.ok(!mayBeSame('http://host.docker.internal/', 'http://example.docker.internal/', true, true))
  assert.ok(mayBeSame('~/.mcpproxy', '/home/josephine/.mcpproxy', true, false))
  assert.ok(!mayBeSame('~/.mcpproxy', '/srv/.mcpproxy', true, false))
  assert.ok(mayBeSame('/srv/user/x on host', '/srv/josephine/x on laptop', true, false))
  assert.ok(!mayBeSame('/srv/user/x', '/srv/josephine/y', true, false))
})
