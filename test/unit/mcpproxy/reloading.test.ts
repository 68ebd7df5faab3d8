import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hitByRestart, mayBeHit, ownRestart, reloadWay } from '../../../src/lib/mcpproxy/reloading.ts'
import { newestKnown, parseVersion } from '../../../src/lib/mcpproxy/versions.ts'

const way = (version: string, ...changed: string[][]): string => reloadWay(parseVersion(version) ?? newestKnown, changed).way
const entry = ['mcpServers']
const global = ['docker_isolation', 'memory_limit']

test('by version', () => {
  assert.deepEqual([way('0.60.0', entry), way('0.60.0', global), way('0.52.0', global)], ['watch', 'watch', 'watch'])
  assert.deepEqual([way('0.51.9', entry), way('0.33.1', entry)], ['restart', 'restart'])
  assert.deepEqual([way('0.51.9', global), way('0.33.1', entry, global)], ['own-restart', 'own-restart'])
  assert.deepEqual([way('0.33.0', entry), way('0.9.0', entry), way('0.8.5', entry)], ['own-restart', 'own-restart', 'own-restart'])
  // Nothing new in the file: a restart of the server is all there is to do.
  assert.deepEqual([way('0.33.0'), way('0.9.0'), way('0.8.5')], ['restart', 'restart', 'own-restart'])
})

test('how to restart MCPProxy itself', () => {
  assert.match(ownRestart(42), /kill -TERM 42/)
  assert.doesNotMatch(ownRestart(null), /kill/)
})

test('whom a restart hits: names that begin alike, other spellings of one name, never itself', () => {
  const container = (server: string | null, name: string, running = true) => ({ server, name, running })
  const all = [
    container('web', 'mcpproxy-web-aaaa'),
    container('web-api', 'mcpproxy-web-api-bbbb'),
    container('web/api', 'mcpproxy-web-api-cccc'),
    container('website', 'mcpproxy-website-dddd'),
    container('web-old', 'mcpproxy-web-old-eeee', false),
    container(null, 'mine-mcpproxy-web-ffff'),
  ]
  assert.deepEqual(hitByRestart('web', all), ['web-api', 'web/api', 'the container mine-mcpproxy-web-ffff'])
  assert.deepEqual(hitByRestart('web-api', all), ['web/api'])
  assert.deepEqual(hitByRestart('website', all), [])
  assert.deepEqual(mayBeHit('web', ['web', 'web-api', 'website']), ['web-api'])
  assert.deepEqual(mayBeHit('a b', ['a-b', 'a b']), ['a-b'])
})
