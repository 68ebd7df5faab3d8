import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineNumbers, linesBackward } from '../../../src/lib/system/log-reader.ts'
import type { OpenFile } from '../../../src/lib/system/system.ts'

const file = (content: Buffer): OpenFile => ({
  path: 'x',
  size: content.length,
  mtimeMs: null,
  read: (o, l) => Promise.resolve(content.subarray(o, o + l)),
  close: () => Promise.resolve(),
})
async function collect(content: Buffer, needles?: string[]): Promise<{ texts: string[]; offsets: number[] }> {
  const texts: string[] = []
  const offsets: number[] = []
  for await (const line of linesBackward(file(content), {
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
