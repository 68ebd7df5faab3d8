/** Names of a user or a host that are words of every capture. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from '../../../src/lib/evidence/redaction.ts'

const redact = (text: string, user: string, host: string): string =>
  createRedactor({ key: Buffer.alloc(32), identity: { home: `/srv/people/${user}`, users: [user], hosts: [host] }, keep: [] }).redact(
    text,
    'x',
  )

test('a user or host whose name is a word of the capture itself changes nothing but the home folder', () => {
  for (const word of ['home', 'dev', 'path', 'error', 'locations']) {
    const text = (home: string): string => JSON.stringify({ [word]: 'x', locations: { home }, message: `${word}: /x/${word}` })
    assert.equal(redact(text(`/srv/people/${word}`), word, word), text('/home/user'))
  }
})

test('any other name of a user or host goes', () => {
  assert.equal(redact('{"message":"annika at petrel"}', 'annika', 'petrel'), '{"message":"user at host"}')
})
