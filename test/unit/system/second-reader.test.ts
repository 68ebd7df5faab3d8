import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { mayHold, type Sought, type Wanted } from '../../../src/lib/formats/byte-search.ts'
import { createFiles } from '../../../src/lib/system/files.ts'
import { linesBackward } from '../../../src/lib/system/log-reader.ts'
import { startSecondReader, type Pieces } from '../../../src/lib/system/second-reader.ts'
import { prepareThread } from '../../../src/lib/system/spare-thread.ts'
import type { OpenFile, SharedFile } from '../../../src/lib/system/system.ts'
import { expected } from '../../helpers/slow-search.ts'

const able = process.platform === 'linux' && os.availableParallelism() > 1 ? {} : { skip: 'needs Linux and a second processor' }
const mebi = 1024 * 1024

async function folderFor(t: TestContext): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  t.after(() => fs.rm(folder, { recursive: true, force: true }))
  return folder
}

async function opened(t: TestContext, file: string): Promise<OpenFile & { shared: SharedFile; readNow: NonNullable<OpenFile['readNow']> }> {
  const files = createFiles()
  t.after(() => files.close())
  const answer = await files.open(file)
  assert.ok(answer.ok && answer.value?.shared && answer.value.readNow, 'a file on a disk of this machine')
  return answer.value as OpenFile & { shared: SharedFile; readNow: NonNullable<OpenFile['readNow']> }
}

const noise = Buffer.from(`${'2026 | INFO | nothing of it {"a": 1}'.repeat(3)}\n`.repeat(84_000))
/** Chunks are counted from the first one, which begins at a page. */
const edgeOf = (chunk: number): number => Math.floor((noise.length - 2 ** 18) / 4096) * 4096 - 2 * mebi * chunk

/** The second thread is begun before the second chunk is read at once; that takes its time, so that the other thread comes to all else. */
function slow(file: Awaited<ReturnType<typeof opened>>): OpenFile {
  let reads = 0
  const readNow: OpenFile['readNow'] = (...args) => {
    if (++reads === 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120)
    return file.readNow(...args)
  }
  return { ...file, readNow }
}

async function linesOf(file: OpenFile, needles: readonly Wanted[], maxBytes = 1e9): Promise<{ texts: string[]; end: unknown }> {
  const scan = linesBackward(file, { needles, maxBytes, deadline: Infinity, secondFrom: 1 })
  const texts: string[] = []
  for (;;) {
    const step = await scan.next()
    if (step.done === true) return { texts, end: step.value }
    texts.push(step.value.text)
  }
}

const both: Wanted = ['"absent"', '["run",']

test('texts at and across the edges of what is read at once, at every distance: with a second thread as without', async (t) => {
  const file = path.join(await folderFor(t), 'main.log')
  const needles: Wanted[] = ['Starting mcpproxy', both]
  for (let shift = -24; shift <= 24; shift += 4) {
    const content = Buffer.from(noise)
    // Far from each other: between them is nothing.
    content.write('Starting mcpproxy', edgeOf(2) + shift)
    content.write(`"absent"${'-'.repeat(130)}["run",`, edgeOf(3) + 4 * shift)
    content.write(`["run",${'-'.repeat(130)}"absent"`, edgeOf(4) + 4 * shift)
    await fs.writeFile(file, content)
    const whole = expected(content, needles).texts
    assert.deepEqual((await linesOf(slow(await opened(t, file)), needles)).texts, whole, `${shift}`)
    assert.equal(whole.length, 3)
  }
})

