/** An archive may come from anybody: what no capture would hold is refused, with exit code 2. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { fc } from '../../helpers/fast-check.ts'
import { packTar } from 'modern-tar'
import { UserError } from '../../../src/lib/errors.ts'
import { packArchive, readArchive } from '../../../src/lib/system/archive.ts'
import { memoryFiles } from '../../../src/lib/system/capture-files.ts'
import { runCli } from '../../helpers/run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'doctor-archive-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const write = (bytes: Uint8Array): string => {
  const file = join(folder, `${count++}.tgz`)
  writeFileSync(file, bytes)
  return file
}
type Entry = Parameters<typeof packTar>[0][number]
const entry = (name: string, text = 'x'): Entry => ({ header: { name, size: Buffer.byteLength(text), type: 'file' }, body: text })
const archive = async (...entries: Entry[]): Promise<string> => write(gzipSync(await packTar([entry('capture.json', '{}'), ...entries])))
const refused = (file: string, why: RegExp, limits?: Parameters<typeof readArchive>[1]): Promise<void> =>
  assert.rejects(readArchive(file, limits), (error) => error instanceof UserError && why.test(error.message))

test('what was packed is read again, also long names', async () => {
  const files = [
    { name: 'capture.json', bytes: Buffer.from('{}') },
    { name: `home/${'long/'.repeat(60)}name.log`, bytes: Buffer.from('text\n') },
    { name: 'home/ünïcode ⚙.log', bytes: Buffer.alloc(3000, 7) },
    { name: 'empty', bytes: Buffer.alloc(0) },
  ]
  assert.deepEqual(await readArchive(write(await packArchive(files))), files)
})

test('a folder that was packed as a whole', async () => {
  const file = write(
    gzipSync(
      await packTar([
        { header: { name: './mine/', size: 0, type: 'directory' } },
        entry('./mine/capture.json', '{}'),
        entry('./mine/api/info.json'),
      ]),
    ),
  )
  assert.deepEqual(
    (await readArchive(file)).map((f) => f.name),
    ['capture.json', 'api/info.json'],
  )
})

for (const name of ['../x', 'a/../../x', '/etc/passwd', 'C:/x', 'C:x', 'a\\..\\x', 'a//b', '..'])
  test(`the name ${name} is refused`, async () => refused(await archive(entry(name)), /leads elsewhere/))

for (const type of ['symlink', 'link', 'character-device', 'block-device', 'fifo'] as const)
  test(`a ${type} is refused`, async () =>
    refused(await archive({ header: { name: 'home', size: 0, type, linkname: '/etc' } }), new RegExp(`is a ${type}`)))

test('a name that is there twice is refused', async () => refused(await archive(entry('a'), entry('./a')), /twice/))

test('a file that is too large, too many of them, and a bomb are refused', async () => {
  const limits = { entry: 1000, total: 100_000, entries: 3 }
  await refused(await archive(entry('a', 'x'.repeat(1001))), /larger than/, limits)
  await refused(await archive(entry('a'), entry('b'), entry('c')), /more than 3 files/, limits)
  await refused(write(gzipSync(Buffer.alloc(50 * 1024 * 1024))), /unpacked it is larger/, limits)
})

test('a bomb is not unpacked first', async () => {
  const bomb = write(gzipSync(Buffer.alloc(400 * 1024 * 1024)))
  const before = process.memoryUsage().rss
  await refused(bomb, /unpacked it is larger/, { entry: 1000, total: 1024 * 1024, entries: 3 })
  assert.ok(process.memoryUsage().rss - before < 150 * 1024 * 1024)
})

/** The program's own peak, in MiB. What `getrusage` says begins with that of whoever started it. */
async function peak(file: string): Promise<{ mebi: number; exitCode: number | null; stderr: string }> {
  const tell = `import { readFileSync } from 'node:fs'; process.on('exit', () => process.stderr.write(readFileSync('/proc/self/status', 'utf8')))`
  const { exitCode, stderr } = await runCli(['check', '--from', file], {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}` },
  })
  return { mebi: Number(/VmHWM:\s+(\d+)/.exec(stderr)?.[1]) / 1024, exitCode, stderr }
}

test('what is made to fill the memory does not, refused or not', { skip: process.platform !== 'linux' }, async () => {
  const zeros = Buffer.alloc(30 * 1024 ** 2)
  const large = (name: string): Entry => ({ header: { name, size: 30 * 1024 ** 2, type: 'file' }, body: zeros })
  const manifest = {
    format: 'mcpproxy-doctor-capture/1',
    recordedAt: '2026-01-01T00:00:00Z',
    logs: 'logs',
    config: 'c.json',
    platform: 'linux',
  }
  const first = entry('capture.json', JSON.stringify(manifest))
  const rotated = [1, 2, 3, 4, 5, 6, 7].map((day) => `logs/main-2026-01-0${day}T00-00-00.000.log`)
  const names = ['logs/main.log', ...rotated, 'home/x']
  const bomb = await peak(write(gzipSync(await packTar([first, ...names.map(large)]))))
  assert.equal(bomb.exitCode, 2)
  assert.match(bomb.stderr, /larger than 256 MiB/)
  assert.ok(bomb.mebi < 200, `${bomb.mebi} MiB`)
  const allowed = await peak(write(gzipSync(await packTar([first, ...names.slice(0, 8).map(large)]))))
  assert.equal(allowed.exitCode, 3, allowed.stderr)
  assert.ok(allowed.mebi < 300, `${allowed.mebi} MiB`)
})

test('a large file is read again as it was', async () => {
  const bytes = Buffer.from('a line of a log that repeats itself\n'.repeat(100_000))
  const files = await readArchive(
    write(
      await packArchive([
        { name: 'capture.json', bytes: Buffer.from('{}') },
        { name: 'big.log', bytes },
      ]),
    ),
  )
  assert.ok(files.some((f) => 'packed' in f && f.packed.length < bytes.length / 10))
  const capture = memoryFiles(files)
  assert.ok((await capture.read('big.log'))?.equals(bytes))
  const opened = await capture.open('big.log')
  assert.deepEqual([opened?.size, await opened?.read(bytes.length - 3, 10)], [bytes.length, Buffer.from('lf\n')])
})

test('what could not be read again is not packed', async () => {
  const file = (name: string, size: number): { name: string; bytes: Buffer } => ({ name, bytes: Buffer.alloc(size) })
  const limits = { entry: 1000, total: 20_000, entries: 3 }
  await assert.rejects(packArchive([file('a', 1001)], limits), /"a" is larger than/)
  await assert.rejects(
    packArchive(
      Array.from({ length: 9 }, (_, i) => file(`${i}`, 900)),
      limits,
    ),
    /unpacked it would be larger than/,
  )
  await assert.rejects(
    packArchive(
      Array.from({ length: 4 }, (_, i) => file(`${i}`, 1)),
      limits,
    ),
    /more than 3 files/,
  )
  const fits = [file('a', 1000), file('b', 500)]
  assert.deepEqual(await readArchive(write(await packArchive(fits, limits)), limits), fits)
})

test('what is cut off, or no archive at all, is refused', async () => {
  const whole = gunzipSync(
    await packArchive([
      { name: 'capture.json', bytes: Buffer.from('{}') },
      { name: 'b', bytes: Buffer.alloc(5000, 1) },
    ]),
  )
  await refused(write(gzipSync(whole.subarray(0, 1024))), /refused|cannot be read/)
  await refused(write(gzipSync(whole.subarray(0, 3000))), /refused|cannot be read/)
  await refused(write(gzipSync(whole).subarray(0, 60)), /cannot be read/)
  await refused(write(Buffer.from('hello')), /cannot be read/)
  await refused(write(Buffer.alloc(0)), /refused|cannot be read/)
  await refused(write(gzipSync('')), /refused|cannot be read/)
})

test('damaged archives: a list of files or a UserError, nothing else', async () => {
  const whole = gunzipSync(
    await packArchive([
      { name: 'capture.json', bytes: Buffer.from('{}') },
      { name: 'home/x.log', bytes: Buffer.from('text') },
    ]),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (changes) => {
      const bytes = Buffer.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      try {
        for (const { name } of await readArchive(write(gzipSync(bytes)))) assert.doesNotMatch(name, /^\/|(?:^|\/)\.\.(?:\/|$)/)
      } catch (error) {
        assert.ok(error instanceof UserError, String(error))
      }
    }),
    { numRuns: 300 },
  )
})
