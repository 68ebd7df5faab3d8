/** No secret reaches an output: forty kinds in every place of a recording, through every command and format, also with DEBUG=*. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { formats } from '../src/lib/report/formats.ts'
import { cliProcess, type CliProcess } from './helpers/cli-process.ts'
import { packageRoot } from './helpers/package-root.ts'
import { findSecrets, plant } from './helpers/planted-folder.ts'
import { uncleanPart } from './helpers/terminal-scanner.ts'

const scratch = mkdtempSync(join(tmpdir(), 'doctor-canary-'))
let cli: CliProcess
before(async () => {
  cli = await cliProcess({ HOME: scratch, DEBUG: '*', NO_COLOR: '1', DOCKER_HOST: `unix://${scratch}/nowhere.sock` }, scratch)
})
after(() => {
  cli.end()
  rmSync(scratch, { recursive: true, force: true })
})

const recordings = join(packageRoot(), 'test/captures')

/** Every way to look at a recording, and then what changes its configuration: `live` takes it for this machine. */
function commandsFor(recording: string, folder: string, server: string): string[][] {
  const from = ['--from', folder, '--verbose']
  const config = join(folder, 'home/.mcpproxy/mcp_config.json')
  const logs = join(folder, 'home/.local/state/mcpproxy/logs')
  const live = ['--config', config, '--log-dir', logs, '--data-dir', join(folder, 'data'), '--api', join(scratch, 'nowhere.sock')]
  const briefly = ['--wait', '1', '--stable', '0', ...live]
  const outputs = formats.filter((f) => f !== 'text').map((f) => `--output=${f}=${join(folder, `out.${f}`)}`)
  return [
    ['check', server, ...from],
    ['check', server, ...from, '--json', ...outputs],
    ...['isolation', 'container', 'logs', 'args', 'fix', 'replay'].flatMap((c) => [
      [c, server, ...from],
      [c, server, ...from, '--json'],
    ]),
    ['args', server, ...from, '--shell'],
    ['args', server, ...from, '--diff'],
    ['args', server, ...from, '--diff', '--json'],
    ['lint', config, '--verbose', ...outputs.map((o) => o.replace('out.', 'lint.'))],
    ['lint', config, '--json'],
    ['lint', config, '--diff'],
    ['explain', '--file', join(logs, `server-${server}.log`)],
    ['explain', '--file', join(logs, 'main.log'), '--json'],
    ['logs', server, ...from, '--all'],
    ['logs', server, ...from, '--all', '--format', 'json'],
    ['logs', server, ...live, '--tail', '200', '--level', 'info'],
    ['logs', '--all', ...from],
    ['logs', '--grep', 'e', ...from, '--json'],
    ['diff', join(recordings, recording), folder],
    ['diff', folder, join(recordings, recording), '--format', 'json'],
    ['bundle', server, ...from, '--yes', '-o', join(folder, 'bundle.tgz')],
    ['bundle', server, ...from, '--yes', '-o', join(folder, 'bundle'), '--json', '--keep-paths'],
    ['watch', server, ...live],
    ['fix', server, '--apply', '--yes', ...briefly],
    ['fix', server, '--undo', '--yes', '--json', ...briefly],
    ['reload', server, '--yes', ...briefly],
    ['reload', '--all', '--yes', '--json', ...briefly],
  ]
}

const everything = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name))

/** `lines`: of logs. The first through every command, those that differ in what they show through the commands that show it. */
const chosen: [string, RegExp][] = [
  ['0.60.0-missing-env', /./],
  ['0.60.0-tty-flag', /^(?:check|logs|args|fix)$/],
  ['0.60.0-edited-not-restarted', /^(?:check|args|isolation|diff)$/],
  ['0.60.0-config-comments', /^(?:check|lint|fix|bundle)$/],
  ['0.60.0-image-not-found', /^(?:check|logs|container)$/],
  ['0.45.0-out-of-memory', /^(?:check|logs)$/],
]

for (const [name, commands] of chosen)
  describe(`planted in ${name}`, () => {
    const folder = join(scratch, name)
    const { server } = JSON.parse(readFileSync(join(recordings, name, 'scenario.json'), 'utf8')) as { server: string }
    mkdirSync(folder)
    cpSync(join(recordings, name), folder, { recursive: true })
    const planted = plant(folder, server)
    const config = 'home/.mcpproxy/mcp_config.json'
    cpSync(join(recordings, name, config), join(folder, `${config}.doctor-20261124-101500`))
    const secretsIn = findSecrets(planted)

    test('every place holds its values', () => {
      const text = everything(folder)
        .map((f) => readFileSync(f, 'utf8'))
        .join('\n')
      const found = secretsIn(text)
      assert.ok(found.length >= planted.length * 0.75, `${found.length} of ${planted.length}`)
    })

    test('no command prints one', async () => {
      const leaks: string[] = []
      for (const args of commandsFor(name, folder, server)) {
        if (!commands.test(args.some((a) => /^--(?:all|grep|tail)$/.test(a)) ? 'lines' : (args[0] ?? ''))) continue
        const { stdout, stderr, exitCode } = await cli.run(args)
        assert.ok(
          /^(?:fix|replay)$/.test(args[0] ?? '') ? exitCode < 4 : [0, 1, 3].includes(exitCode),
          `${args.join(' ')}: ${stdout.slice(0, 500)}`,
        )
        for (const hit of secretsIn(`${stdout}\n${stderr}`)) leaks.push(`${args.filter((a) => !a.includes(folder)).join(' ')}: ${hit}`)
        assert.equal(uncleanPart(stdout), null, args.join(' '))
      }
      const written = everything(folder).filter((f) => /^(?:(?:out|lint)\.|bundle)/.test(f.slice(folder.length + 1)))
      assert.ok(written.length >= formats.length - 1)
      for (const file of written) {
        const bytes = readFileSync(file)
        const text = (file.endsWith('.tgz') ? gunzipSync(bytes) : bytes).toString('utf8')
        for (const hit of secretsIn(text)) leaks.push(`${file.slice(folder.length)}: ${hit}`)
      }
      assert.deepEqual(leaks, [])
    })
  })
