import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { containerLines } from '../../../src/lib/system/container-log.ts'

const at = (second: number): string => `2026-11-22T21:47:${String(second).padStart(2, '0')}.123456789Z`
const frame = (stream: 1 | 2, text: string | Buffer, length?: number): Buffer => {
  const bytes = Buffer.from(text)
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(length ?? bytes.length, 4)
  return Buffer.concat([head, bytes])
}

describe('the log of a container', () => {
  test('frames of two streams, by time', () => {
    const bytes = Buffer.concat([frame(2, `${at(2)} second\n`), frame(1, `${at(1)} first\n`), frame(1, `${at(3)} \r\n`)])
    assert.deepEqual(containerLines(bytes, false), [
      { stream: 'stdout', time: at(1), text: 'first' },
      { stream: 'stderr', time: at(2), text: 'second' },
      { stream: 'stdout', time: at(3), text: '' },
    ])
  })

  test('a line in several frames, each with its time, between those of another stream; a character is cut in two', () => {
    const long = Buffer.from(`${'x'.repeat(100)}ä`)
    const bytes = Buffer.concat([
      frame(1, Buffer.concat([Buffer.from(`${at(1)} `), long.subarray(0, -1)])),
      frame(2, `${at(1)} other\n`),
      frame(1, Buffer.concat([Buffer.from(`${at(2)} `), long.subarray(-1), Buffer.from(' end\n')])),
    ])
    assert.deepEqual(
      containerLines(bytes, false).map(({ stream, text }) => [stream, text]),
      [
        ['stdout', `${'x'.repeat(100)}ä end`],
        ['stderr', 'other'],
      ],
    )
  })

  test('what was cut off: half a header, half a text, a length beyond all bytes', () => {
    const whole = frame(1, `${at(1)} whole\n`)
    for (const rest of [Buffer.from([1, 0, 0]), frame(2, `${at(2)} hal`, 500), frame(2, `${at(2)} hal`, 0xffffffff)]) {
      const lines = containerLines(Buffer.concat([whole, rest]), false)
      assert.deepEqual(lines[0], { stream: 'stdout', time: at(1), text: 'whole' })
      assert.deepEqual(
        lines.slice(1).map(({ text }) => text),
        rest.length > 8 ? ['hal'] : [],
      )
    }
  })

  test('a container with a terminal has no frames; no bytes are no lines', () => {
    assert.deepEqual(containerLines(Buffer.from(`${at(1)} a\r\n${at(2)} b\r\n`), true), [
      { stream: 'stdout', time: at(1), text: 'a' },
      { stream: 'stdout', time: at(2), text: 'b' },
    ])
    assert.deepEqual(containerLines(Buffer.alloc(0), false), [])
  })
})
