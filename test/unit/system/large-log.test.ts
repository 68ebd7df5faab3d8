import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { beginEarly } from '../../../src/lib/early.ts'
import { endOfLarge } from '../../../src/lib/system/large-log.ts'
import { isLocal } from '../../../src/lib/system/mounts.ts'

const able = { skip: process.platform !== 'linux' || !isLocal(os.tmpdir()) }

test('the end of a large file of this machine, and of nothing else', able, async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  t.after(() => fs.rm(dir, { recursive: true, force: true }))
  const at = (name: string): string => path.join(dir, name)
  await fs.writeFile(at('log'), 'the beginning, the end')
  await fs.symlink(at('log'), at('link'))
  execFileSync('mkfifo', [at('fifo')])
  assert.equal(endOfLarge(at('log'), 22)?.toString(), 'the beginning, the end')
  assert.equal(endOfLarge(at('log'), 23), null)
  for (const other of ['link', 'fifo', '.']) assert.equal(endOfLarge(at(other), 0), null, other)
  assert.equal(endOfLarge('/proc/self/status', 0), null)
  assert.throws(() => endOfLarge(at('none'), 0), { code: 'ENOENT' })
  await fs.writeFile(at('log'), `${'-'.repeat(256 * 1024)}the end`)
  assert.equal(endOfLarge(at('log'), 0)?.length, 256 * 1024)
  assert.equal(endOfLarge(at('log'), 0)?.subarray(-7).toString(), 'the end')
})

test(
  'a thread is begun where main.log is large and its end has no setup of a server that is named',
  { skip: able.skip || os.availableParallelism() < 2 },
  async (t) => {
    const logs = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
    t.after(() => fs.rm(logs, { recursive: true, force: true }))
    const file = path.join(logs, 'main.log')
    const begins = (...words: string[]): boolean => beginEarly(words, process)
    const end = async (text: string): Promise<void> => {
      await fs.writeFile(file, '')
      await fs.truncate(file, 600 * 1024 * 1024)
      await fs.appendFile(file, `\n${text}\n`)
    }
    assert.equal(begins('args', 'absent', '--log-dir', logs), false)
    await fs.writeFile(file, 'small')
    assert.equal(begins('args', 'absent', '--log-dir', logs), false)
    await end('INFO | Docker isolation setup completed | {"server": "other"}')
    for (const words of [
      ['absent', '--log-dir', logs],
      [`--log-dir=${logs}`, 'absent'],
    ])
      assert.equal(begins('args', ...words), true)
    for (const other of [['--diff'], ['--help'], ['-h'], ['--from', 'x'], ['--from=x']])
      assert.equal(begins('args', 'absent', '--log-dir', logs, ...other), false, other.join(' '))
    assert.equal(begins('check', 'absent', '--log-dir', logs), false)
    assert.equal(begins('args', 'absent', '--log-dir', path.join(logs, 'none')), false)
    await end('INFO | Docker isolation setup completed | {"server": "absent"}')
    assert.equal(begins('args', 'absent', '--log-dir', logs), false)
    assert.equal(begins('args', 'other', '--log-dir', logs), true)
  },
)
