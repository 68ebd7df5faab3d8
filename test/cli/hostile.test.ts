/** A capture from somebody who wants the terminal to do things: no command lets a byte of it through that is not plain text. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { packageRoot } from '../helpers/package-root.ts'
import { runCli } from '../helpers/run-cli.ts'

const evil =
  '\u001b[31mred\u001b]0;title\u0007\u001b]52;c;YQ==\u0007\u001b]8;;http://x.example\u0007link\u009b2J\r\u202egpj\u2066\u200b\ufeff\u0008\u007f\u0085'
const name = `web${evil}`
const folder = mkdtempSync(join(tmpdir(), 'doctor-hostile-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Every string of a JSON file, changed. */
function poison(file: string, change: (text: string) => string): void {
  const walk = (value: unknown): unknown =>
    typeof value === 'string'
      ? change(value)
      : Array.isArray(value)
        ? value.map(walk)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(v)]))
          : value
  writeFileSync(file, JSON.stringify(walk(JSON.parse(readFileSync(file, 'utf8')))))
}

/** Controls of a terminal, and what changes the order of letters or is drawn as nothing. JSON may hold them escaped only. */
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

cpSync(join(packageRoot(), 'test/captures/0.60.0-tty-flag'), folder, { recursive: true })
const logs = 'home/.local/state/mcpproxy/logs'
poison(join(folder, 'home/.mcpproxy/mcp_config.json'), (s) => (s === 'everything' ? name : s))
poison(join(folder, 'api/servers.json'), (s) => (s === 'everything' ? name : s.startsWith('/api') ? s : `${s}${evil}`))
poison(join(folder, 'docker/info.json'), (s) => `${s}${evil}`)
poison(join(folder, 'docker/version.json'), (s) => `${s}${evil}`)
poison(join(folder, 'docker/images.json'), (s) => `${s}${evil}`)
const inJson = JSON.stringify(name).slice(1, -1)
for (const [from, to] of [
  ['main.log', 'main.log'],
  ['server-everything.log', `server-${name.replace(/[^A-Za-z0-9_-]/g, '_')}.log`],
] as const) {
  const text = readFileSync(join(folder, logs, from), 'utf8')
  writeFileSync(
    join(folder, logs, to),
    text.replaceAll('"everything"', `"${inJson}"`).replaceAll('TTY', `TTY ${evil.replaceAll('\r', '')}`),
  )
}
const server = name

for (const args of [
  ['check', '--all', '--verbose'],
  ['check', '--', server],
  ['isolation', '--', server],
  ['container', '--', server],
  ['logs', '--', server],
  ['args', '--', server],
  ['fix', '--', server],
  ['check', '--', `nobody${evil}`],
  ['bundle', '--', server],
]) {
  test(`clean: ${args.slice(0, 2).join(' ')}`, async () => {
    const at = args.indexOf('--')
    const from = ['--from', folder, ...(args[0] === 'bundle' ? ['-o', join(folder, 'out.tgz')] : [])]
    const given = at < 0 ? [...args, ...from] : [...args.slice(0, at), ...from, ...args.slice(at)]
    const { stdout, stderr, exitCode } = await runCli(given, { env: { FORCE_COLOR: '0' } })
    assert.ok(exitCode !== 4 && (stdout + stderr).length > 0, stderr)
    for (const text of [stdout, stderr]) {
      const hit = controls.exec(text)
      assert.equal(hit, null, hit ? JSON.stringify(text.slice(Math.max(0, hit.index - 60), hit.index + 20)) : '')
    }
  })
}

test('the scanner sees what it is there for, and the capture leads to its cause all the same', async () => {
  assert.match(evil, controls)
  const { stdout, exitCode } = await runCli(['check', '--from', folder, '--', server])
  assert.equal(exitCode, 1)
  assert.match(stdout, /^✗ webred[^]*tty-flag/)
})

test('the same with --json: it is JSON, and holds no control as it is', async () => {
  const { stdout } = await runCli(['check', '--all', '--json', '--from', folder])
  assert.doesNotThrow(() => JSON.parse(stdout) as unknown)
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
})
