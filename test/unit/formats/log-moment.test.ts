import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelRank, lineTime, timeAt } from '../../../src/lib/formats/log-bytes.ts'
import { parseMoment } from '../../../src/lib/formats/log-moment.ts'

const now = new Date('2026-11-22T20:00:00Z')
const iso = (text: string, offset = 0): string | null => {
  const moment = parseMoment(text, now, offset)
  return moment && `${new Date(moment.ms).toISOString()}${moment.wall ? ' wall' : ''}`
}

test('times ago, times of today, moments with and without a zone', () => {
  assert.equal(iso('10m'), '2026-11-22T19:50:00.000Z')
  assert.equal(iso('1h30m'), '2026-11-22T18:30:00.000Z')
  assert.equal(iso('1.5d'), '2026-11-21T08:00:00.000Z')
  assert.equal(iso('21:47'), '2026-11-22T21:47:00.000Z wall')
  // There it is the next day already.
  assert.equal(iso('1:02:03.5', 300), '2026-11-23T01:02:03.500Z wall')
  assert.equal(iso('2026-11-22'), '2026-11-22T00:00:00.000Z wall')
  assert.equal(iso('2026-11-22 21:47'), '2026-11-22T21:47:00.000Z wall')
  assert.equal(iso('2026-11-22T21:47:29.136+02:00'), '2026-11-22T19:47:29.136Z')
  assert.equal(iso('2026-11-22T21:47:29+0530'), '2026-11-22T16:17:29.000Z')
  for (const bad of ['', 'yesterday', '10', '10x', '25:00', '2026-13-01', '2026-02-30', '2026-11-22T', '-5m'])
    assert.equal(iso(bad), null, bad)
})

test('times of lines are those that Date reads', () => {
  for (const text of [
    '2026-11-22T21:47:29.136Z',
    '2024-02-29T00:00:00.000Z',
    '2026-03-01T23:59:59.999+02:00',
    '2000-03-01T12:00:00-11:30',
    '1999-12-31T23:59:59Z',
  ]) {
    const bytes = Buffer.from(`${text} | INFO | x`)
    assert.equal(timeAt(bytes, 0)?.ms, Date.parse(text), text)
  }
  assert.equal(timeAt(Buffer.from('2026-11-22T21:47:29.136789123Z'), 0)?.ms, Date.parse('2026-11-22T21:47:29.136Z'))
  for (const bad of ['2026-11-22 21:47:29Z', '2026-11-2xT21:47:29Z', '2026-11-22T21:47:29', '', 'a line of a stack'])
    assert.equal(timeAt(Buffer.from(bad), 0), null)
})

test('time and level of both forms', () => {
  const json = Buffer.from('{"level":"warn","ts":"2026-11-22T21:47:29Z","msg":"x"}')
  const text = Buffer.from('2026-11-22T21:47:29Z | WARN | x.go:1 | x')
  assert.deepEqual(lineTime(json, 0, json.length), lineTime(text, 0, text.length))
  assert.equal(levelRank(json, 0, json.length), levelRank(text, 0, text.length))
  assert.equal(levelRank(Buffer.from('no level'), 0, 8), -1)
})
