/** Whatever lies in the cache of code, the program says the same, and what is wrong is replaced or left alone. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { packageRoot } from '../helpers/package-root.ts'
import { runCli, type CliResult } from '../helpers/run-cli.ts'

const modes = process.platform === 'win32' ? 'Windows has no modes' : false
const args = ['explain', '--list']
const without = await run(null)

function run(home: string | null, more: string[] = [], env: Record<string, string> = {}): Promise<CliResult> {
  const cache = home === null ? { MCPPROXY_DOCTOR_NO_CACHE: '1' } : { XDG_CACHE_HOME: home, LOCALAPPDATA: home }
  return runCli([...args, ...more], { program: 'bin/run.js', env: { ...cache, ...env } })
}

function newHome(t: TestContext): string {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-cache-'))
  t.after(() => fs.rmSync(home, { recursive: true, force: true }))
  return home
}
const folderOf = (home: string): string => path.join(home, 'mcpproxy-doctor', 'code')
function only(home: string): string {
  const names = fs.readdirSync(folderOf(home))
  assert.equal(names.length, 1, names.join())
  return path.join(folderOf(home), names[0] as string)
}
const identity = (file: string): string => {
  const { ino, mtimeMs } = fs.statSync(file)
  return `${ino} ${mtimeMs}`
}
interface Said {
  of: string
  /** Where behind the line, and how long: the code, twice. */
  groups: ({ at: number; code: number } | null)[]
}
const startOf = (content: Buffer): number => content.indexOf('\n') + 1
const saidIn = (content: Buffer): Said => JSON.parse(content.toString('latin1', 0, startOf(content))) as Said
const rounded = (length: number): number => Math.ceil(length / 8) * 8
function sealed(said: Said, data: Buffer): Buffer {
  const line = JSON.stringify(said)
  return Buffer.concat([Buffer.from(`${line.padEnd(rounded(line.length + 1) - 1)}\n`), data])
}

/** Runs once for a cache, spoils it, and wants the right answer and then a cache that is accepted again. */
async function spoiled(t: TestContext, spoil: (file: string, content: Buffer) => void): Promise<void> {
  const home = newHome(t)
  await run(home)
  const file = only(home)
  const content = fs.readFileSync(file)
  spoil(file, content)
  const before = identity(file)
  assert.deepEqual(await run(home), without)
  const mended = identity(only(home))
  assert.notEqual(mended, before, 'replaced')
  assert.ok(fs.lstatSync(file).isFile())
  assert.deepEqual(await run(home), without)
  assert.equal(identity(only(home)), mended, 'accepted, so not written again')
}

test('the answer without a cache is one', () => {
  assert.equal(without.exitCode, 0)
  assert.match(without.stdout, /image-lacks-program/)
})

test('written once, private, and taken from then on', async (t) => {
  const home = newHome(t)
  assert.deepEqual(await run(home), without)
  const first = identity(only(home))
  assert.deepEqual(await run(home), without)
  assert.equal(identity(only(home)), first)
  if (modes !== false) return
  assert.equal(fs.statSync(only(home)).mode & 0o777, 0o600)
  assert.equal(fs.statSync(folderOf(home)).mode & 0o777, 0o700)
})

test('each command has its own, written once, and there is none of a run that failed', async (t) => {
  const home = newHome(t)
  const env = { XDG_CACHE_HOME: home, LOCALAPPDATA: home }
  const demo = ['check', '--from', 'demo', '--json']
  const plain = await runCli(demo, { program: 'bin/run.js', env: { MCPPROXY_DOCTOR_NO_CACHE: '1' } })
  await run(home)
  const first = only(home)
  const written = identity(first)
  const sizes: number[] = []
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await runCli(demo, { program: 'bin/run.js', env }), plain)
    const [other = '', ...more] = fs.readdirSync(folderOf(home)).filter((name) => name !== path.basename(first))
    assert.deepEqual(more, [])
    sizes.push(fs.statSync(path.join(folderOf(home), other)).size)
  }
  assert.equal(sizes[1], sizes[0])
  assert.deepEqual(await run(home), without)
  assert.equal((await runCli(['nonsense'], { program: 'bin/run.js', env })).exitCode, 2)
  await runCli(['lint', '/nonexistent'], { program: 'bin/run.js', env })
  assert.equal(identity(first), written)
  assert.equal(fs.readdirSync(folderOf(home)).length, 2)
})

test('--no-cache and MCPPROXY_DOCTOR_NO_CACHE switch it off', async (t) => {
  const home = newHome(t)
  assert.deepEqual(await run(home, ['--no-cache']), without)
  assert.deepEqual(await run(home, [], { MCPPROXY_DOCTOR_NO_CACHE: '1' }), without)
  assert.deepEqual(fs.readdirSync(home), [])
})

