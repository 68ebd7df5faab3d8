/** What lint says of the configuration of each recording: every cause that stands in the file, at its place, and nothing else. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { placeOf } from '../src/lib/workflow/lint.ts'
import { lint } from './helpers/lint.ts'
import { packageRoot } from './helpers/package-root.ts'

const folder = join(packageRoot(), 'test/captures')

/** By the name without the version: code, severity, and the place as a JSON pointer or line:column. */
const expected: Record<string, [code: string, severity: string, place: string][]> = {
  'cleanup-by-image': [
    ['cleanup-by-image', 'info', '/mcpServers/0/args/3'],
    ['tty-flag', 'error', '/mcpServers/1/args/1'],
    ['cleanup-by-image', 'info', '/mcpServers/1/args/3'],
  ],
  'config-mismatch-cwd': [['host-path-not-mounted', 'warning', '/mcpServers/0/args/0']],
  'config-comments': [['config-syntax', 'error', '4:22']],
  disabled: [['server-disabled', 'info', '/mcpServers/0/enabled']],
  'docker-in-docker': [['docker-in-docker', 'error', '/mcpServers/0/args/1']],
  'edited-broken-args': [['host-path-not-mounted', 'warning', '/mcpServers/0/args/0']],
  'image-without-uvx': [
    ['image-lacks-program', 'error', '/docker_isolation/default_images/uvx'],
    ['stale-default-images', 'warning', '/docker_isolation/default_images/uvx'],
  ],
  'localhost-in-container': [['localhost-in-container', 'warning', '/mcpServers/0/args/1']],
  'network-none': [['network-none', 'error', '/mcpServers/0/isolation/network_mode']],
  quarantined: [['server-quarantined', 'info', '/mcpServers/0/quarantined']],
  'script-not-mounted': [['host-path-not-mounted', 'warning', '/mcpServers/0/args/0']],
  'stdin-closed': [['stdin-closed', 'error', '/mcpServers/0/args/0']],
  'tilde-volume': [['path-not-absolute', 'error', '/mcpServers/0/isolation/extra_args/1']],
  'tty-flag': [['tty-flag', 'error', '/mcpServers/0/args/1']],
  'unknown-runner': [['unknown-runner', 'error', '/mcpServers/0/command']],
  // MCPProxy had written the file again, without the key.
  'volumes-key': [['host-path-not-mounted', 'warning', '/mcpServers/0/args/0']],
}

const captures = readdirSync(folder).sort()
for (const name of captures) {
  test(`lint on ${name}`, () => {
    const bytes = readFileSync(join(folder, name, 'home/.mcpproxy/mcp_config.json'))
    const [, version = '', scenario = ''] = /^(\d+\.\d+\.\d+)-(.*)$/.exec(name) ?? []
    const found = lint(bytes, version).findings.map((f) => {
      const place = placeOf(f)
      return [f.code, f.severity, place?.pointer || `${place?.line}:${place?.column}`]
    })
    assert.deepEqual(found, expected[scenario] ?? [])
  })
}
test('every scenario that is expected is there', () => {
  for (const scenario of Object.keys(expected)) assert.ok(captures.some((name) => name.endsWith(`-${scenario}`)))
})
