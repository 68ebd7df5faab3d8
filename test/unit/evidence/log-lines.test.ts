import assert from 'node:assert/strict'
import { createWriteStream } from 'node:fs'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { familyLines, filesWithin, steadyFamily, type LineFilter } from '../../../src/lib/evidence/collect-log-lines.ts'
import { logFamily } from '../../../src/lib/evidence/collect-logs.ts'
import { createFiles } from '../../../src/lib/system/files.ts'

const all: LineFilter = { server: null, level: null, grep: null, since: null, until: null }

async function folderOf(t: TestContext): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  t.after(() => fs.rm(folder, { recursive: true, force: true }))
  return folder
}

test('main.log renamed between listing and opening: nothing is missing, and nothing there twice', async (t) => {
  const folder = await folderOf(t)
  const main = path.join(folder, 'main.log')
  await fs.writeFile(main, '2026-11-22T10:00:00Z | INFO | x.go:1 | before\n')
  const files = createFiles()
  t.after(() => files.close())
  let opens = 0
  const rotating = {
    open: async (name: string) => {
      if (opens++ === 0) {
        await fs.rename(main, path.join(folder, 'main-2026-11-22T10-00-01.000.log'))
        await fs.writeFile(main, '2026-11-22T10:00:02Z | INFO | x.go:1 | after\n')
      }
      return files.open(name)
    },
  }
  const steady = await steadyFamily(rotating, () => logFamily(files, [folder], 'main.log'))
  assert.ok(steady.ok && steady.value.newest?.ok)
  const paths = filesWithin(steady.value.paths, all)
  const texts: string[] = []
  const options = { filter: all, ofOne: false, newest: steady.value.newest.value, note: (text: string) => assert.fail(text) }
  for await (const { bytes, starts, stops } of familyLines(files, paths, options))
    starts.forEach((start, i) => texts.push(bytes.toString('utf8', start, stops[i])))
  assert.deepEqual(
    texts.map((text) => text.split(' | ').at(-1)),
    ['before', 'after'],
  )
})

test('rotations outside of the time are not opened', () => {
  const family = [
    'main.log',
    'main-2026-11-22T10-00-00.000.log.gz',
    'main-2026-11-21T10-00-00.000.log.gz',
    'main-2026-11-20T10-00-00.000.log.gz',
  ].map((name) => `/logs/${name}`)
  const at = (time: string) => ({ ms: Date.parse(time), wall: false })
  assert.deepEqual(filesWithin(family, { ...all, since: at('2026-11-22T09:30:00Z') }), [family[1], family[0]])
  assert.deepEqual(filesWithin(family, { ...all, until: at('2026-11-20T12:00:00Z') }), [family[3], family[2]])
})

test('a gigabyte of zeros in a megabyte of gz: bounded memory, and what could not be read is said', { timeout: 120_000 }, async (t) => {
  const folder = await folderOf(t)
  const bomb = path.join(folder, 'main-2026-11-22T10-00-00.000.log.gz')
  const zeros = function* (): Generator<Buffer> {
    yield Buffer.from('2026-11-22T10:00:00Z | INFO | x.go:1 | first\n')
    for (let i = 0; i < 1100; i++) yield Buffer.alloc(1024 ** 2)
  }
  await pipeline(Readable.from(zeros()), createGzip({ level: 1 }), createWriteStream(bomb))
  const files = createFiles()
  t.after(() => files.close())
  const notes: string[] = []
  const before = process.memoryUsage().rss
  let most = 0
  let count = 0
  for await (const batch of familyLines(files, [bomb], { filter: all, ofOne: false, note: (text) => notes.push(text) })) {
    count += batch.count
    most = Math.max(most, process.memoryUsage().rss - before)
  }
  assert.ok(count >= 1)
  assert.ok(process.memoryUsage().rss - before < 160 * 1024 ** 2 && most < 160 * 1024 ** 2, `${most}`)
  assert.match(notes.join(), /larger than 1024 MiB/)
})