test('truncated', (t) => spoiled(t, (file, content) => fs.writeFileSync(file, content.subarray(0, content.length / 2))))
test('empty', (t) => spoiled(t, (file) => fs.writeFileSync(file, '')))
for (const [what, of] of [
  ['the code', ({ at, code }) => at + (code >> 1)],
  ['its second copy', ({ at, code }) => at + rounded(code) + (code >> 1)],
] as [string, (group: { at: number; code: number }) => number][])
  test(`a byte of ${what} is different`, (t) =>
    spoiled(t, (file, content) => {
      const group = saidIn(content).groups.find((one) => one !== null)
      assert.ok(group)
      const place = startOf(content) + of(group)
      content[place] = ~(content[place] as number) & 0xff
      fs.writeFileSync(file, content)
    }))
test('a byte of the first line is different', (t) =>
  spoiled(t, (file, content) => {
    content[50] = ~(content[50] as number) & 0xff
    fs.writeFileSync(file, content)
  }))
test('of another file or another Node', (t) =>
  spoiled(t, (file, content) => {
    const said = saidIn(content)
    fs.writeFileSync(
      file,
      sealed({ ...said, of: said.of.replace(/^./, (c) => (c === '0' ? '1' : '0')) }, content.subarray(startOf(content))),
    )
  }))
test('rejected by V8', (t) =>
  spoiled(t, (file, content) => {
    for (const group of saidIn(content).groups) {
      if (group === null) continue
      const begin = startOf(content) + group.at
      content.fill(7, begin, begin + group.code)
      content.fill(7, begin + rounded(group.code), begin + rounded(group.code) + group.code)
    }
    fs.writeFileSync(file, content)
  }))
test('a place in the first line that cannot be', (t) =>
  spoiled(t, (file, content) => {
    const said = saidIn(content)
    const groups = said.groups.map((group) => group && { ...group, code: -group.code })
    fs.writeFileSync(file, sealed({ ...said, groups }, content.subarray(startOf(content))))
  }))
test('damage to what a run does not use is not handed on as if it were whole', async (t) => {
  const home = newHome(t)
  const lint = (format: string): Promise<CliResult> =>
    runCli(['lint', 'demo/home/.mcpproxy/mcp_config.json', '--format', format], {
      program: 'bin/run.js',
      env: { XDG_CACHE_HOME: home, LOCALAPPDATA: home },
    })
  const want = [await lint('text'), await lint('sarif')]
  const file = only(home)
  const content = fs.readFileSync(file)
  // In each a byte of the first copy.
  for (const group of saidIn(content).groups) {
    if (group === null) continue
    const place = startOf(content) + group.at + (group.code >> 1)
    content[place] = ~(content[place] as number) & 0xff
  }
  fs.writeFileSync(file, content)
  for (let i = 0; i < 2; i++) assert.deepEqual([await lint('text'), await lint('sarif')], want)
  for (const group of saidIn(fs.readFileSync(file)).groups) {
    if (group === null) continue
    const begin = startOf(fs.readFileSync(file)) + group.at
    const bytes = fs.readFileSync(file).subarray(begin, begin + group.code)
    assert.ok(bytes.equals(fs.readFileSync(file).subarray(begin + rounded(group.code), begin + rounded(group.code) + group.code)))
  }
})
test('options of Node that are not ASCII', async (t) => {
  const home = newHome(t)
  const env = { NODE_OPTIONS: '--title=jürgen' }
  await run(home, [], env)
  const first = identity(only(home))
  assert.deepEqual(await run(home, [], env), without)
  assert.equal(identity(only(home)), first)
})
test('a link', { skip: modes }, (t) =>
  spoiled(t, (file) => {
    fs.renameSync(file, `${file}.elsewhere`)
    fs.renameSync(`${file}.elsewhere`, path.join(path.dirname(file), '../../elsewhere'))
    fs.symlinkSync(path.join(path.dirname(file), '../../elsewhere'), file)
  }),
)
test('readable by others', { skip: modes }, (t) => spoiled(t, (file) => fs.chmodSync(file, 0o644)))
test('of another user', { skip: process.getuid?.() === 0 ? false : 'only root can give files away' }, (t) =>
  spoiled(t, (file) => fs.chownSync(file, 12345, 12345)),
)

