/** The program as a process: exit codes, stdout and stderr apart. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { validReport } from '../helpers/valid-report.ts'

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['bin/run.js', ...args], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })

test('a failing server: exit 1, the cause in the first line, nothing on stderr', () => {
  const r = run('check', 'everything', '--from', 'test/captures/0.60.0-tty-flag')
  assert.equal(r.status, 1)
  assert.match(r.stdout.split('\n\n')[0] ?? '', /everything[^]*terminal[^]*proven/)
  assert.equal(r.stderr, '')
})
test('a healthy server: exit 0, the same with --json', () => {
  assert.equal(run('check', 'good', '--from', 'test/captures/0.60.0-healthy').status, 0)
  const r = run('check', 'good', '--from', 'test/captures/0.60.0-healthy', '--json')
  assert.equal(r.status, 0)
  assert.equal(validReport(r.stdout).verdict, 'healthy')
})
test('an unknown server: exit 2 and the nearest name', () => {
  const r = run('check', 'goood', '--from', 'test/captures/0.60.0-healthy')
  assert.equal(r.status, 2)
  assert.match(r.stderr, /Did you mean "good"/)
})
test('what is no capture, or a newer one: exit 2', () => {
  assert.equal(run('check', '--from', '/nonexistent').status, 2)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-'))
  fs.writeFileSync(path.join(folder, 'capture.json'), '{"format":"mcpproxy-doctor-capture/2"}')
  assert.equal(run('check', '--from', folder).status, 2)
  fs.rmSync(folder, { recursive: true })
})
test('an unknown flag: exit 2', () => assert.equal(run('check', '--nonsense').status, 2))
test('demo says that it is a recording and exits 0', () => {
  const r = run('demo')
  assert.equal(r.status, 0)
  assert.match(r.stdout, /This is a recording/)
})
