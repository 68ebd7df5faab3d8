import assert from 'node:assert/strict'
import { test } from 'node:test'
import { globalConfig, parseConfig, serverEntries } from '../../../src/lib/formats/mcp-config.ts'
import { deadlines, parseDuration } from '../../../src/lib/mcpproxy/deadlines.ts'
import { parseVersion } from '../../../src/lib/mcpproxy/versions.ts'

function restart(version: string, own: string, isDocker: boolean, enabled = true): number {
  const config = { docker_isolation: { enabled }, mcpServers: [{ name: 'web', command: 'npx', args: ['x'], init_timeout: own }] }
  const document = parseConfig('mcp_config.json', Buffer.from(JSON.stringify(config)))
  const [server] = serverEntries(document)
  assert.ok(server)
  return deadlines(server, globalConfig(document), parseVersion(version)!, isDocker).restartMs
}

test('the floor of 3 minutes: isolated, since v0.24.0, with the global switch on', () => {
  assert.equal(restart('v0.60.0', '', true), 180_000)
  assert.equal(restart('v0.23.2', '', true), 30_000)
  assert.equal(restart('v0.60.0', '', false), 30_000)
  assert.equal(restart('v0.60.0', '', true, false), 30_000)
})

test('init_timeout: since v0.46.0, and never below the floor', () => {
  assert.equal(restart('v0.60.0', '60s', false), 60_000)
  assert.equal(restart('v0.60.0', '60s', true), 180_000)
  assert.equal(restart('v0.60.0', '10m', true), 600_000)
  assert.equal(restart('v0.45.0', '60s', false), 30_000)
})

test("Go's durations", () => {
  assert.equal(parseDuration('1m30s'), 90_000)
  assert.equal(parseDuration('1.5h'), 5_400_000)
  assert.equal(parseDuration('250ms'), 250)
  for (const bad of ['', '30', '1 m', '5d']) assert.equal(parseDuration(bad), null)
})
