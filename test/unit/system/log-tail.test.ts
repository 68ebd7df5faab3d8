import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { createFiles } from '../../../src/lib/system/files.ts'
import { tailLog } from '../../../src/lib/system/log-tail.ts'

test('whole lines from now on, over a rotation, and of a file that comes later', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-tail-'))
  const files = createFiles()
  t.after(async () => {
    await files.close()
    fs.rmSync(folder, { recursive: true })
  })
  const log = path.join(folder, 'main.log')
  fs.writeFileSync(log, 'old 1\nold 2\n')
  const tail = await tailLog(files, log)
  const poll = async (): Promise<string[]> => {
    const lines = await tail.poll()
    assert.ok(lines.ok)
    return lines.value
  }
  assert.deepEqual(await poll(), [])
  fs.appendFileSync(log, 'new é\nhal')
  assert.deepEqual(await poll(), ['new é'])
  fs.appendFileSync(log, 'f\nlast\n')
  fs.renameSync(log, path.join(folder, 'main-2026-11-24T10-00-00.000.log'))
  fs.writeFileSync(log, 'first\n')
  assert.deepEqual(await poll(), ['half', 'last', 'first'])
  const later = await tailLog(files, path.join(folder, 'server-a.log'))
  assert.deepEqual(await later.poll(), { ok: true, value: [] })
  fs.writeFileSync(path.join(folder, 'server-a.log'), 'x\n')
  assert.deepEqual(await later.poll(), { ok: true, value: ['x'] })
})
