import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { createFiles } from '../../../src/lib/system/files.ts'
import { lineNumbers, linesBackward } from '../../../src/lib/system/log-reader.ts'
import { longestLine } from '../../../src/lib/system/log-span.ts'
import type { OpenFile } from '../../../src/lib/system/system.ts'
import { expected } from '../../helpers/slow-search.ts'

/** `atOnce`: as a file that lies on a disk of this machine. */
const file = (content: Buffer, atOnce = false): OpenFile => ({
  path: 'x',
  size: content.length,
  mtimeMs: null,
  read: (o, l) => Promise.resolve(content.subarray(o, o + l)),
  ...(atOnce ? { readNow: (o: number, l: number, into: Buffer) => into.subarray(0, content.copy(into, 0, o, o + l)) } : {}),
  close: () => Promise.resolve(),
})
async function collect(content: Buffer, needles?: string[], atOnce = false): Promise<{ texts: string[]; offsets: number[] }> {
  const texts: string[] = []
  const offsets: number[] = []
  for await (const line of linesBackward(file(content, atOnce), {
    ...(needles ? { needles } : {}),
    maxBytes: 1e9,
    deadline: Date.now() + 60_000,
  })) {
    texts.push(line.text)
    offsets.push(line.offset)
  }
  return { texts, offsets }
}

test('all lines come back, newest first, across chunk borders and with non-ASCII text', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${'é日'.repeat(i % 40)}`)
  const { texts, offsets } = await collect(Buffer.from(`${lines.join('\n')}\n`))
  assert.deepEqual(texts, [...lines].reverse())
  const numbers = await lineNumbers(file(Buffer.from(`${lines.join('\n')}\n`)), offsets)
  assert.equal(numbers?.get(offsets[0] ?? -1), 20_000)
  assert.equal(numbers?.get(offsets.at(-1) ?? -1), 1)
})

test('a line longer than the chunks, NUL bytes and a half last line do not disturb the others', async () => {
  const content = Buffer.from(`first\n${'x'.repeat(3_000_000)}\n\0\0\0\nneedle here\nhalf of a li`)
  assert.deepEqual((await collect(content, ['needle', 'first'])).texts, ['needle here', 'first'])
  assert.equal((await collect(content)).texts[0], 'half of a li')
})

// ---- a log that changes while it is read ----------------------------------------

const manyLines = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name} ${i} ${'x'.repeat(80)}`)

/** Reads a real file; `meanwhile` happens once, after the first line was given out. */
async function readWhile(t: TestContext, lines: readonly string[], meanwhile: (file: string) => Promise<void>) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  t.after(() => fs.rm(folder, { recursive: true, force: true }))
  const name = path.join(folder, 'main.log')
  await fs.writeFile(name, `${lines.join('\n')}\n`)
  const files = createFiles()
  t.after(() => files.close())
  const opened = await files.open(name)
  assert.ok(opened.ok && opened.value)
  const scan = linesBackward(opened.value, { maxBytes: 1e9, deadline: Date.now() + 60_000 })
  const texts: string[] = []
  for (;;) {
    const step = await scan.next()
    if (step.done) return { texts, reachedStart: step.value.reachedStart }
    texts.push(step.value.text)
    if (texts.length === 1) await meanwhile(name)
  }
}

test('rotated while it is read (renamed, a new file in its place): the old lines, all of them', async (t) => {
  const lines = manyLines('old', 20_000)
  const { texts, reachedStart } = await readWhile(t, lines, async (name) => {
    await fs.rename(name, name.replace('main.log', 'main-2026-11-23T16-28-37.447.log'))
    await fs.writeFile(name, 'new line\n')
  })
  assert.deepEqual(texts, lines.toReversed())
  assert.ok(reachedStart)
})

test('it grows while it is read: what came later is for the next look', async (t) => {
  const lines = manyLines('old', 20_000)
  const { texts } = await readWhile(t, lines, (name) => fs.appendFile(name, 'new line\n'))
  assert.deepEqual(texts, lines.toReversed())
})

test('emptied while it is read, and written anew (copytruncate): no line of two halves, and not "read to the beginning"', async (t) => {
  const lines = manyLines('old', 60_000)
  const { texts, reachedStart } = await readWhile(t, lines, async (name) => {
    await fs.truncate(name, 0)
    await fs.writeFile(name, `${manyLines('new', 12_000).join('\n')}\n`)
  })
  assert.ok(texts.length < lines.length)
  assert.equal(reachedStart, false)
  for (const text of texts) assert.match(text, /^(?:old|new) \d+ x{80}$/)
})

test('of a line of 100 MB only the beginning is kept', async () => {
  const huge = 100 * 1024 ** 2
  const tail = Buffer.from('\nlast line\n')
  const opened: OpenFile = {
    path: 'x',
    size: 6 + huge + tail.length,
    mtimeMs: null,
    close: () => Promise.resolve(),
    // first\n, a hundred million x, and the tail, without ever being in memory.
    read: (offset, length) => {
      const piece = Buffer.alloc(length, 'x')
      if (offset < 6) piece.write('first\n'.slice(offset), 0)
      const at = 6 + huge - offset
      if (at < length) tail.copy(piece, Math.max(0, at), Math.max(0, -at))
      return Promise.resolve(piece)
    },
  }
  const texts: string[] = []
  for await (const line of linesBackward(opened, { maxBytes: 1e9, deadline: Date.now() + 60_000 })) texts.push(line.text)
  assert.deepEqual([texts[0], texts[1]?.length, texts[2]], ['last line', longestLine, 'first'])
})

