/** Since when a server fails, over rotated and packed logs; what came between is named, and not called the cause. */
import assert from 'node:assert/strict'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { runCli } from '../helpers/run-cli.ts'
import { smallHome, type SmallHome } from '../helpers/small-home.ts'
import { validReport } from '../helpers/valid-report.ts'

interface Told {
  history: {
    lastSuccess: { at: string; file: string; line: number } | null
    firstFailure: { at: string; file: string; line: number } | null
    failures: number
    complete: boolean
    endedWhileConnected: boolean
    changes: { what: string; before: string | null; after: string | null }[]
    unread: string[]
  }
}

const secret = `ghp_${'Zk3Xq9Lw7Rt2Vb8Nc5Md4Hs6Jf1Gp0Qy'}1234`
/** `day`: of November 2026. */
const line = (day: number, second: number, message: string, fields: object = {}): string =>
  `${new Date(Date.UTC(2026, 10, day, 10, 0, second)).toISOString()} | INFO | core/x.go:1 | ${message} | ${JSON.stringify({ server: 'web', ...fields })}\n`
const runArgs = (memory: string, image: string): string[] => ['run', '--rm', '-i', '--memory', memory, '-e', `SOME_KEY=${secret}`, image]
const setup = (day: number, memory: string, image: string): string =>
  line(day, 1, 'Docker isolation setup completed', {
    container_name: `mcpproxy-web-a${day}`,
    container_command: 'npx',
    container_args: ['web-mcp'],
    docker_run_args: runArgs(memory, image),
  })
const starting = (day: number, version: string): string => line(day, 0, 'Starting mcpproxy', { server: undefined, version })
const works = (day: number): string => line(day, 1, 'Starting connection attempt') + line(day, 3, 'Successfully connected and initialized')
const fails = (day: number, second = 5): string =>
  line(day, second, 'Starting connection attempt') +
  line(day, second + 1, 'stderr', { message: 'Error: JavaScript heap out of memory' }) +
  line(day, second + 2, 'stderr stream closed') +
  line(day, second + 2, 'Connection failed', {
    error: 'server process exited before completing the MCP initialize handshake: transport closed',
  })

const entry = (more: object = {}): object => ({
  name: 'web',
  command: 'npx',
  args: ['web-mcp'],
  env: { SOME_KEY: secret },
  enabled: true,
  ...more,
})
const config = (memory: string, ...servers: object[]): string =>
  JSON.stringify({ docker_isolation: { enabled: true, memory_limit: memory }, mcpServers: servers }, null, 1)

function rotated(t: TestContext, options: { success?: boolean; broken?: boolean } = {}): SmallHome {
  const home = smallHome(t, { config: config('64m', entry()) })
  const write = (name: string, text: string): void => writeFileSync(join(home.logs, name), name.endsWith('.gz') ? gzipSync(text) : text)
  const success = options.success ?? true
  write('main-2026-11-21T00-00-00.000.log.gz', starting(20, 'v0.52.1') + setup(20, '512m', 'node:20'))
  write('main.log', starting(22, 'v0.60.0') + setup(22, '64m', 'node:22'))
  write('server-web-2026-11-21T00-00-00.000.log.gz', success ? fails(19) + works(20) : fails(20))
  if (options.broken) writeFileSync(join(home.logs, 'server-web-2026-11-21T00-00-00.000.log.gz'), 'no gzip')
  write('server-web-2026-11-23T00-00-00.000.log', fails(22, 1) + fails(22, 20))
  write('server-web.log', fails(23) + fails(23, 30))
  const backup = `${home.config}.bak`
  writeFileSync(backup, config('512m', entry({ args: ['web-mcp@1'] })))
  for (const [file, day] of [
    [backup, 21],
    [home.config, 21.5],
  ] as const) {
    const at = Date.UTC(2026, 10, 1) / 1000 + (day - 1) * 86_400
    utimesSync(file, at, at)
  }
  return home
}

