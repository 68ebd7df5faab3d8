/** What is said of a live machine is said of its bundle too, elsewhere, without MCPProxy and without an engine. */
import assert from 'node:assert/strict'
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

const scenarios: Record<string, PlayerOptions> = {
  'it works': { config: servers('web'), works: () => true },
  'it fails': { config: servers('web', 'other'), works: (s) => s.name === 'other' || down },
  'the engine cannot be asked': { config: servers('web'), works: () => 'npm error code E404', noEngine: true },
  'no api': { config: servers('web'), works: () => down, answer: () => 'cut' },
  'the api answers 500': { config: servers('web'), works: () => down, answer: () => ({ status: 500, body: 'boom' }) },
  'an api of something else': { config: servers('web'), works: () => true, answer: () => ({ status: 200, body: '<html>' }) },
  'a broken configuration': { config: '{"mcpServers": [', works: () => true, answer: () => 'cut' },
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
      const env = { HOME: home, NO_COLOR: '1', COLUMNS: '200', DOCKER_HOST: player.engine }
      const live = (...args: string[]) => runCli([...args, ...player.flags], { cwd: home, env })
      const looks = [
        ['check', '--all', '--json', '--no-replay'],
        ['check', '--all', '--no-replay', '--verbose'],
      ]
      const seen: CliResult[] = []
      for (const look of looks) seen.push(await live(...look))
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
          assert.equal(offline.exitCode, before.exitCode, `${archive}: ${offline.stderr}`)
          assert.ok(!offline.stdout.includes(token) && !before.stdout.includes(token))
          if (i === 1) assert.deepEqual(words(offline.stdout, home), words(before.stdout, home), archive)
          else assert.deepEqual(essence(offline.stdout), essence(before.stdout), archive)
        }
      }
    } finally {
      await player.stop()
    }
  })
}

interface Report {
  verdict: string
  findings: { code: string; rank: string }[]
  servers: {
    server: string
    verdict: string
    findings: { code: string; rank: string }[]
    undetermined: { code: string; source: string }[]
  }[]
}
const essence = (stdout: string): unknown => {
  const { verdict, findings, servers: reports } = JSON.parse(stdout) as Report
  const codes = (list: Report['findings']): string[] => list.map((f) => `${f.code} ${f.rank}`)
  return [
    verdict,
    codes(findings),
    reports.map((s) => [s.server, s.verdict, codes(s.findings), s.undetermined.map((u) => `${u.code} ${u.source}`)]),
  ]
}
