/** The texts and events of a real engine are the ones that the readers know. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { dockerError } from '../../src/lib/formats/docker-error.ts'
import { neverStarted, readHistory } from '../../src/lib/formats/engine-events.ts'

const label = 'io.mcpproxy-doctor.test=1'
const docker = (...args: string[]) => spawnSync('docker', args, { encoding: 'utf8' })
const run = (...args: string[]) => docker('run', '--rm', '-i', '--label', label, ...args)
const kinds = (text: string): string[] => text.split('\n').flatMap((l) => dockerError(l.trim())?.kind ?? [])

test('a program that the image does not have: the text, and a container that never started', () => {
  const since = String(Math.floor(Date.now() / 1000) - 1)
  const r = run('docker.io/library/alpine:3.18', 'uvx', 'x')
  assert.equal(r.status, 127)
  assert.deepEqual(kinds(r.stderr), ['exec-not-found'])
  const events = docker(
    'events',
    '--since',
    since,
    '--until',
    String(Math.ceil(Date.now() / 1000) + 1),
    '--filter',
    `label=${label}`,
    '--format',
    '{{json .}}',
  )
  const { stories } = readHistory(
    events.stdout
      .split('\n')
      .filter(Boolean)
      .map((l) => JSON.parse(l) as unknown),
  )
  assert.ok(stories.length === 1 && stories[0] && neverStarted(stories[0]))
})
test('-t over a pipe', () => assert.deepEqual(kinds(run('-t', 'docker.io/library/alpine:3.18', 'true').stderr), ['tty']))
test('an unknown network', () =>
  assert.deepEqual(kinds(run('--network', 'doctor-nosuch', 'docker.io/library/alpine:3.18', 'true').stderr), ['network-unknown']))
test('a limit that is too small', () =>
  assert.deepEqual(kinds(run('--memory', '4m', 'docker.io/library/alpine:3.18', 'true').stderr), ['memory-limit']))
