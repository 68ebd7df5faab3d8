/** What goes where, and how the process ends, whatever is found. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import { packageRoot } from '../helpers/package-root.ts'
import { runCli } from '../helpers/run-cli.ts'
import { smallCapture, type SmallCapture } from '../helpers/small-capture.ts'

const config = {
  docker_isolation: { enabled: true },
  mcpServers: [{ name: 'time', command: 'uvx', args: ['mcp-server-time'], enabled: true }],
}
let capture: SmallCapture
before(() => {
  capture = smallCapture(config)
})
after(() => capture.remove())

/** Scripts that a run loaded. */
async function loaded(program: string, ...args: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-coverage-'))
  try {
    await runCli(args, { program, env: { NODE_V8_COVERAGE: folder } })
    return (
      readdirSync(folder)
        .map((f) => readFileSync(join(folder, f), 'utf8'))
        .join('')
        .match(/"url":"[^"]*"/g)
        ?.join('\n') ?? ''
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('start', () => {
  test('--version, without loading anything', async () => {
    const r = await runCli(['--version'])
    assert.match(r.stdout, /^mcpproxy-doctor\/\d+\.\d+\.\d+ \w+-\w+ node-v[\d.]+\n$/)
    assert.equal(r.exitCode, 0)
    const urls = await loaded('bin/run.js', '--version')
    assert.match(urls, /bin\/run\.js/)
    assert.doesNotMatch(urls, /node_modules|bundle\/|dist\//)
  })
  test('a check of a capture loads no docker client, no process runner, no spinner', async () => {
    const urls = await loaded('bin/modules.js', 'check', '--from', capture.folder)
    assert.match(urls, /workflow\/check/)
    assert.doesNotMatch(urls, /node_modules\/(dockerode|docker-modem|execa|ora)\//)
  })
  test('help in all its spellings', async () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const r = await runCli(args)
      assert.equal(r.exitCode, 0)
      assert.match(r.stdout, /COMMANDS[^]*check[^]*container/)
    }
    for (const args of [
      ['check', '--help'],
      ['help', 'check'],
      ['check', '-h'],
    ])
      assert.match((await runCli(args)).stdout, /check \[SERVER\.\.\.\] \[--all\]/)
  })
})

describe('wrong usage is 2, on stderr', () => {
  const cases: [string, string[], RegExp][] = [
    ['an unknown command', ['chekc'], /Did you mean "check"/],
    ['an unknown flag', ['check', '--bogus'], /--bogus/],
    ['a missing argument', ['isolation'], /SERVER|server/],
    ['a flag that is no number', ['check', '--timeout', 'soon'], /timeout/],
    ['names and --all', ['check', 'time', '--all'], /exclude each other/],
    ['a capture and this machine', ['check', '--from', '.', '--api', 'http://x'], /exclude each other/],
    ['no capture', ['check', '--from', '/nonexistent'], /no capture/],
  ]
  for (const [name, args, message] of cases) {
    test(name, async () => {
      const r = await runCli(args)
      assert.equal(r.exitCode, 2)
      assert.equal(r.stdout, '')
      assert.match(r.stderr, message)
      assert.doesNotMatch(r.stderr, /\n\s+at /)
      const json = await runCli([...args, '--json'])
      assert.equal(json.exitCode, 2)
      assert.equal(json.stderr, '')
      const { error } = JSON.parse(json.stdout) as { error: { message: string; suggestions: string[]; exitCode: number } }
      assert.equal(error.exitCode, 2)
      assert.match([error.message, ...error.suggestions].join('\n'), message)
    })
  }
})

describe('a check', () => {
  test('undetermined is 3 and not healthy, the same with --json, which is what the schema says', async () => {
    const text = await runCli(['check', 'time', '--from', capture.folder])
    assert.equal(text.exitCode, 3)
    assert.match(text.stdout, /^\? time: could not tell/)
    assert.equal(text.stderr, '')
    const json = await runCli(['check', 'time', '--from', capture.folder, '--json'])
    assert.equal(json.exitCode, 3)
    assert.equal(json.stderr, '')
    const validate = new Ajv2020({ allowUnionTypes: true, strictRequired: false }).compile(
      JSON.parse(readFileSync(join(packageRoot(), 'schemas/report.schema.json'), 'utf8')) as AnySchemaObject,
    )
    assert.ok(validate(JSON.parse(json.stdout)), JSON.stringify(validate.errors))
  })
  test('a problem is 1, its verdict is the first line', async () => {
    const broken = smallCapture('{ "mcpServers": [], }\n')
    try {
      const r = await runCli(['check', 'time', '--from', broken.folder])
      assert.equal(r.exitCode, 1)
      assert.match(r.stdout, /^✗ time /)
    } finally {
      broken.remove()
    }
  })
  test('colour only where it is wanted', async () => {
    const args = ['check', '--from', capture.folder]
    assert.doesNotMatch((await runCli(args)).stdout, /\u001b/)
    assert.match((await runCli(args, { env: { FORCE_COLOR: '1' } })).stdout, /\u001b\[/)
    assert.doesNotMatch((await runCli(args, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout, /\u001b/)
    assert.doesNotMatch((await runCli([...args, '--no-color'], { env: { FORCE_COLOR: '1' } })).stdout, /\u001b/)
  })
  test('ASCII in a locale that has no more', async () => {
    assert.match((await runCli(['check', '--from', capture.folder], { env: { LANG: 'C' } })).stdout, /^[\n -~]*$/)
  })
})

describe('the end of the process', () => {
  test('a closed pipe is no error', async () => {
    for (const args of [['check', '--from', capture.folder, '--json'], ['check', '--help'], ['--version']]) {
      const r = await runCli(args, { closedPipe: true })
      assert.doesNotMatch(r.stderr, /EPIPE|Error/)
      assert.notEqual(r.exitCode, 4)
    }
  })
  test('our own failure is 4, with a stack and a word on where to report it', async () => {
    const breaks = 'process.stdout.write = () => { throw new Error("the sky fell") }'
    const r = await runCli(['check', '--from', capture.folder], {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(breaks)}` },
    })
    assert.equal(r.exitCode, 4)
    assert.equal(r.stdout, '')
    assert.match(r.stderr, /itself failed: the sky fell[^]*\n\s+at [^]*report/)
  })
  test('the end of the terminal is 129, at once and without a word', { skip: process.platform === 'win32' }, async () => {
    // Accepts and never answers.
    const open = new Set<Socket>()
    let asked: () => void = () => undefined
    const when = new Promise<void>((resolve) => (asked = resolve))
    const server = createServer((socket) => {
      open.add(socket.on('error', () => undefined))
      asked()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      const r = await runCli(
        [
          'check',
          '--config',
          capture.config,
          '--api',
          `http://127.0.0.1:${port}`,
          '--docker-host',
          `tcp://127.0.0.1:${port}`,
          '--timeout',
          '60',
        ],
        { signal: { name: 'SIGHUP', when } },
      )
      assert.equal(r.exitCode, 129)
      assert.equal(r.stdout, '')
      assert.equal(r.stderr, '')
    } finally {
      for (const socket of open) socket.destroy()
      server.close()
    }
  })
})
