/** Names that are paths, options, commands or orders to somebody: they reach none of them. Real files lie where they would lead. */
import assert from 'node:assert/strict'
import { existsSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { cliProcess, type CliProcess } from '../helpers/cli-process.ts'
import { createFiles } from '../../src/lib/system/files.ts'
import { uncleanPart } from '../helpers/terminal-scanner.ts'

const planted = 'PLANTED where a name would lead'
const names = [
  ...['../../etc/x', '..', '--help', '--config=/etc/passwd', '-o', '$(touch pwned)', '`touch pwned`', "'; touch pwned; '"],
  ...[
    'a\u001b]0;x\u0007',
    '::error::x',
    '%0A::stop-commands::x',
    '\u202egpj.exe',
    'a\rb',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert)',
    '__proto__',
  ],
]
const folder = mkdtempSync(join(tmpdir(), 'doctor-names-'))
const logs = join(folder, 'state/logs')
const config = join(folder, 'state/data/mcp_config.json')
const at = '2026-11-23T16:32:09.661Z | INFO | core/connection.go:1'

let cli: CliProcess
before(async () => {
  for (const sub of [logs, dirname(config), join(folder, 'etc'), join(folder, 'state/etc')]) mkdirSync(sub, { recursive: true })
  for (const place of ['etc/x', 'etc/x.log', 'state/etc/x', 'state/etc/x.log', 'state/logs/x.log', 'state/x.log'])
    writeFileSync(join(folder, place), `${at} | stderr | ${JSON.stringify({ server: '../../etc/x', message: planted })}\n`)
  writeFileSync(
    config,
    JSON.stringify({
      docker_isolation: { enabled: true, default_images: { npx: 'evil/--rm\u001b]0;x\u0007:$(id)' } },
      mcpServers: names.map((name) => ({
        ...{ name, command: 'npx', args: ['$(touch pwned)', '--privileged', '\u001b[2J'], enabled: true },
        isolation: { enabled: true, image: `../${name}` },
      })),
    }),
  )
  writeFileSync(
    join(logs, 'main.log'),
    names
      .map(
        (server) =>
          `${at} | Docker isolation setup completed | ${JSON.stringify({ server, docker_run_args: ['run', '--name', server, `../${server}`], container_command: server })}`,
      )
      .join('\n'),
  )
  cli = await cliProcess({ HOME: folder, NO_COLOR: '1', DOCKER_HOST: `unix://${folder}/nowhere.sock` }, folder)
})
after(() => {
  cli.end()
  rmSync(folder, { recursive: true, force: true })
})

const all = (): string[] => readdirSync(folder, { recursive: true }).map(String).sort()
const places = (): string[] => [
  '--config',
  config,
  '--log-dir',
  logs,
  '--data-dir',
  dirname(config),
  '--api',
  `unix://${folder}/nowhere.sock`,
]

for (const name of names)
  test(`a server that is called ${JSON.stringify(name)}`, async () => {
    const before = all()
    for (const command of [
      ['check', '--no-replay'],
      ['check', '--no-replay', '--json'],
      ['check', '--no-replay', '--format=github'],
      ['check', '--no-replay', '--format=markdown'],
      ['isolation'],
      ['container'],
      ['logs'],
      ['args'],
      ['args', '--shell'],
      ['fix'],
    ]) {
      const { stdout, stderr, exitCode } = await cli.run([...command, ...places(), '--', name])
      assert.ok([0, 1, 3].includes(exitCode), `${command.join(' ')}: ${exitCode} ${stderr}`)
      assert.ok(!(stdout + stderr).includes(planted), command.join(' '))
      assert.equal(uncleanPart(stdout + stderr), null, command.join(' '))
      if (command.includes('--format=github'))
        for (const line of stdout.split('\n'))
          assert.match(line, /^$|^::(?:error|warning|notice) (?:file|title)=|^::(?:end)?group::|^[^:]/, line)
    }
    assert.deepEqual(all(), before, 'nothing was written')
  })

test(
  'a link of another user in the folder of the logs is not followed',
  { skip: process.getuid?.() === 0 ? false : 'only root can make one' },
  async () => {
    const [secret, link, own] = [join(folder, 'secret'), join(logs, 'server-link.log'), join(logs, 'server-own.log')]
    writeFileSync(secret, 'of root')
    symlinkSync(secret, link)
    lchownSync(link, 4242, 4242)
    symlinkSync(secret, own)
    assert.ok(existsSync(link))
    const files = createFiles()
    for (const answer of [await files.read(link, 100), await files.open(link)]) {
      assert.ok(!answer.ok && answer.error.kind === 'denied')
      assert.match(answer.error.message, /link of another user/)
    }
    const followed = await files.read(own, 100)
    assert.ok(followed.ok && followed.value?.toString() === 'of root')
    await files.close()
  },
)
