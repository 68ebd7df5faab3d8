import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerCreate } from '../../../src/lib/formats/container-create.ts'
import { parseDockerRun } from '../../../src/lib/formats/docker-run.ts'

const create = (...args: string[]): ReturnType<typeof containerCreate> =>
  containerCreate(parseDockerRun(['run', ...args]), { TOKEN: 's' }, { file: '/dev/fd/3', variables: { HOME: '/x' } })

test('what only the docker command understands is named, never left out', () => {
  const cases: [string, string[]][] = [
    ['--gpus', ['--gpus', 'all', 'img']],
    ['--device', ['--device', '/dev/x', 'img']],
    ['--env-file', ['--env-file', 'secrets.env', 'img']],
    ['--security-opt', ['--security-opt', 'seccomp=/p.json', 'img']],
    ['--volume', ['-v', './a:/b', 'img']],
    ['--mount', ['--mount', 'type=bind,source=a,target=/b', 'img']],
    ['--mount', ['--mount', 'type=bind,source=/a,target=/b,consistency=cached', 'img']],
    ['--network', ['--network', 'name=a,alias=b', 'img']],
    ['--memory', ['--memory', '512 megs', 'img']],
    ['--tty', ['-t', 'img']],
    ['--detach', ['-d', 'img']],
    ['--brand-new', ['--brand-new', 'img']],
    ['--env', ['-e', '=x', 'img']],
    ['a command without an image', ['--rm']],
  ]
  for (const [named, args] of cases) assert.equal(create(...args), named)
})

test('variables come from the environment and from the file that is not there', () => {
  const request = create('-e', 'TOKEN', '-e', 'GONE', '-e', 'A=b=c', '--env-file', '/dev/fd/3', 'img', 'cmd')
  assert.ok(typeof request !== 'string')
  assert.deepEqual(request.body.Env, ['HOME=/x', 'TOKEN=s', 'GONE', 'A=b=c'])
  assert.deepEqual([request.body.Image, request.body.Cmd, request.body.OpenStdin], ['img', ['cmd'], false])
})
