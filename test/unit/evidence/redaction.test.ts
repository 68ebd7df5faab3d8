/** Names of a user or a host that are words of every capture. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from '../../../src/lib/evidence/redaction.ts'

const redact = (text: string, user: string, host: string, keep: string[] = []): string =>
  createRedactor({ key: Buffer.alloc(32), identity: { home: `/srv/people/${user}`, users: [user], hosts: [host] }, keep }).redact(text, 'x')

test('a user or host whose name is a word of the capture itself changes nothing but the home folder', () => {
  for (const word of [
    'home',
    'dev',
    'path',
    'error',
    'locations',
    'git',
    'postgres',
    'node',
    'docker',
    'server',
    'log',
    'npm',
    'uvx',
    'app',
  ]) {
    const text = (home: string): string => JSON.stringify({ [word]: 'x', locations: { home }, message: `${word}: /x/${word}` })
    assert.equal(redact(text(`/srv/people/${word}`), word, word), text('/home/user'))
  }
})

test('nor one that is called like a server or an image; as the name of the user it goes all the same', () => {
  for (const word of ['git', 'node', 'annika'])
    assert.equal(
      redact(
        `spawn ${word} ENOENT; USER=${word} {"USER": "${word}", "LOGNAME":"${word}"} DB_USER=${word} /home/${word}/x /srv/people/${word}`,
        word,
        word,
        ['Annika'],
      ),
      `spawn ${word} ENOENT; USER=user {"USER": "user", "LOGNAME":"user"} DB_USER=${word} /home/${word === 'node' ? 'node' : 'user'}/x /home/user`,
    )
})

test('any other name of a user or host goes', () => {
  assert.equal(redact('{"message":"annika at petrel"}', 'annika', 'petrel'), '{"message":"user at host"}')
})

test('a password as an address spells it and as it is meant are one secret, with one token', () => {
  const redactor = createRedactor({ key: Buffer.alloc(32), identity: null, keep: [] })
  const config = JSON.stringify({
    mcpServers: [{ name: 'db', command: 'x', args: ['postgres://app:pw%40Rq7Zk2@db.internal/x'], env: { DB_PASSWORD: 'pw@Rq7Zk2' } }],
  })
  redactor.learn(config, 'config')
  const text = `${config}\nlogin failed for app with pw@Rq7Zk2, with pw%40Rq7Zk2, with pw%2540Rq7Zk2`
  const struck = redactor.redact(text, 'x')
  assert.doesNotMatch(struck, /Rq7Zk2/)
  const tokens = struck.match(/(?:SECRET|VALUE)_[0-9a-f]{12}/g) ?? []
  // With the name before it, it is another value.
  assert.deepEqual([new Set(tokens.slice(1)).size, tokens.length], [1, 5])
  assert.equal(redactor.redact(struck, 'x'), struck)
})
