/** A disk that is full while a bundle is written: it says so, and nothing that looks like a bundle is left. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { packageRoot } from '../helpers/package-root.ts'
import { smallHome } from '../helpers/small-home.ts'

/** A small disk of its own; null: only root may make one. */
function smallDisk(t: TestContext, size: string): string | null {
  const disk = mkdtempSync(join(tmpdir(), 'doctor-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', disk]).status === 0
  t.after(() => {
    if (mounted) assert.equal(spawnSync('umount', [disk]).status, 0)
    rmdirSync(disk)
  })
  return mounted ? disk : null
}

for (const target of ['out.tgz', 'out']) {
  test(`full while ${target} is written`, async (t) => {
    const home = smallHome(t, { capture: '0.60.0-tty-flag' })
    const disk = smallDisk(t, '4k')
    if (disk === null) return t.skip('a small disk can only be made by root')
    const { exitCode, stderr, stdout } = await home.run(['bundle', 'everything', '-o', join(disk, target)])
    assert.equal(exitCode, 2, stdout + stderr)
    assert.match(stderr, /the disk is full/)
    assert.doesNotMatch(stdout, /Written/)
    assert.deepEqual(readdirSync(disk), [])
  })
}

test('full while a result is written: what was there stays, and nothing half is left', async (t) => {
  const home = smallHome(t, { capture: '0.60.0-tty-flag' })
  const disk = smallDisk(t, '8k')
  if (disk === null) return t.skip('a small disk can only be made by root')
  const kept = join(disk, 'kept.json')
  writeFileSync(kept, 'before')
  const outputs = ['--output', `json=${kept}`, '--output', `json=${join(disk, 'new.json')}`]
  const { exitCode, stderr } = await home.run(['check', 'everything', '--no-replay', ...outputs])
  assert.equal(exitCode, 2)
  assert.match(stderr, /kept\.json cannot be written: the disk is full/)
  assert.deepEqual(readdirSync(disk), ['kept.json'])
  assert.equal(readFileSync(kept, 'utf8'), 'before')
})

test('full where standard output goes: that is no fault of the program', async (t) => {
  const disk = smallDisk(t, '4k')
  if (disk === null) return t.skip('a small disk can only be made by root')
  for (const args of [
    ['check', '--json'],
    ['logs', 'everything', '--tail', '500'],
  ]) {
    const out = openSync(join(disk, 'out'), 'w')
    const from = ['--from', join(packageRoot(), 'test/captures/0.60.0-tty-flag')]
    const { status, stderr } = spawnSync(process.execPath, [join(packageRoot(), 'bin/modules.js'), ...args, ...from], {
      stdio: ['ignore', out, 'pipe'],
      encoding: 'utf8',
    })
    closeSync(out)
    assert.equal(status, 2, stderr)
    assert.match(stderr, /standard output: the disk is full/)
  }
  rmSync(join(disk, 'out'))
})

test('with room it is written there', async (t) => {
  const home = smallHome(t, { capture: '0.60.0-tty-flag' })
  const disk = smallDisk(t, '4m')
  if (disk === null) return t.skip('a small disk can only be made by root')
  assert.equal((await home.run(['bundle', 'everything', '-o', join(disk, 'out.tgz')])).exitCode, 0)
  assert.ok(statSync(join(disk, 'out.tgz')).size > 1000)
})