/** The folder is not ours alone: neither read nor written. */
async function shunned(t: TestContext, make: (folder: string, home: string) => void): Promise<void> {
  const home = newHome(t)
  await run(home)
  const before = identity(only(home))
  // Were it read, V8 would be handed this.
  fs.writeFileSync(only(home), 'not code')
  make(folderOf(home), home)
  assert.deepEqual(await run(home), without)
  assert.equal(fs.readFileSync(only(home), 'utf8'), 'not code')
  assert.notEqual(identity(only(home)), before)
}
test('a folder that others can look into', { skip: modes }, (t) => shunned(t, (folder) => fs.chmodSync(folder, 0o755)))
test('a folder of another user', { skip: process.getuid?.() === 0 ? false : 'only root can give files away' }, (t) =>
  shunned(t, (folder) => fs.chownSync(folder, 12345, 12345)),
)
test('a folder that is a link', { skip: modes }, (t) =>
  shunned(t, (folder, home) => {
    fs.renameSync(folder, path.join(home, 'elsewhere'))
    fs.symlinkSync(path.join(home, 'elsewhere'), folder)
  }),
)

test('a folder in the place of the file, and no place for a folder', async (t) => {
  const home = newHome(t)
  await run(home)
  const file = only(home)
  fs.rmSync(file)
  fs.mkdirSync(file)
  assert.deepEqual(await run(home), without)
  assert.deepEqual(fs.readdirSync(folderOf(home)), [path.basename(file)], 'nothing half written is left')
  const blocked = path.join(newHome(t), 'file')
  fs.writeFileSync(blocked, '')
  assert.deepEqual(await run(blocked), without)
})

test('a shipped file that somebody changed runs as it is', async (t) => {
  const home = newHome(t)
  const folder = newHome(t)
  for (const part of ['bin', 'bundle', 'package.json', 'demo'])
    fs.cpSync(path.join(packageRoot(), part), path.join(folder, part), { recursive: true })
  const program = path.join(path.relative(packageRoot(), folder), 'bin/run.js')
  const start = (): Promise<CliResult> => runCli(['nonsense'], { program, env: { XDG_CACHE_HOME: home } })
  assert.match((await start()).stderr, /There is no command/)
  await runCli(['--help'], { program, env: { XDG_CACHE_HOME: home } })
  assert.equal(fs.readdirSync(folderOf(home)).length, 1)
  const file = path.join(folder, 'bundle/mcpproxy-doctor.cjs')
  const original = fs.readFileSync(file, 'utf8')
  // Strings may be broken into lines in it; this short one is not.
  assert.ok(original.includes('There are ${config'))
  for (const said of ['There xre', 'There always are']) {
    fs.writeFileSync(file, original.replace('There are ${config', `${said} \${config`))
    assert.match((await start()).stderr, new RegExp(said))
  }
})

test('two installations of the same release have a cache each', async (t) => {
  const home = newHome(t)
  const starts = [1_000_000_000, 1_100_000_000].map((seconds) => {
    const folder = newHome(t)
    for (const part of ['bin', 'bundle', 'package.json'])
      fs.cpSync(path.join(packageRoot(), part), path.join(folder, part), { recursive: true })
    fs.utimesSync(path.join(folder, 'bundle/mcpproxy-doctor.cjs'), seconds, seconds)
    const program = path.join(path.relative(packageRoot(), folder), 'bin/run.js')
    return (): Promise<CliResult> => runCli(args, { program, env: { XDG_CACHE_HOME: home, LOCALAPPDATA: home } })
  })
  const kept = (): string[] => fs.readdirSync(folderOf(home)).map((name) => identity(path.join(folderOf(home), name)))
  for (const start of starts) assert.deepEqual(await start(), without)
  const first = kept()
  assert.equal(first.length, 2)
  for (const start of starts) assert.deepEqual(await start(), without)
  assert.deepEqual(kept(), first)
})

test('many processes that write it at once', async (t) => {
  const home = newHome(t)
  for (const result of await Promise.all(Array.from({ length: 6 }, () => run(home)))) assert.deepEqual(result, without)
  const file = only(home)
  const content = fs.readFileSync(file)
  const { groups } = saidIn(content)
  assert.ok(groups.some((group) => group !== null))
  for (const group of groups) {
    if (group === null) continue
    const begin = startOf(content) + group.at
    const second = begin + rounded(group.code)
    assert.ok(content.subarray(begin, begin + group.code).equals(content.subarray(second, second + group.code)))
  }
})

test('files of old versions do not pile up', async (t) => {
  const home = newHome(t)
  await run(home)
  const file = only(home)
  for (let i = 0; i < 50; i++) {
    const old = path.join(folderOf(home), `${i.toString(16).padStart(16, '0')}${i % 2 ? '.code' : '.ab.tmp'}`)
    fs.writeFileSync(old, 'old')
    fs.utimesSync(old, i, i)
  }
  fs.writeFileSync(path.join(folderOf(home), 'mine.txt'), 'not ours')
  fs.rmSync(file)
  assert.deepEqual(await run(home), without)
  const names = fs.readdirSync(folderOf(home))
  assert.equal(names.length, 21)
  assert.ok(names.includes(path.basename(file)) && names.includes('mine.txt'))
})
