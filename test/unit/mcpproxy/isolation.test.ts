/** The model's docker arguments against every recorded `docker_run_args`. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parseLogLine, list, serverOf, type LogLine } from '../../../src/lib/formats/log-line.ts'
import { globalConfig, parseConfig, serverEntries } from '../../../src/lib/formats/mcp-config.ts'
import { containerCommand, isolatedRun } from '../../../src/lib/mcpproxy/isolation.ts'
import { parseVersion } from '../../../src/lib/mcpproxy/versions.ts'

const folder = path.resolve('test/captures')

/** Same tokens, same order, but for the name's suffix, the instance, the pid and the order of -e. */
function comparable(args: readonly string[]): string[] {
  const env: string[] = []
  const rest = args.flatMap((a, i) => {
    if (args[i - 1] === '-e') {
      env.push(a)
      return []
    }
    return [a.replace(/^(mcpproxy-.*-)[a-z0-9]{4}$/, '$1').replace(/^(com\.mcpproxy\.(?:instance|created)=).*/, '$1')]
  })
  return [...rest, ...env.sort()]
}

test('the model builds every recorded argument list', () => {
  let compared = 0
  for (const name of fs.readdirSync(folder).sort()) {
    // There the file was edited after the start: the recorded list belongs to the old content.
    if (name.includes('edited-')) continue
    const home = path.join(folder, name, 'home')
    const log = path.join(home, '.local/state/mcpproxy/logs/main.log')
    if (!fs.existsSync(log)) continue
    const capture = JSON.parse(fs.readFileSync(path.join(folder, name, 'capture.json'), 'utf8')) as { mcpproxy: { version: string } }
    const version = parseVersion(capture.mcpproxy.version)
    assert.ok(version)
    const document = parseConfig('mcp_config.json', fs.readFileSync(path.join(home, '.mcpproxy/mcp_config.json')))
    const setups = fs
      .readFileSync(log, 'utf8')
      .split('\n')
      .map((l) => parseLogLine(l, log, null))
      .filter((l): l is LogLine => l?.message === 'Docker isolation setup completed')
    for (const line of setups) {
      const server = serverEntries(document).find((s) => s.name === serverOf(line))
      assert.ok(server, name)
      const run = isolatedRun(server, globalConfig(document), version)
      assert.deepEqual(comparable(run.tokens.flatMap((t) => t.tokens)), comparable(list(line, 'docker_run_args')), name)
      const command = containerCommand(server, version)
      assert.deepEqual([command.command, ...command.args], [line.fields['container_command'], ...list(line, 'container_args')], name)
      compared++
    }
  }
  assert.ok(compared >= 30, `only ${compared} argument lists were compared`)
})
