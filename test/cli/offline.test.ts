/** What is said of a live machine is said of its bundle too, elsewhere, without MCPProxy and without an engine. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ProxyPlayer, type PlayerOptions } from '../helpers/proxy-player.ts'
import { runCli, type CliResult } from '../helpers/run-cli.ts'

const token = `ghp_${'Zk3Xq9Lw7Rt2Vb8Nc5Md4Hs6Jf1Gp0Qy'}1234`
const servers = (...names: string[]): unknown => ({
  api_key: 'canary-api-key-7431',
  docker_isolation: { enabled: true },
  mcpServers: names.map((name) => ({ name, command: 'npx', args: ['-y', 'web-mcp'], env: { SOME_KEY: token }, enabled: true })),
})
const down = `Error: connect ECONNREFUSED 127.0.0.1:5432 (key ${token})`

/** `gone`: what is taken away before anybody looks. `says`: what all of its texts say. */
const scenarios: Record<string, PlayerOptions & { gone?: ('mcpproxy' | 'logs')[]; says?: RegExp; exitCode?: number }> = {
  'it works': { config: servers('web'), works: () => true },
  'it fails': { config: servers('web', 'other'), works: (s) => s.name === 'other' || down },
  'the engine cannot be asked': { config: servers('web'), works: () => 'npm error code E404', noEngine: true },
  'no api': { config: servers('web'), works: () => down, answer: () => 'cut' },
  'the api answers 500': { config: servers('web'), works: () => down, answer: () => ({ status: 500, body: 'boom' }) },
  'an api of something else': {
    ...{ config: servers('web'), works: () => true, answer: () => ({ status: 200, body: '<html>' }) },
    says: /Something answers at http:\S+, but it is not MCPProxy \(HTTP 200\)\. If MCPProxy listens elsewhere, name that address with --api/,
    exitCode: 3,
  },
  'a broken configuration': { config: '{"mcpServers": [', works: () => true, answer: () => 'cut' },
  'MCPProxy does not run': {
    ...{ config: servers('web', 'other'), works: (s) => s.name === 'other' || down, gone: ['mcpproxy'] },
    says: /MCPProxy does not run|MCPProxy v0\.\d+\.\d+, not running/,
  },
  'MCPProxy does not run and left no log': { config: servers('web'), works: () => down, gone: ['mcpproxy', 'logs'] },
  'it runs and has no log': { config: servers('web'), works: () => down, gone: ['logs'] },
  'an old release': { config: servers('web'), works: () => down, version: '0.23.2' },
  'a client of yesterday': { config: servers('web'), works: () => down, stale: true },
}

/** Words one a line, masks of either kind alike, whose home it is left out; what is looked at, and when, is another matter. */
const words = (text: string, home: string): string[] =>
  text
    .replaceAll(home, '/home/user')
    .replaceAll(/(?:SECRET|VALUE)_[0-9a-f]{12}|•+/g, '•')
    .replaceAll(/\s+(?:\\\n\s*)?--(?:from|config|log-dir|data-dir|api|docker-host)\s+(?:\\\n\s*)?\S+/g, '')
    .replaceAll(/^ +(?:recorded|checked) +\S+$/gm, '')
    .replaceAll(/\^+/g, '^')
    .split(/\s+/)

for (const [what, options] of Object.entries(scenarios)) {
  test(what, async () => {
    const player = await new ProxyPlayer(options).start()
    try {
      const home = player.folder
      if (options.gone?.includes('mcpproxy')) player.die()
      if (options.gone?.includes('logs')) fs.rmSync(player.logs, { recursive: true })
      const env = { HOME: home, NO_COLOR: '1', DOCKER_HOST: player.engine }
      const live = (...args: string[]) => runCli([...args, ...player.flags], { cwd: home, env })
      const looks = [
        ['check', '--all', '--json', '--no-replay'],
        ['check', '--all', '--no-replay', '--verbose'],
        ['check', '--all', '--no-replay'],
      ]
      const seen = await Promise.all(looks.map((look) => live(...look)))
      const archives = ['out.tgz', 'kept.tgz']
      assert.equal((await live('bundle', '--all', '-o', 'out.tgz')).exitCode, 0)
      assert.equal((await live('bundle', '--all', '-o', 'kept.tgz', '--keep-paths')).exitCode, 0)
      player.die()
      for (const archive of archives) {
        const from = path.join(home, archive)
        for (const [i, look] of looks.entries()) {
          const before: CliResult | undefined = seen[i]
          const offline = await runCli([...look, '--from', from], { env: { ...env, HOME: '/nowhere' } })
          assert.ok(before)
          if (options.exitCode !== undefined) assert.equal(before.exitCode, options.exitCode)
          if (options.says && i > 0) assert.match(before.stdout.replace(/\s+/g, ' '), options.says)
          assert.equal(offline.exitCode, before.exitCode, `${archive}: ${offline.stderr}`)
          assert.ok(!offline.stdout.includes(token) && !before.stdout.includes(token))
          if (i > 0) assert.deepEqual(words(offline.stdout, home), words(before.stdout, home), archive)
          else assert.deepEqual(essence(offline.stdout, home), essence(before.stdout, home), archive)
        }
      }
    } finally {
      await player.stop()
    }
  })
}

/** The whole report but for when it was made, what it was asked with, and what is masked. */
const essence = (stdout: string, home: string): unknown => {
  const report = JSON.parse(stdout) as { recordedAt: unknown; checkedAt: unknown }
  return JSON.parse(
    JSON.stringify({ ...report, recordedAt: null, checkedAt: null })
      .replaceAll(home, '/home/user')
      .replaceAll(/(?:SECRET|VALUE)_[0-9a-f]{12}|•+/g, '•'),
  )
}
