/** The commands of single steps: one line that answers, the same exit code with --json, no value of a variable. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { TokenView } from '../../src/lib/report/step-views.ts'
import { runCli } from '../helpers/run-cli.ts'
import { smallCapture } from '../helpers/small-capture.ts'
import { smallHome } from '../helpers/small-home.ts'
import { errorsBy } from '../helpers/valid-report.ts'

const capture = (name: string): string => `test/captures/0.60.0-${name}`

const at = (place: TokenView['place'] | undefined): string => `${place?.line ?? ''}:${place?.column ?? ''}`
/** Line and column of the first place of a text in a file. */
function whereIs(text: string, file: string): string {
  const before = readFileSync(file, 'utf8').split(text)[0]?.split('\n') ?? []
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}

async function both(...args: string[]): Promise<{ text: string; json: Record<string, unknown>; exitCode: number | null; stderr: string }> {
  const text = await runCli(args)
  const json = await runCli([...args, '--json'])
  assert.equal(json.exitCode, text.exitCode)
  assert.equal(json.stderr, '')
  assert.equal(errorsBy('steps', JSON.parse(json.stdout)), null)
  return { text: text.stdout, json: JSON.parse(json.stdout) as Record<string, unknown>, exitCode: text.exitCode, stderr: text.stderr }
}

describe('isolation', () => {
  test('every token of the command with its origin and place', async () => {
    const { text, json, exitCode } = await both('isolation', 'keyed', '--from', capture('missing-env'))
    assert.equal(exitCode, 0)
    assert.match(text, /^✓ keyed: isolated/)
    assert.match(text, /--memory 512m +docker_isolation\.memory_limit +\d+:\d+/)
    assert.match(text, /-v \/srv\/mcp:\/srv\/mcp:ro +isolation\.extra_args/)
    assert.equal(json['runs'], 'docker')
    assert.deepEqual(json['command'], ['node', '/srv/mcp/needs-env.mjs'])
  })
  test('a server whose own command is docker is not wrapped', async () => {
    const { text, json, exitCode } = await both('isolation', 'everything', '--from', capture('tty-flag'))
    assert.equal(exitCode, 0)
    assert.match(text, /never\s+wraps/)
    assert.deepEqual(json['tokens'], [])
  })
  test('--explain: what is overridden, by whom, and what has no effect, each with its place', async () => {
    const small = smallCapture({
      docker_isolation: { enabled: true, timeout: '60s', network_mode: 'host', memory_limit: '512m' },
      mcpServers: [
        {
          ...{ name: 'time', enabled: true, command: 'uvx', args: ['mcp-server-time'], env: { API_TOKEN: 'hush-hush-7' } },
          isolation: {
            mode: 'none',
            network_mode: 'none',
            volumes: ['/a:/a'],
            extra_args: ['--memory', '2g', '-e', 'API_TOKEN=hush-hush-8'],
          },
        },
      ],
    })
    try {
      const { text, json, exitCode } = await both('isolation', 'time', '--explain', '--from', small.folder)
      assert.equal(exitCode, 0)
      assert.match(text, /--memory 512m +docker_isolation\.memory_limit +6:21,\s+overridden by isolation\.extra_args/)
      assert.match(text, /Overridden:\n +docker_isolation\.network_mode +5:21 +by isolation\.network_mode/)
      assert.match(text, /No effect:\n +isolation\.mode [^]*docker_isolation\.timeout [^]*isolation\.volumes /)
      assert.doesNotMatch(text + JSON.stringify(json), /hush-hush/)
      const explained = json['explained'] as { name: string; how: string; place: { pointer: string } | null }[]
      assert.deepEqual(
        explained.map((s) => [s.name, s.how, s.place?.pointer]),
        [
          ['isolation.mode', 'no-effect', '/mcpServers/0/isolation/mode'],
          ['docker_isolation.timeout', 'no-effect', '/docker_isolation/timeout'],
          ['isolation.volumes', 'no-effect', '/mcpServers/0/isolation/volumes'],
          ['docker_isolation.network_mode', 'overridden', '/docker_isolation/network_mode'],
        ],
      )
      const without = await both('isolation', 'time', '--from', small.folder)
      assert.equal(without.json['explained'], null)
      const origins = json['commandOrigins'] as Pick<TokenView, 'origin' | 'place'>[]
      assert.deepEqual(
        origins.map((o) => [o.origin, o.place?.pointer, at(o.place)]),
        [
          ['command', '/mcpServers/0/command', whereIs('"uvx"', small.config)],
          ['args[0]', '/mcpServers/0/args/0', whereIs('"mcp-server-time"', small.config)],
        ],
      )
    } finally {
      small.remove()
    }
  })
  test("--explain of a server's own docker command: each word with its place, what docker passes over, secrets out", async () => {
    const args = ['run', '-i', '-e', 'LEVEL=hush-hush-1', '--memory', '1g', '--memory=2g', 'acme/time', '--port', '1']
    const small = smallCapture({
      docker_isolation: { enabled: true },
      mcpServers: [
        { name: 'time', enabled: true, command: 'docker', args, env: { LEVEL: 'hush-hush-2' } },
        { name: 'exec', enabled: true, command: 'docker', args: ['exec', '-i', '-e', 'API_TOKEN=hush-hush-3', 'c', 'prog'] },
      ],
    })
    try {
      const { text, json } = await both('isolation', 'time', '--explain', '--from', small.folder)
      const tokens = json['tokens'] as TokenView[]
      assert.deepEqual(
        tokens.map((t) => [t.tokens[0], t.origin, t.overriddenBy?.origin]),
        [
          ['run', 'args[0]', undefined],
          ['-e', 'server env', 'args[3]'],
          ['-i', 'args[1]', undefined],
          ['-e', 'args[3]', undefined],
          ['--memory', 'args[5]', 'args[6]'],
          ['--memory=2g', 'args[6]', undefined],
          ['acme/time', 'args[7]', undefined],
        ],
      )
      assert.equal(tokens.at(-1)?.place?.pointer, '/mcpServers/0/args/7')
      assert.equal(at(tokens.at(-1)?.place), whereIs('"acme/time"', small.config))
      assert.match(text, /in the container\n +--port +args\[8\] +\d+:\d+\n +1 +args\[9\]/)
      const exec = await both('isolation', 'exec', '--explain', '--from', small.folder)
      assert.match(exec.text, /^ +-e +args\[2\][^]*^ +prog +args\[5\]/m)
      assert.doesNotMatch(text + JSON.stringify(json) + exec.text + JSON.stringify(exec.json), /hush-hush/)
    } finally {
      small.remove()
    }
  })
  test('no configuration: could not look, 3', async () => {
    const broken = smallCapture('{ "mcpServers": ')
    try {
      assert.equal((await both('isolation', 'time', '--from', broken.folder)).exitCode, 3)
    } finally {
      broken.remove()
    }
  })
})