test('needles at and across the edges of chunks, at every distance', async () => {
  const KiB = 1024
  const far = `a "needle" far ahead\n${`${'x y z '.repeat(50)}\n`.repeat(4500)}`
  // Read from the end: the first chunk has 256 KiB, the others 1 MiB, or 128 KiB where nothing is waited for.
  for (const [edge, atOnce] of [
    [256 * KiB, false],
    [1280 * KiB, false],
    [256 * KiB, true],
    [384 * KiB, true],
  ] as const) {
    for (let shift = -24; shift <= 24; shift++) {
      const tail = `the "needle" of é日 ends\n`
      const after = Buffer.alloc(edge + shift - Buffer.byteLength(tail), `some [other] line ${'-'.repeat(300)}\n`)
      after[after.length - 1] = 10
      const whole = Buffer.concat([Buffer.from(far), Buffer.from(tail), after])
      // Chunks begin at pages: then they end where `edge` says.
      const content = whole.subarray(whole.length % 4096)
      const needles = ['"needle"', '日 ends', ...(shift % 2 === 0 ? [] : ['needle" of'])]
      assert.deepEqual(await collect(content, needles, atOnce), expected(content, needles), `${edge} ${shift}`)
      if (shift % 8 === 0)
        assert.deepEqual(await collect(content, ['"needle"'], atOnce), expected(content, ['"needle"']), `${edge} ${shift}`)
    }
  }
})

test('any lines, any needles: as if every line was looked at', async () => {
  // Long lines beside short ones, so that some reach over several chunks, and parts of the needles everywhere.
  const words = [
    '["run",',
    '["ru',
    '"a"',
    'é',
    '日本',
    '[',
    ']',
    '{"server": "a"}',
    '\r',
    '\0',
    'container',
    'contain',
    'x'.repeat(300_000),
    ' | ',
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.constantFrom(...words), { maxLength: 8 }), { minLength: 1, maxLength: 30 }),
      fc.subarray(['["run",', '"a"', 'container', '日本', '[', 'é[', 'server": "a"', 'none of it'], { minLength: 1 }),
      fc.boolean(),
      fc.boolean(),
      async (lines, needles, ended, atOnce) => {
        const content = Buffer.from(lines.map((line) => line.join('')).join('\n') + (ended ? '\n' : ''))
        assert.deepEqual(await collect(content, needles, atOnce), expected(content, needles))
      },
    ),
    { numRuns: 60 },
  )
})

test('rare texts in large logs, also at the edges of what is read at once and in lines that reach over several', async () => {
  const noise = Buffer.from(`${'2026 | INFO | nothing of it {"a": 1}'.repeat(3)}\n`.repeat(60_000))
  const wanted = ['["run",', '"absent" Docker', '["ru', 'Starting mcpproxy']
  const place = fc.record({
    // Behind the end, in pages and bytes.
    pages: fc.nat(Math.floor(noise.length / 4096) - 1),
    by: fc.integer({ min: -12, max: 12 }),
    text: fc.constantFrom(...wanted),
    long: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(place, { maxLength: 6 }),
      fc.subarray(wanted, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (places, needles, ended) => {
        const content = Buffer.from(ended ? noise : noise.subarray(0, -1))
        for (const [i, { pages, by, text, long }] of places.entries()) {
          const at = Math.max(0, Math.min(content.length - 20, content.length - pages * 4096 + by))
          // Without line ends around it: one line over several pieces. Two of them could be longer than what is kept of a line.
          if (long && i === 0) content.subarray(Math.max(0, at - 1_500_000), at + 700_000).fill('x')
          content.write(text, at)
        }
        assert.deepEqual(await collect(content, needles, true), expected(content, needles))
      },
    ),
    { numRuns: 40 },
  )
})

test('CRLF, JSON lines, a last line that is being written', async () => {
  const content = Buffer.from(
    '{"level":"info","server":"a","args":["run"]}\r\n{"level":"info","server":"b"}\r\n2026 | INFO | {"server": "a"}\r\n{"server":"a"',
  )
  assert.deepEqual((await collect(content, ['"a"'])).texts, [
    '{"server":"a"',
    '2026 | INFO | {"server": "a"}\r',
    '{"level":"info","server":"a","args":["run"]}\r',
  ])
  const marks: boolean[] = []
  for await (const line of linesBackward(file(content), { needles: ['"a"'], maxBytes: 1e9, deadline: Infinity }))
    marks.push(line.unterminated)
  assert.deepEqual(marks, [true, false, false])
})

test('who stops after the first line leaves no read behind that could fail unseen', async () => {
  let reads = 0
  const content = Buffer.from('a line\n'.repeat(500_000))
  const failing: OpenFile = {
    ...file(content),
    read: (o, l) => (reads++ === 0 ? Promise.resolve(content.subarray(o, o + l)) : Promise.reject(new Error('disk on fire'))),
  }
  for await (const line of linesBackward(failing, { maxBytes: 1e9, deadline: Infinity })) {
    assert.equal(line.text, 'a line')
    break
  }
  await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(async () => {
    for await (const line of linesBackward(failing, { maxBytes: 1e9, deadline: Infinity })) assert.equal(line.text, 'a line')
  }, /disk on fire/)
})
