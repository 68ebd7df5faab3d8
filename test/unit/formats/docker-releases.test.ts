/** docker's words changed between 20.10 and 29; both are known, and mean the same. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dockerError } from '../../../src/lib/formats/docker-error.ts'
import { packageRoot } from '../../helpers/package-root.ts'

interface Recorded {
  recordings: { recording: string; variants: { variant: string | null; client: string; stderr: string[] }[] }[]
}
const { recordings } = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/docker-recordings.json'), 'utf8')) as Recorded
const kindsOf = (lines: readonly string[]): string[] => lines.flatMap((l) => dockerError(l)?.kind ?? [])

// What docker 20.10 really did otherwise, and not only said otherwise.
const different: Record<string, string[]> = {
  'bind-relative': ['mount-name'],
  'credential-helper-missing': ['image-not-local', 'registry-unreachable'],
}

test('each refusal that was recorded is the same kind with docker 20.10 as with 28', () => {
  let compared = 0
  for (const { recording, variants } of recordings) {
    const [now] = variants
    const old = variants.find((v) => v.client.startsWith('20.10'))
    if (!now || !old) continue
    const kinds = kindsOf(old.stderr)
    if (kinds.length > 0) compared++
    assert.deepEqual(kinds, different[recording] ?? kindsOf(now.stderr), recording)
  }
  assert.ok(compared > 50, String(compared))
})

test('what newer ones say (28 and 29), in the words of their sources', () => {
  const pairs: [string, string][] = [
    ['the input device is not a TTY', 'cannot attach stdin to a TTY-enabled container because stdin is not a terminal'],
    [
      'docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      'docker: failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory',
    ],
    [
      'docker: permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied',
      'docker: permission denied while trying to connect to the docker API at unix:///var/run/docker.sock',
    ],
    [
      'docker: Error response from daemon: client version 1.99 is too new. Maximum supported API version is 1.41',
      'docker: Error response from daemon: client version 1.32 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version',
    ],
  ]
  for (const [old, now] of pairs) {
    assert.ok(dockerError(old), old)
    assert.equal(dockerError(now)?.kind, dockerError(old)?.kind, now)
  }
})