test('last success in a packed log, first failure in a rotated one, and what changed between', async (t) => {
  const home = rotated(t)
  const { stdout, exitCode } = await home.run(['logs', 'web', '--history', '--json'])
  assert.equal(exitCode, 1)
  assert.ok(!stdout.includes(secret))
  const { history } = JSON.parse(stdout) as Told
  assert.equal(history.lastSuccess?.at, '2026-11-20T10:00:03.000Z')
  assert.match(history.lastSuccess.file, /server-web-2026-11-21T00-00-00\.000\.log\.gz$/)
  assert.equal(history.lastSuccess.line, 6)
  assert.equal(history.firstFailure?.at, '2026-11-22T10:00:01.000Z')
  assert.match(history.firstFailure.file, /server-web-2026-11-23T00-00-00\.000\.log$/)
  assert.equal(history.failures, 4)
  const changes = history.changes.map((c) => [c.what, c.before, c.after].filter((x) => x !== null).join(' '))
  assert.deepEqual([...changes].sort(), [
    '--memory 512m 64m',
    'MCPProxy v0.52.1 v0.60.0',
    'a backup of the configuration was made',
    'configuration since then: args ["web-mcp@1"] ["web-mcp"]',
    'image node:20 node:22',
    'the configuration was written last',
  ])
  const text = await home.run(['logs', 'web', '--history'])
  assert.match(text.stdout, /last success +2026-11-20 10:00:03Z[^]*first failure +2026-11-22 10:00:01Z[^]*4 failed attempts since/)
  assert.match(text.stdout, /--memory {2}512m → 64m/)
  assert.match(text.stdout.replace(/\s+/g, ' '), /that it caused it is not said/)
  assert.ok(!text.stdout.includes(secret))
})

test('check says it in one line, and its bundle says the same elsewhere', async (t) => {
  const home = rotated(t)
  const live = await home.run(['check', 'web', '--no-replay'])
  const told = /Fails since 2026-11-22 10:00:01Z \(4 attempts\); worked at 2026-11-20 10:00:03Z; changed between the two: [^.]*\./
  assert.match(live.stdout.replace(/\s+/g, ' '), told)
  const json = validReport((await home.run(['check', 'web', '--no-replay', '--json'])).stdout)
  assert.equal(json.servers[0]?.history?.failures, 4)
  assert.equal((await home.run(['bundle', 'web', '-o', 'out.tgz'])).exitCode, 0)
  const from = join(home.folder, 'out.tgz')
  const offline = await runCli(['check', 'web', '--from', from])
  assert.equal(told.exec(offline.stdout.replace(/\s+/g, ' '))?.[0], told.exec(live.stdout.replace(/\s+/g, ' '))?.[0])
  const history = await runCli(['logs', 'web', '--history', '--json', '--from', from])
  const here = await home.run(['logs', 'web', '--history', '--json'])
  const changes = (out: string): unknown =>
    (JSON.parse(out) as Told).history.changes.map(({ what, before, after }) => [what, before, after])
  assert.deepEqual(changes(history.stdout), changes(here.stdout))
})

test('no success in the logs: said as that', async (t) => {
  const home = rotated(t, { success: false })
  const { stdout } = await home.run(['logs', 'web', '--history', '--json'])
  const { history } = JSON.parse(stdout) as Told
  assert.equal(history.lastSuccess, null)
  assert.deepEqual(history.changes, [])
  assert.match((await home.run(['check', 'web', '--no-replay'])).stdout.replace(/\s+/g, ' '), /the logs hold no success before that/)
})

test('an old log that cannot be read: nothing is said of the time before', async (t) => {
  const home = rotated(t, { broken: true })
  const { history } = JSON.parse((await home.run(['logs', 'web', '--history', '--json'])).stdout) as Told
  assert.equal(history.lastSuccess, null)
  assert.equal(history.complete, false)
  assert.equal(history.unread.length, 1)
  assert.doesNotMatch((await home.run(['check', 'web', '--no-replay'])).stdout, /no success before/)
})

test('it ended while it was connected', async (t) => {
  const home = smallHome(t, { config: config('64m', entry()) })
  writeFileSync(join(home.logs, 'main.log'), starting(20, 'v0.60.0') + setup(20, '64m', 'node:20'))
  writeFileSync(join(home.logs, 'server-web.log'), works(20) + line(21, 0, 'stderr stream closed') + fails(21, 9))
  const { history } = JSON.parse((await home.run(['logs', 'web', '--history', '--json'])).stdout) as Told
  assert.equal(history.endedWhileConnected, true)
  assert.equal(history.firstFailure?.at, '2026-11-21T10:00:00.000Z')
  assert.equal(history.failures, 1)
})

test('it works', async (t) => {
  const home = smallHome(t, { config: config('64m', entry()) })
  writeFileSync(join(home.logs, 'main.log'), starting(20, 'v0.60.0') + setup(20, '64m', 'node:20'))
  writeFileSync(join(home.logs, 'server-web.log'), fails(19) + works(20))
  const { stdout, exitCode } = await home.run(['logs', 'web', '--history'])
  assert.equal(exitCode, 0)
  assert.match(stdout, /first failure +none since/)
})
