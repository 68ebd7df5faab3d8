import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostStart, simpleWords } from '../../../src/lib/replay/shell-line.ts'

const start = (command: string, ...args: string[]) => hostStart({ kind: 'host', command, args, cwd: null, env: { A: '1' } })

test('a plain docker run in a shell line is planned as docker, never started as it is', () => {
  assert.deepEqual(start('sh', '-c', 'docker run -i --rm -p 80:80 mcp/everything'), {
    kind: 'docker',
    spec: { kind: 'docker', runArgs: ['run', '-i', '--rm', '-p', '80:80', 'mcp/everything'], command: [], env: { A: '1' } },
  })
  assert.equal(start('/bin/bash', '-lc', "exec docker run -i --rm -v '/a b:/c' x").kind, 'docker')
})
test('anything else that names a container engine is refused', () => {
  for (const line of [
    'docker rm -f victim',
    'docker run -i x; docker rm -f y',
    'docker run -i $IMAGE',
    'docker run -i x && true',
    'echo | docker run -i x',
    'A=1 docker run x',
    'docker run `id`',
    'docker run -i x > /tmp/f',
    'cd /x\ndocker run -i y',
    'podman run -i x',
    '/usr/bin/docker exec x y',
    'docker run -v ~/x:/x y',
  ])
    assert.equal(start('sh', '-c', line).kind, 'refused', line)
  assert.equal(start('sh', '-c', 'docker run -i x', 'more').kind, 'refused')
  assert.equal(start('python3', '-c', 'import os; os.system("docker rm -f x")').kind, 'refused')
  assert.equal(start('docker-compose', 'up').kind, 'refused')
  assert.equal(start('/opt/bin/docker', 'rm').kind, 'refused')
})
test('a program that does not name one is a program of the host', () => {
  for (const words of [
    ['npx', '-y', 'some-mcp'],
    ['node', '/opt/dockerized-thing/x.mjs'],
    ['sh', '-c', 'echo hi'],
  ])
    assert.equal(start(...(words as [string])).kind, 'host')
})
test('words as a shell splits them, quotes taken off', () => {
  assert.deepEqual(simpleWords(`docker run -e 'A=b c' "x y"z`), ['docker', 'run', '-e', 'A=b c', 'x yz'])
  assert.equal(simpleWords(`docker run 'open`), null)
})
