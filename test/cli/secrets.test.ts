/** Planted values in every place of a configuration and its logs: no command prints one of them. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { smallHome } from '../helpers/small-home.ts'

/** As different as passwords are; none has the form of a known token. */
const value = (n: number): string => `Kw${n}zQx7Lv${n}Pd`
const planted = Array.from({ length: 36 }, (_, n) => value(n))

/** Two are parts of a password, and a server says the whole of it. */
const said = planted.map((v, n) => (n === 22 ? `${v}/with-slash` : n === 23 ? `p@${v}` : v))

const servers = [
  {
    name: 'nested',
    command: 'sh',
    args: [
      '-c',
      `Api=${value(0)} docker run -it --rm -e P=${value(1)} -ec=${value(2)} --env=B=${value(3)} --env "D=${value(4)}" mcp/everything`,
    ],
  },
  { name: 'line', command: `npx -y foo --token ${value(5)} --key=${value(6)} -H "X-Key: ${value(7)}"`, args: [] },
  {
    name: 'own',
    command: 'docker',
    args: [
      'run',
      '-it',
      '-e',
      `C=${value(8)}`,
      `-eE=${value(9)}`,
      `--env=F=${value(10)}`,
      '--env',
      `G=${value(11)}`,
      'mcp/everything',
      '--pass',
      value(12),
      `--pat=${value(13)}`,
      '-u',
      `alice:${value(14)}`,
      '--header',
      `Authorization: Token ${value(15)}`,
      '--header',
      `X-Auth: ${value(16)}`,
      `-HX-Other: ${value(17)}`,
      `--header=Customer: ${value(18)}`,
      '-H',
      `Cookie: a=${value(19)}; b=${value(20)}`,
    ],
  },
  {
    name: 'isolated',
    command: 'npx',
    args: [
      '-y',
      'mcp-remote',
      `https://mcp.tavily.com/mcp/?tavilyApiKey=${value(21)}`,
      `postgres://u:${value(22)}/with-slash@h/db`,
      `https://u:p@${value(23)}@h/db`,
      '--auth',
      value(24),
      '--dbPassword',
      value(25),
      `{"secret":"${value(26)}"}`,
      `X-Api-Key: ${value(27)}`,
      '--credential',
      value(28),
      '--bearer',
      value(29),
      `https://h/?sig=${value(30)}&userpass=${value(31)}`,
    ],
    env: { PLAIN: value(32), AUTH_HEADER: `Bearer ${value(33)}` },
    isolation: { enabled: true, extra_args: ['-e', `H=${value(34)}`, `--env=I=${value(35)}`] },
  },
].map((s) => ({ ...s, enabled: true, protocol: 'stdio' }))

const at = '2026-11-23T16:32:09.661Z | INFO | core/connection_stdio.go:150'
const logged = (server: string): string =>
  [
    `${at} | Starting connection attempt | ${JSON.stringify({ server, transport: 'stdio', command: 'docker', protocol: 'stdio' })}`,
    ...said.map((v) => `${at} | stderr | ${JSON.stringify({ server, message: `Error: ${v} was refused` })}`),
    `${at.replace('INFO', 'ERROR')} | Connection failed | ${JSON.stringify({ server, transport: 'stdio', error: `transport error: server process exited; recent stderr:\n  | ${said.join(' ')}` })}`,
    '',
  ].join('\n')
const setup = (server: string): string =>
  `${at} | Docker isolation setup completed | ${JSON.stringify({
    server,
    runtime_type: 'npx',
    container_name: `mcpproxy-${server}-9u5m`,
    container_command: 'npx',
    container_args: servers[3]?.args,
    docker_run_args: ['run', '--rm', '-i', '--name', `mcpproxy-${server}-9u5m`, ...(servers[3]?.isolation?.extra_args ?? []), 'node:22'],
  })}\n`

const engine = existsSync('/var/run/docker.sock') ? 'unix:///var/run/docker.sock' : null

for (const layout of ['a line for each server', 'indented', 'one line'])
  test(`no command prints a planted value: ${layout}`, async (t) => {
    const whole = { docker_isolation: { enabled: true }, mcpServers: servers }
    const config =
      layout === 'indented'
        ? JSON.stringify(whole, null, 2)
        : layout === 'one line'
          ? JSON.stringify(whole)
          : `{ "docker_isolation": { "enabled": true }, "mcpServers": [\n${servers.map((s) => JSON.stringify(s)).join(',\n')}\n] }\n`
    for (const v of planted) assert.ok(config.includes(v), v)
    const home = smallHome(t, { config })
    for (const { name } of servers) writeFileSync(join(home.logs, `server-${name}.log`), logged(name))
    writeFileSync(join(home.logs, 'main.log'), setup('isolated'))
    const ofServer = [
      ['args'],
      ['args', '--json'],
      ['args', '--shell'],
      ['args', '--diff'],
      ['isolation'],
      ['isolation', '--json'],
      ['logs'],
    ]
    ofServer.push(['logs', '--json'], ['container'], ['fix'], ['fix', '--json'])
    const runs = [
      ['check', '--all', '--no-replay', '--verbose'],
      ['check', '--all', '--no-replay', '--json'],
      // The shape of the file matters only to what shows the file.
      ...servers.flatMap(({ name }) =>
        ofServer.filter(([c]) => layout === 'indented' || c === 'fix').map(([command = '', ...flags]) => [command, name, ...flags]),
      ),
    ]
    for (const args of runs) {
      const { stdout, stderr, exitCode } = await home.run(args)
      assert.ok(exitCode === 0 || exitCode === 1 || exitCode === 3, `${args.join(' ')}: ${stderr}`)
      assert.ok(stdout.length > 20 || args.includes('--shell'), `${args.join(' ')} prints something`)
      for (const v of planted) {
        const found = (stdout + stderr).replaceAll(/\s+/g, ' ').indexOf(v)
        assert.ok(found < 0, `${args.join(' ')}: ${(stdout + stderr).replaceAll(/\s+/g, ' ').slice(Math.max(0, found - 80), found + 40)}`)
      }
    }
  })

test('replay prints no planted value', { skip: engine === null ? 'no Docker engine' : false }, async (t) => {
  const home = smallHome(t, { config: JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: servers }), engine: engine ?? '' })
  for (const { name } of servers.filter((s) => s.name === 'own' || s.name === 'isolated')) {
    const { stdout, stderr } = await home.run(['replay', name, '--json', '--replay-time', '20'])
    assert.match(stdout, /"verdict"|"error"/)
    for (const v of planted) assert.ok(!(stdout + stderr).includes(v), v)
  }
})