test('any lines anywhere: the same lines in the same order', async (t) => {
  const file = path.join(await folderFor(t), 'main.log')
  const wanted = ['["run",', '"absent"', 'Starting mcpproxy', `"absent"${'-'.repeat(130)}["run",`, `["run",${'-'.repeat(130)}"absent"`]
  const anywhere = fc.nat(noise.length)
  const atEdge = fc.tuple(fc.nat(4), fc.integer({ min: -220, max: 220 })).map(([chunk, by]) => edgeOf(chunk) + by)
  const place = fc.record({ at: fc.oneof(anywhere, atEdge), text: fc.constantFrom(...wanted), long: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(
      fc.array(place, { minLength: 1, maxLength: 12 }),
      fc.subarray<Wanted>([both, 'Starting mcpproxy', '"absent"'], { minLength: 1 }),
      async (places, needles) => {
        const content = Buffer.from(noise)
        for (const [i, { at, text, long }] of places.entries()) {
          const within = Math.max(0, Math.min(content.length - 200, at))
          // One line over several chunks.
          if (long && i === 0) content.subarray(Math.max(0, within - 1_500_000), within + 2_000_000).fill('x')
          content.write(text, within)
        }
        await fs.writeFile(file, content)
        const { texts, end } = await linesOf(slow(await opened(t, file)), needles)
        assert.deepEqual(texts, expected(content, needles).texts)
        assert.deepEqual(end, { reachedStart: true })
      },
    ),
    { numRuns: 10 },
  )
})

const setup = 'Docker isolation setup completed | {"server": "absent", "docker_run_args": ["run", "x"]}'

/** Large enough for two threads, nearly all of it zeros that take no room on the disk. */
async function largeLog(file: string): Promise<void> {
  await fs.writeFile(file, `${setup}\nother\n`)
  await fs.truncate(file, 600 * mebi)
  await fs.appendFile(file, `\n${noise.toString()}`)
}

test('a setup far before the end of a log that is large enough for two threads', async (t) => {
  const file = path.join(await folderFor(t), 'main.log')
  await largeLog(file)
  const texts: string[] = []
  const scan = linesBackward(await opened(t, file), { needles: ['Starting mcpproxy', both], maxBytes: 1e9, deadline: Infinity })
  for await (const { text } of scan) texts.push(text)
  assert.deepEqual(texts, [setup])
})

test('a part that is rare in the newest lines, and common before them', async (t) => {
  const file = path.join(await folderFor(t), 'main.log')
  const common = Buffer.from(`${'2026 | DEBUG | docker ["run", "x"] | {"server": "other"} '.repeat(2)}\n`.repeat(170_000))
  const content = Buffer.concat([common, noise.subarray(0, 3 * mebi)])
  for (const at of [17, 3 * mebi, 9 * mebi]) content.write('"absent" ["run",', at)
  await fs.writeFile(file, content)
  const needles: Wanted[] = ['Starting mcpproxy', both]
  assert.deepEqual((await linesOf(slow(await opened(t, file)), needles)).texts, expected(content, needles).texts)
})

test('a text that begins with the end of a line is in no line, and the search for it ends', () => {
  const part = Buffer.from('\nabc')
  assert.equal(mayHold(Buffer.from('a\n\nabc\n\nabc\nx\n'), [{ part, texts: [part] }]), false)
})

const start = 'Starting mcpproxy'
const isStart = (text: string): boolean => text.includes(start)

/** As a search does that ends with the second start: what it finds before that, and whether there was a first one. */
async function untilSecondStart(
  lines: Iterable<string> | AsyncIterable<string>,
  starts = { count: 0 },
): Promise<{ found: string[]; starts: number }> {
  const found: string[] = []
  for await (const text of lines) {
    if (!isStart(text)) found.push(text)
    else if (++starts.count > 1) break
  }
  return { found, starts: Math.min(1, starts.count) }
}

test('lines that only end the search are not looked for everywhere, and end it as if they were', async (t) => {
  const file = path.join(await folderFor(t), 'main.log')
  const anywhere = fc.nat(noise.length - 200)
  const atEdge = fc.tuple(fc.nat(4), fc.integer({ min: -220, max: 220 })).map(([chunk, by]) => Math.max(0, edgeOf(chunk) + by))
  const texts = fc.constantFrom(start, start, `"absent"${'-'.repeat(30)}["run",`, '["run",')
  const place = fc.record({ at: fc.oneof(anywhere, atEdge), text: texts })
  let ended = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(place, { minLength: 2, maxLength: 12 }),
      // Where it is known before the rest is read.
      fc.constantFrom(noise.length - 400_000, edgeOf(1) + 500),
      // Beside another thread this one does not look for it everywhere either.
      fc.constantFrom({ secondFrom: 1, delayed: true }, { secondFrom: 4 * mebi, delayed: false }, { secondFrom: Infinity, delayed: false }),
      async (places, first, { secondFrom, delayed }) => {
        const content = Buffer.from(noise)
        content.write(start, first)
        for (const { at, text } of places) content.write(text, at)
        await fs.writeFile(file, content)
        const source = await opened(t, file)
        const starts = { count: 0 }
        async function* lines(): AsyncGenerator<string> {
          const bound = { text: start, isKnown: () => starts.count > 0 }
          const options = { needles: [start, both], maxBytes: 1e9, deadline: Infinity, bound, secondFrom }
          for await (const { text } of linesBackward(delayed ? slow(source) : source, options)) yield text
        }
        const wanted = await untilSecondStart(expected(content, [start, both]).texts)
        assert.deepEqual(await untilSecondStart(lines(), starts), wanted)
        ended += Number(expected(content, [both]).texts.length > wanted.found.length)
      },
    ),
    { numRuns: 60 },
  )
  assert.ok(ended > 5, 'in some of them a start stood between')
})

