import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createFiles } from '../../../src/lib/system/files.ts'

async function folder(t: TestContext): Promise<string> {
  const made = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  t.after(() => fs.rm(made, { recursive: true, force: true }))
  return made
}

const kind = (answer: { ok: boolean; error?: { kind: string } }): string | undefined => answer.error?.kind

test('read and stat: files, folders, links, nothing', async (t) => {
  const dir = await folder(t)
  const files = createFiles()
  const file = path.join(dir, 'a')
  await fs.writeFile(file, 'hello', { mode: 0o640 })
  await fs.symlink(file, path.join(dir, 'link'))
  await fs.symlink(path.join(dir, 'none'), path.join(dir, 'dangling'))
  await fs.symlink(path.join(dir, 'loop'), path.join(dir, 'loop'))
  const stat = await files.stat(path.join(dir, 'link'))
  assert.ok(stat.ok && stat.value.type === 'file' && stat.value.size === 5 && stat.value.mode === 0o640)
  assert.deepEqual(await files.stat(path.join(dir, 'dangling')), { ok: true, value: { type: 'missing' } })
  assert.deepEqual(await files.stat(path.join(file, 'below')), { ok: true, value: { type: 'missing' } })
  assert.equal(kind(await files.stat(path.join(dir, 'loop'))), 'failed')
  assert.deepEqual(await files.read(path.join(dir, 'link'), 3), { ok: true, value: Buffer.from('hel') })
  assert.deepEqual(await files.read(path.join(dir, 'none'), 3), { ok: true, value: null })
  assert.equal(kind(await files.read(dir, 3)), 'failed')
  assert.equal(kind(await files.read('a\0b', 3)), 'failed')
  const list = await files.list(dir)
  assert.deepEqual(list.ok && list.value?.sort(), ['a', 'dangling', 'link', 'loop'])
  assert.deepEqual(await files.list(path.join(dir, 'none')), { ok: true, value: null })
})

test('others get their turn while many files are asked', async (t) => {
  const dir = await folder(t)
  const files = createFiles()
  let fired = false
  setTimeout(() => (fired = true), 1)
  for (const end = Date.now() + 5000; !fired && Date.now() < end;) await files.stat(dir)
  assert.ok(fired)
})

test('FIFOs, sockets and devices are told and never waited for', { skip: process.platform === 'win32' }, async (t) => {
  const dir = await folder(t)
  const files = createFiles()
  const fifo = path.join(dir, 'fifo')
  execFileSync('mkfifo', [fifo])
  const stat = await files.stat(fifo)
  assert.equal(stat.ok && stat.value.type, 'fifo')
  const answer = await files.read(fifo, 10)
  assert.ok(!answer.ok && /fifo/.test(answer.error.message))
  assert.equal((await files.open(fifo)).ok, false)
  assert.equal((await files.read('/dev/zero', 10)).ok, false)
  const device = await files.stat('/dev/null')
  assert.equal(device.ok && device.value.type, 'other')
})

test('files of /proc, which say that they are empty', { skip: process.platform !== 'linux' }, async () => {
  const answer = await createFiles().read('/proc/self/status', 100_000)
  assert.ok(answer.ok && answer.value !== null && answer.value.includes('Pid:'))
})

test('denied', { skip: process.getuid?.() === 0 }, async (t) => {
  const file = path.join(await folder(t), 'secret')
  await fs.writeFile(file, 'x', { mode: 0 })
  assert.equal(kind(await createFiles().read(file, 1)), 'denied')
})

test('links of others: not to a file that is not theirs, also by way of a folder', { skip: process.getuid?.() !== 0 }, async (t) => {
  const dir = await folder(t)
  await fs.chmod(dir, 0o777)
  const other = 12_345
  const at = (name: string): string => path.join(dir, name)
  const put = async (name: string, owner: number): Promise<void> => {
    await fs.mkdir(path.dirname(at(name)), { recursive: true })
    await fs.writeFile(at(name), name)
    await fs.chown(at(name), owner, owner)
  }
  const link = async (name: string, to: string, owner: number): Promise<void> => {
    await fs.symlink(at(to), at(name))
    await fs.lchown(at(name), owner, owner)
  }
  await put('secret/main.log', 0)
  await put('theirs', other)
  await link('planted', 'secret/main.log', other)
  await link('logs', 'secret', other)
  await link('to-theirs', 'theirs', other)
  await link('mine', 'secret/main.log', 0)
  const files = createFiles()
  for (const name of ['planted', 'logs/main.log']) {
    for (const answer of [await files.open(at(name)), await files.read(at(name), 10), await files.unpack?.(at(name))])
      assert.ok(answer && !answer.ok && answer.error.kind === 'denied' && /a link of another user/.test(answer.error.message), name)
    const follower = await files.follow?.(at(name))
    assert.ok(follower?.ok && follower.value.file === null)
    await follower.value.close()
  }
  for (const [name, content] of [
    ['to-theirs', 'theirs'],
    ['mine', 'secret/main.log'],
  ] as const) {
    const answer = await files.read(at(name), 100)
    assert.equal(answer.ok && answer.value?.toString(), content)
    const opened = await files.open(at(name))
    assert.equal(opened.ok && opened.value?.leadsTo, await fs.realpath(at(content)))
  }
  const plain = await files.open(at('theirs'))
  assert.equal(plain.ok && plain.value?.leadsTo, undefined)
  await files.close()
})

test('an open file ends where it ended when it was opened', async (t) => {
  const file = path.join(await folder(t), 'log')
  await fs.writeFile(file, '0123456789')
  const files = createFiles()
  const opened = await files.open(file)
  assert.ok(opened.ok && opened.value !== null)
  await fs.appendFile(file, 'more')
  assert.equal(opened.value.size, 10)
  assert.equal((await opened.value.read(8, 100)).toString(), '89')
  assert.equal((await opened.value.read(20, 5)).length, 0)
  await fs.truncate(file, 3)
  assert.equal((await opened.value.read(0, 10)).toString(), '012')
  await opened.value.close()
  await opened.value.close()
  await files.close()
  assert.deepEqual(await files.open(`${file}.none`), { ok: true, value: null })
})

test('gz: unpacked, bounded, broken', async (t) => {
  const dir = await folder(t)
  const write = async (name: string, data: Buffer): Promise<string> => {
    await fs.writeFile(path.join(dir, name), data)
    return path.join(dir, name)
  }
  const files = createFiles({ maxUnpacked: 1000 })
  const good = await files.open(await write('a.gz', gzipSync('hello')))
  assert.ok(good.ok && good.value?.size === 5)
  assert.equal((await good.value.read(1, 100)).toString(), 'ello')
  // What the end says of the size is that of the last member only, or a lie.
  const large = Buffer.alloc(3_000_000, 'some text, ')
  const all = await createFiles().open(await write('e.gz', Buffer.concat([gzipSync(large), gzipSync('b')])))
  assert.ok(all.ok && all.value)
  assert.ok((await all.value.read(0, all.value.size)).equals(Buffer.concat([large, Buffer.from('b')])))
  const lie = gzipSync('hello')
  lie.writeUInt32LE(0xffffffff, lie.length - 4)
  assert.equal(kind(await files.open(await write('f.gz', lie))), 'failed')
  const bomb = await files.open(await write('b.gz', gzipSync(Buffer.alloc(100_000))))
  assert.ok(!bomb.ok && /larger/.test(bomb.error.message))
  assert.equal(kind(await files.open(await write('c.gz', gzipSync('hello').subarray(0, 15)))), 'failed')
  assert.equal(kind(await files.open(await write('d.gz', Buffer.from('plain')))), 'failed')
})
