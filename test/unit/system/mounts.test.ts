import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { createDisks, isLocal, parseMounts } from '../../../src/lib/system/mounts.ts'

const linux = process.platform === 'linux' ? {} : { skip: 'only there' }

test('mounts of /proc/self/mountinfo: optional fields, escapes, several in one place', () => {
  const mounts = parseMounts(`21 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw
22 21 0:20 / /proc rw - proc proc rw
30 21 0:40 /a\\040b /mnt/with\\040blank\\134 rw shared:3 - nfs4 host:/a - b rw,hard
31 21 0:41 / /auto rw - autofs systemd-1 rw
32 31 8:1 / /auto rw - xfs /dev/sda1 rw
33 21 8:1 / /both rw - nfs host:/x rw
34 21 8:1 / /both rw - ext4 /dev/sdb1 rw
35 21 8:1 / /later rw - ext4 /dev/sdb1 rw
36 21 8:1 / /later rw - fuse.sshfs host:/ rw

`)
  assert.deepEqual(
    [...mounts],
    [
      ['/', 'ext4'],
      ['/proc', 'proc'],
      ['/mnt/with blank\\', 'nfs4'],
      ['/auto', 'xfs'],
      ['/both', 'nfs'],
      ['/later', 'fuse.sshfs'],
    ],
  )
})

test('a path is followed as Linux follows it, and never onto another disk', { skip: process.platform === 'win32' }, async (t) => {
  const dir = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-')))
  t.after(() => fs.rm(dir, { recursive: true, force: true }))
  const at = (name: string): string => path.join(dir, name)
  await fs.mkdir(at('here/deep'), { recursive: true })
  await fs.mkdir(at('remote'))
  await fs.writeFile(at('here/file'), '')
  const links: Record<string, string> = {
    'to-file': 'here/file',
    'to-deep': at('here/deep'),
    'to-remote': 'remote',
    'here/deep/up': '../../remote/x',
    'here/over': 'deep/../../remote',
    'loop-a': 'loop-b',
    'loop-b': 'loop-a',
    dangling: 'none/at/all',
  }
  for (const [name, target] of Object.entries(links)) await fs.symlink(target, at(name))
  const disks = createDisks(
    new Map([
      ['/', 'ext4'],
      [at('remote'), 'nfs4'],
    ]),
  )
  const where = (name: string): boolean => disks(at(name))
  for (const name of [
    'here',
    'here/file',
    'here/none',
    'none/x',
    'here/file/below',
    'to-file',
    'to-deep',
    'to-deep/x',
    'dangling',
    '.',
    '',
  ])
    assert.equal(where(name), true, name)
  for (const name of [
    'remote',
    'remote/x',
    'remote/x/y',
    'to-remote',
    'to-remote/x',
    'here/deep/up',
    'to-deep/up',
    'here/over/x',
    'loop-a',
  ])
    assert.equal(where(name), false, name)
  // By way of a link, `..` is the folder above where that leads: `here`, and not this one.
  assert.equal(disks(`${dir}/to-deep/../file`), true)
  assert.equal(disks(`${dir}/to-deep/../../remote`), false)
  assert.equal(disks(`${dir}/to-deep/../remote`), true)
  assert.equal(disks('relative'), false)
  assert.equal(createDisks(new Map())(at('here')), false)
  assert.equal(createDisks(new Map([['/', 'nfs']]))(at('here')), false)
})

test('here: /proc is no disk', linux, () => {
  assert.equal(isLocal('/proc/self/status'), false)
  assert.equal(isLocal('relative'), false)
})