test('a line that ends the search, which this thread has passed over beside another one, ends it too', able, async (t) => {
  const file = path.join(await folderFor(t), 'main.log')
  const content = Buffer.from(noise)
  for (const at of [noise.length - 400_000, edgeOf(3) + 1000]) content.write(start, at)
  content.write('"absent" ["run",', edgeOf(4) + 1000)
  await fs.writeFile(file, content)
  const starts = { count: 0 }
  const bound = { text: start, isKnown: () => starts.count > 0 }
  async function* lines(source: OpenFile): AsyncGenerator<string> {
    const options = { needles: [start, both], maxBytes: 1e9, deadline: Infinity, bound, secondFrom: 4 * mebi }
    for await (const { text } of linesBackward(source, options)) yield text
  }
  assert.deepEqual(await untilSecondStart(lines(await opened(t, file)), starts), { found: [], starts: 1 })
})

test('a line that ends the search, and begins where this thread looks for it again, ends it', able, async (t) => {
  const file = path.join(await folderFor(t), 'main.log')
  const content = Buffer.from(noise)
  content.write(start, noise.length - 100_000)
  // The line begins just before the edge, and its text is further behind it than is looked at with the chunk before.
  content.write(`\n${'-'.repeat(73)}${start}`, edgeOf(2) - 4)
  content.write('"absent" ["run",', edgeOf(4) + 1000)
  await fs.writeFile(file, content)
  const starts = { count: 0 }
  const bound = { text: start, isKnown: () => starts.count > 0 }
  async function* lines(source: OpenFile): AsyncGenerator<string> {
    const options = { needles: [start, both], maxBytes: 1e9, deadline: Infinity, bound, secondFrom: 1 }
    for await (const { text } of linesBackward(source, options)) yield text
  }
  assert.deepEqual(await untilSecondStart(lines(await opened(t, file)), starts), { found: [], starts: 1 })
})

test('a line that ends the search is told of also where the search ends before the file does', able, async (t) => {
  const file = path.join(await folderFor(t), 'main.log')
  const content = Buffer.from(noise)
  for (const at of [edgeOf(1) + 500, edgeOf(3) + 1000]) content.write(start, at)
  await fs.writeFile(file, content)
  let count = 0
  const bound = { text: start, isKnown: () => count > 0 }
  const options = { needles: [start, both], maxBytes: 8 * mebi, deadline: Infinity, bound, secondFrom: 1 }
  for await (const { text } of linesBackward(slow(await opened(t, file)), options)) count += Number(isStart(text))
  assert.equal(count, 2)
})