describe('container', () => {
  test('what the events tell of a container that is gone', async () => {
    const { text, json, exitCode } = await both('container', 'keyed', '--from', capture('missing-env'))
    assert.equal(exitCode, 1)
    assert.match(text, /created, started, exit code 1/)
    const stories = json['stories'] as { exitCode: number; newest: boolean }[]
    assert.equal(stories.at(-1)?.exitCode, 1)
    assert.equal(stories.filter((s) => s.newest).length, 1)
  })
  test('an engine that the docker command never reached: could not tell, 3, and where it looked', async () => {
    const { text, exitCode } = await both('container', 'good', '--from', capture('engine-down'))
    assert.equal(exitCode, 3)
    assert.match(text, /^\? good: none now; docker reached no engine at\s+unix:\/\/\/run\/no-engine\.sock/)
  })
  test('one that runs', async () => {
    const { text, exitCode } = await both('container', 'good', '--from', capture('healthy'))
    assert.equal(exitCode, 0)
    assert.match(text, /^✓ good: mcpproxy-good-/)
  })
  test('nothing recorded of the engine: 3, and it says so', async () => {
    const small = smallCapture({
      docker_isolation: { enabled: true },
      mcpServers: [{ name: 'time', command: 'uvx', args: ['x'], enabled: true }],
    })
    try {
      const { text, json, exitCode } = await both('container', 'time', '--from', small.folder)
      assert.equal(exitCode, 3)
      assert.match(text, /^\? time/)
      assert.equal(json['eventsComplete'], null)
    } finally {
      small.remove()
    }
  })
})

describe('logs', () => {
  test("the reason is docker's own, not its hint to the help", async () => {
    const { text } = await both('logs', 'good', '--from', capture('engine-down'))
    assert.match(text, /^✗ good: 2 failed attempts; ended before the handshake: docker: Cannot\s+connect/)
  })
  test('both logs as one timeline, in order, with line numbers', async () => {
    const { text, json, exitCode } = await both('logs', 'keyed', '--from', capture('missing-env'))
    assert.equal(exitCode, 1)
    assert.match(text, /server:\d+ +[\d:.]+ INFO +Error: DEMO_API_KEY/)
    const lines = json['lines'] as { at: string; source: string }[]
    assert.ok(lines.some((l) => l.source === 'main') && lines.some((l) => l.source === 'server'))
    assert.deepEqual(
      lines.map((l) => l.at),
      lines.map((l) => l.at).sort(),
    )
    assert.equal(json['attemptsLeftOut'], 1)
  })
  test('--verbose shows all attempts', async () => {
    const { json } = await both('logs', 'keyed', '--from', capture('missing-env'), '--verbose')
    assert.equal(json['attemptsLeftOut'], 0)
  })
})

