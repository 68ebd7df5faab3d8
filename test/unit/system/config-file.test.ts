import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { UserError } from '../../../src/lib/errors.ts'
import { backUp, ConfigChanged, listBackups, readBackup, readConfigFile, replaceConfigFile } from '../../../src/lib/system/config-file.ts'

function folder(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-config-'))
  t.after(() => {
    fs.chmodSync(made, 0o700)
    fs.rmSync(made, { recursive: true })
  })
  return made
}
function config(t: TestContext, content = '{}\n', mode = 0o600): string {
  const file = path.join(folder(t), 'mcp_config.json')
  fs.writeFileSync(file, content)
  fs.chmodSync(file, mode)
  return file
}
const at = (seconds: number): Date => new Date(Date.UTC(2026, 10, 24, 10, 0, seconds))
const says =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof UserError && pattern.test(error.message)
const isRoot = process.getuid?.() === 0

test('replaced as a whole: mode and owner stay, nothing is left beside it', async (t) => {
  const file = config(t, '{ "a": 1 }', 0o640)
  if (isRoot) fs.chownSync(file, 4321, 4321)
  const before = fs.statSync(file)
  const read = await readConfigFile(file)
  const written = await replaceConfigFile(read, Buffer.from('{ "a": 2 }'))
  assert.equal(fs.readFileSync(file, 'utf8'), '{ "a": 2 }')
  const after = fs.statSync(file)
  assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid])
  assert.notEqual(after.ino, before.ino)
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ['mcp_config.json'])
  // What was written is what is compared next.
  await replaceConfigFile(written, Buffer.from('{}'))
})

test('a link stays a link, and its backups lie beside it', async (t) => {
  const file = config(t)
  const real = path.join(folder(t), 'shared.json')
  fs.renameSync(file, real)
  fs.symlinkSync(real, file)
  const read = await readConfigFile(file)
  assert.deepEqual([read.path, read.target], [file, fs.realpathSync(real)])
  await replaceConfigFile(read, Buffer.from('[]'))
  assert.ok(fs.lstatSync(file).isSymbolicLink())
  assert.equal(fs.readFileSync(real, 'utf8'), '[]')
  const { backup } = await backUp(read, at(0))
  assert.equal(path.dirname(backup), path.dirname(file))
})

test('what somebody else wrote meanwhile is never overwritten', async (t) => {
  const file = config(t, 'old')
  const read = await readConfigFile(file)
  fs.writeFileSync(file, 'theirs')
  await assert.rejects(replaceConfigFile(read, Buffer.from('ours')), ConfigChanged)
  assert.equal(fs.readFileSync(file, 'utf8'), 'theirs')
  fs.rmSync(file)
  await assert.rejects(replaceConfigFile(read, Buffer.from('ours')), ConfigChanged)
  assert.deepEqual(fs.readdirSync(path.dirname(file)), [])
})

test('backups: for the owner alone, newest first, ten of them', async (t) => {
  const file = config(t, 'secret', 0o644)
  const removed: string[] = []
  for (let i = 0; i < 12; i++) {
    fs.writeFileSync(file, `version ${i}`)
    const made = await backUp(await readConfigFile(file), at(i))
    assert.equal(fs.statSync(made.backup).mode & 0o777, 0o600)
    removed.push(...made.removed.map((r) => path.basename(r)))
  }
  assert.deepEqual(removed, ['mcp_config.json.doctor-20261124-100000', 'mcp_config.json.doctor-20261124-100001'])
  const list = await listBackups(file)
  assert.equal(list.length, 10)
  assert.equal((await readBackup(list[0] ?? '')).toString(), 'version 11')
  // Within one second, and past nine of them.
  for (let i = 12; i < 24; i++) {
    fs.writeFileSync(file, `version ${i}`)
    await backUp(await readConfigFile(file), at(11))
  }
  assert.equal((await readBackup((await listBackups(file))[0] ?? '')).toString(), 'version 23')
})

test('only our own backups count', async (t) => {
  const file = config(t)
  for (const name of ['mcp_config.json.doctor-x', 'mcp_config.json.bak', 'other.json.doctor-20261124-100000'])
    fs.writeFileSync(path.join(path.dirname(file), name), '')
  assert.deepEqual(await listBackups(file), [])
})

test('what a killed doctor left is swept; what a living one writes is not', async (t) => {
  const file = config(t)
  const left = (pid: number): string => path.join(path.dirname(file), `.mcp_config.json.doctor-tmp-${pid}`)
  // No process has this number: the kernel's limit is 4194304.
  fs.writeFileSync(left(4_999_999), 'half')
  fs.writeFileSync(left(process.ppid), 'half')
  const { backup } = await backUp(await readConfigFile(file), at(0))
  assert.deepEqual(fs.readdirSync(path.dirname(file)).sort(), [
    `.mcp_config.json.doctor-tmp-${process.ppid}`,
    'mcp_config.json',
    path.basename(backup),
  ])
  await replaceConfigFile(await readConfigFile(file), Buffer.from('x'))
  assert.deepEqual([fs.existsSync(left(4_999_999)), fs.existsSync(left(process.ppid))], [false, true])
})

test('what cannot be read or written is said, and nothing changes', async (t) => {
  await assert.rejects(readConfigFile('/nonexistent/mcp_config.json'), says(/no such file/))
  await assert.rejects(readConfigFile(folder(t)), says(/not a regular file/))
  const loop = path.join(folder(t), 'loop')
  fs.symlinkSync(loop, loop)
  await assert.rejects(readConfigFile(loop), says(/symbolic links/))
})

test('a read-only folder, and a file of another user', { skip: isRoot || process.platform === 'win32' }, async (t) => {
  const file = config(t, 'old')
  const read = await readConfigFile(file)
  fs.chmodSync(path.dirname(file), 0o500)
  await assert.rejects(replaceConfigFile(read, Buffer.from('new')), says(/permission denied/))
  await assert.rejects(backUp(read, at(0)), says(/permission denied/))
  assert.equal(fs.readFileSync(file, 'utf8'), 'old')
  fs.chmodSync(path.dirname(file), 0o700)
  await assert.rejects(replaceConfigFile({ ...read, uid: 0, gid: 0 }, Buffer.from('new')), says(/belongs to/))
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ['mcp_config.json'])
})

test('undo(apply(x)) = x, for any bytes', async (t) => {
  const file = config(t)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), async (x, y) => {
      fs.writeFileSync(file, x)
      const read = await readConfigFile(file)
      const { backup } = await backUp(read, new Date())
      const written = await replaceConfigFile(read, Buffer.from(y))
      assert.deepEqual(fs.readFileSync(file), Buffer.from(y))
      await replaceConfigFile(written, await readBackup(backup))
      assert.deepEqual(fs.readFileSync(file), Buffer.from(x))
    }),
    { numRuns: 30 },
  )
})