// ---- the second thread alone --------------------------------------------------------

const sought: Sought[] = [{ part: Buffer.from('["run",'), texts: ['["run",', '"absent"'].map((text) => Buffer.from(text)) }]
const pieces: Pieces = { size: mebi, edge: 64, begin: 0, end: 8 * mebi }

async function inEight(t: TestContext): Promise<Awaited<ReturnType<typeof opened>>> {
  const file = path.join(await folderFor(t), 'main.log')
  const content = Buffer.from(noise)
  content.write('"absent" ["run",', 2.5 * mebi)
  content.write('"other" ["run",', 4.5 * mebi)
  // Part of a line of which nobody knows the rest.
  content.write(`["run",${'-'.repeat(120)}`, 6 * mebi - 3)
  await fs.writeFile(file, content)
  return opened(t, file)
}

/** From the last piece to the first. */
const answers = (reader: NonNullable<ReturnType<typeof startSecondReader>>, count = 8): boolean[] =>
  [8, 7, 6, 5, 4, 3, 2, 1].slice(0, count).map((piece) => reader.isEmpty(piece * mebi))

test('it tells which pieces are empty, as a look at each of them does', able, async (t) => {
  const file = await inEight(t)
  const reader = startSecondReader(file.shared, pieces, sought)
  assert.ok(reader)
  await pause(500)
  const truth = [8, 7, 6, 5, 4, 3, 2, 1].map((piece) => {
    const bytes = Buffer.alloc(mebi + 64)
    return !mayHold(file.readNow((piece - 1) * mebi, mebi + 64, bytes), sought)
  })
  assert.deepEqual(truth, [true, true, false, true, true, false, true, true])
  assert.deepEqual(answers(reader), truth)
  reader.stop()
})

test('a thread that was begun before is taken once, and answers the same', able, async (t) => {
  const file = await inEight(t)
  assert.equal(prepareThread(), true)
  assert.equal(prepareThread(), true)
  for (let i = 0; i < 2; i++) {
    const reader = startSecondReader(file.shared, pieces, sought)
    assert.ok(reader)
    await pause(500)
    assert.deepEqual(answers(reader), [true, true, false, true, true, false, true, true])
    reader.stop()
  }
})

test('what this thread has taken it leaves alone, and it begins where the first piece of interest does', able, async (t) => {
  const file = await inEight(t)
  const reader = startSecondReader(file.shared, { ...pieces, begin: 1.5 * mebi }, sought)
  assert.ok(reader)
  // At once: it has not begun.
  assert.equal(reader.isEmpty(4 * mebi), false)
  await pause(500)
  // The first piece is of no interest. It went on until it came to the fourth, which is not waited for long.
  assert.deepEqual(answers(reader, 7), [false, false, false, false, false, false, true])
  reader.stop()
})

test('a file that is another one by now, or none, or too short: this thread has to look', able, async (t) => {
  const file = await inEight(t)
  for (const shared of [
    { ...file.shared, ino: file.shared.ino + 1 },
    { ...file.shared, descriptor: 1_000_000 },
  ]) {
    const reader = startSecondReader(shared, pieces, sought)
    assert.ok(reader)
    await pause(300)
    assert.deepEqual(answers(reader), Array(8).fill(false))
    reader.stop()
  }
  const beyond = startSecondReader(file.shared, { ...pieces, begin: 10 * mebi, end: 14 * mebi }, sought)
  assert.ok(beyond)
  await pause(300)
  assert.deepEqual(
    [14, 13, 12, 11].map((piece) => beyond.isEmpty(piece * mebi)),
    [false, false, false, false],
  )
  beyond.stop()
})
