import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { byteRecord } from '../../../src/lib/system/byte-record.ts'
import { createLineReader, type Line } from '../../../src/lib/system/json-lines.ts'

function read(chunks: Buffer[], maxLine = 1 << 20): Line[] {
  const lines: Line[] = []
  const reader = createLineReader(maxLine, (line) => lines.push({ ...line, bytes: Buffer.from(line.bytes) }))
  for (const chunk of chunks) reader.add(chunk)
  reader.end()
  return lines
}

const chopped = fc.array(
  fc.uint8Array({ maxLength: 30 }).map((a) => Buffer.from(a.map((b) => (b % 5 === 0 ? 0x0a : b % 7 === 0 ? 0x0d : b)))),
)

test('however the bytes are chopped, the lines are the same', () => {
  fc.assert(
    fc.property(chopped, (chunks) => {
      assert.deepEqual(read(chunks), read([Buffer.concat(chunks)]))
    }),
  )
})

test('offset and length give the bytes back', () => {
  fc.assert(
    fc.property(chopped, (chunks) => {
      const whole = Buffer.concat(chunks)
      for (const line of read(chunks)) assert.deepEqual(line.bytes, whole.subarray(line.offset, line.offset + line.length))
    }),
  )
})

test('a line that is too long keeps its beginning and its length, and the next one is whole', () => {
  const [long, next] = read([Buffer.alloc(30_000, 'x'), Buffer.from('\nnext\n')], 10_000)
  assert.deepEqual([long?.tooLong, long?.length, long?.bytes.length], [true, 30_000, 4096])
  assert.deepEqual([next?.bytes.toString(), next?.offset], ['next', 30_001])
})

test('a record keeps the beginning and the end, exactly', () => {
  fc.assert(
    fc.property(chopped, fc.nat(40), fc.nat(40), (chunks, head, tail) => {
      const record = byteRecord(head, tail)
      for (const chunk of chunks) record.add(chunk)
      const whole = Buffer.concat(chunks)
      const kept = record.take()
      assert.equal(kept.total, whole.length)
      assert.deepEqual(kept.head, whole.subarray(0, head))
      assert.deepEqual(kept.tail, whole.subarray(head).subarray(Math.max(0, whole.length - kept.head.length - tail)))
    }),
  )
})