describe('args', () => {
  const secret = 'hunter2-canary-value'
  const server = {
    name: 'keyed',
    command: 'docker',
    args: ['run', '-i', '--rm', '--name', 'mine', '-e', `API_TOKEN=${secret}`, '-eSHORT=ab', 'node:22', 'node'],
    env: { OTHER: secret },
    enabled: true,
  }
  test('what ran, from the log', async () => {
    const { text, json, exitCode } = await both('args', 'keyed', '--from', capture('missing-env'))
    assert.equal(exitCode, 0)
    assert.match(text, /^ {2}--label com\.mcpproxy\.server=keyed +MCPProxy$/m)
    assert.match(text, /^ {2}--memory 512m +docker_isolation\.memory_limit$/m)
    assert.equal(json['source'], 'log')
  })
  test('no value of a variable, in any form', async () => {
    const small = smallCapture({ mcpServers: [server] })
    try {
      for (const more of [[], ['--shell'], ['--verbose']]) {
        const { text, json, stderr } = await both('args', 'keyed', '--from', small.folder, ...more)
        for (const out of [text, JSON.stringify(json), stderr]) {
          assert.ok(!out.includes(secret), out)
          assert.doesNotMatch(out, /SHORT=ab/)
        }
      }
      const { text, stderr } = await both('args', 'keyed', '--from', small.folder, '--shell')
      assert.equal(text, 'docker run -e OTHER -i --rm --name mine -e API_TOKEN -eSHORT node:22 node\n')
      assert.match(stderr, /export OTHER=…; export API_TOKEN=…; export SHORT=…/)
    } finally {
      small.remove()
    }
  })
  test('without a run of it: what follows from the configuration, and whether the log was looked at', async (t) => {
    const server = { name: 'time', enabled: true, command: 'uvx', args: ['mcp-server-time'] }
    const { run, logs } = smallHome(t, { config: JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: [server] }) })
    const look = async (): Promise<{ text: string; logError: unknown }> => {
      const [text, json] = [await run(['args', 'time']), await run(['args', 'time', '--json'])]
      assert.deepEqual([text.exitCode, json.exitCode], [0, 0])
      assert.equal(errorsBy('steps', JSON.parse(json.stdout)), null)
      return { text: text.stdout.replaceAll(/\s+/g, ' '), logError: (JSON.parse(json.stdout) as { logError: unknown }).logError }
    }
    const without = await look()
    assert.match(without.text, /today's configuration; the log does not tell: There is no main\.log in /)
    assert.match(String(without.logError), /^There is no main\.log in /)
    writeFileSync(join(logs, 'main.log'), '')
    const empty = await look()
    assert.match(empty.text, /today's configuration; no run of it was found in the log/)
    assert.equal(empty.logError, null)
  })
  test('a run by an older MCPProxy is of interest where it would be isolated today as well', async (t) => {
    const fields = { server: 'time', container_name: 'mcpproxy-time-ypwk', docker_run_args: ['run', '--rm', '-i', '--memory', '64m', 'x'] }
    const line = (second: number, message: string, fields: object): string =>
      `2026-10-01T00:00:0${second}.000Z | INFO | x.go:1 | ${message} | ${JSON.stringify(fields)}\n`
    const started = [1, 3].map((second) => line(second, 'Starting mcpproxy', { version: 'v0.60.0' }))
    const log = started.join(line(2, 'Docker isolation setup completed', fields))
    const server = { name: 'time', enabled: true, command: 'uvx', args: ['mcp-server-time'] }
    for (const enabled of [true, false]) {
      const { run, logs } = smallHome(t, { config: JSON.stringify({ docker_isolation: { enabled }, mcpServers: [server] }) })
      writeFileSync(join(logs, 'main.log'), log)
      const { stdout, exitCode } = await run(['args', 'time'])
      assert.equal(exitCode, 0)
      assert.match(stdout, enabled ? /--memory 64m/ : /no docker command\s+uvx mcp-server-time/)
    }
  })
  test('--shell leaves out what is only MCPProxy’s', async () => {
    const { text } = await both('args', 'keyed', '--from', capture('missing-env'), '--shell')
    assert.match(text, /^docker run --rm -i --log-opt/)
    assert.doesNotMatch(text, /com\.mcpproxy|--name|cidfile/)
  })
})

describe('args --diff', () => {
  test('edited and not restarted: the image differs, and nothing else', async () => {
    const { text, json } = await both('args', 'good', '--from', capture('edited-not-restarted'), '--diff')
    assert.match(text, /image\n {2}log +docker\.io\/library\/alpine:3\.18\n {2}configuration +docker\.io\/library\/node:20/)
    assert.deepEqual(
      (json['diff'] as { rows: { what: string }[] }).rows.map((r) => r.what),
      ['image'],
    )
  })
  test('a server that runs: log, configuration and container agree', async () => {
    const { json } = await both('args', 'good', '--from', capture('healthy'), '--diff')
    assert.deepEqual(json['diff'], { rows: [], known: { log: true, config: true, container: true } })
  })
})

test('an unknown server: 2 and the nearest name, in every step', async () => {
  for (const command of ['isolation', 'container', 'logs', 'args']) {
    const r = await runCli([command, 'kyed', '--from', capture('missing-env')])
    assert.equal(r.exitCode, 2)
    assert.match(r.stderr, /Did you mean "keyed"/)
  }
})
