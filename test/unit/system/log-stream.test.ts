import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { blocksForward, blocksOf, longestShown } from '../../../src/lib/system/log-stream.ts'
import type { OpenFile } from '../../../src/lib/system/system.ts'

const file = (content: Buffer, atOnce: boolean): OpenFile => ({
  path: 'x',
  size: content.length,
  mtimeMs: null,
  read: (o, l, into) => Promise.resolve(into ? into.subarray(0, content.copy(into, 0, o, o + l)) : content.subarray(o, o + l)),
  ...(atOnce
    ? { readNow: (o: number, l: number, into: Buffer) => into.subarray(0, content.copy(into, 0, o, Math.min(o + l, o + into.length))) }
    : {}),
  close: () => Promise.resolve(),
})

async function linesBetween(opened: OpenFile, from: number, to: number): Promise<{ text: string; offset: number }[]> {
  const lines: { text: string; offset: number }[] = []
  for await (const { bytes, offset } of blocksForward(opened, from, to)) lines.push(...split(bytes, offset))
  return lines
}

function split(bytes: Buffer, offset: number): { text: string; offset: number }[] {
  const lines: { text: string; offset: number }[] = []
  for (let start = 0; start < bytes.length;) {
    const stop = bytes.indexOf(10, start)
    lines.push({ text: bytes.toString('utf8', start, stop < 0 ? bytes.length : stop), offset: offset + start })
    start = stop < 0 ? bytes.length : stop + 1
  }
  return lines
}

const words = ['é', '日本', '\r', '\0', '[', '{"a": "b"}', 'x'.repeat(70_000), 'y'.repeat(300_000), '']
const content = fc
  .tuple(fc.array(fc.array(fc.constantFrom(...words), { maxLength: 5 }), { minLength: 1, maxLength: 30 }), fc.boolean())
  .map(([lines, ended]) => Buffer.from(lines.map((line) => line.join('')).join('\n') + (ended ? '\n' : '')))

test('any lines, also longer than a chunk: each once, in order, with its place', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.boolean(), async (bytes, atOnce) => {
      assert.deepEqual(await linesBetween(file(bytes, atOnce), 0, bytes.length), split(bytes, 0))
    }),
    { numRuns: 50 },
  )
})

test('parts of a log hold together what the whole holds, wherever it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }), async (bytes, cuts) => {
      const places = [0, ...cuts.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b), bytes.length]
      const lines = []
      for (let i = 0; i + 1 < places.length; i++)
        lines.push(...(await linesBetween(file(bytes, true), places[i] as number, places[i + 1] as number)))
      assert.deepEqual(lines, split(bytes, 0))
    }),
    { numRuns: 50 },
  )
})

test('chunks as they come, cut anywhere, also within a character', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.integer({ min: 1, max: 400_000 }), async (bytes, size) => {
      const step = Math.max(size, Math.ceil(bytes.length / 200))
      const chunks = async function* (): AsyncGenerator<Buffer> {
        for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
      }
      const lines = []
      for await (const block of blocksOf(chunks())) lines.push(...split(block.bytes, block.offset))
      assert.deepEqual(lines, split(bytes, 0))
    }),
    { numRuns: 50 },
  )
})

test('of a line of 20 MB its beginning and end are kept; the lines around it and their places are right', async () => {
  const bytes = Buffer.from(`first\nbegin ${'x'.repeat(20 * 1024 ** 2)} end\nlast\n`)
  const lines = await linesBetween(file(bytes, true), 0, bytes.length)
  assert.deepEqual([lines.length, lines[0]?.text, lines[2]], [3, 'first', { text: 'last', offset: bytes.length - 5 }])
  assert.match(lines[1]?.text ?? '', /^begin x+ end$/)
  assert.ok((lines[1]?.text.length ?? 0) <= longestShown + 1024 * 1024)
})
