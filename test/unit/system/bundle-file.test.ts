import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeBundle } from '../../../src/lib/system/bundle-file.ts'

for (const target of ['out.tgz', 'out'])
  test(`${target}, ended while it is written: nothing is left, under no name`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'doctor-stop-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const stop = new AbortController()
    const reason = new Error('stopped')
    let asked = 0
    // The first of them is written, and with the second one the signal comes.
    const files = ['a', 'b', 'c'].map((name) => ({
      name,
      get bytes() {
        if (name === 'b' && asked++ === 0) stop.abort(reason)
        return Buffer.from(name)
      },
    }))
    await assert.rejects(writeBundle(join(folder, target), files, stop.signal), reason)
    assert.ok(asked > 0)
    assert.deepEqual(readdirSync(folder), [])
  })
