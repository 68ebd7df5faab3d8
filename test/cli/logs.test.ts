/** `logs` line by line: which lines, in which order, and an end when nobody reads any more. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, copyFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { packageRoot } from '../helpers/package-root.ts'
import { shipped } from '../helpers/run-cli.ts'
import { smallHome, type SmallHome } from '../helpers/small-home.ts'

const config = JSON.stringify({
  mcpServers: ['time', 'other'].map((name) => ({
    name,
    command: 'uvx',
    args: ['x'],
    env: { TOKEN: 'correct-horse-battery' },
    enabled: true,
  })),
})
const at = (minute: number, second = 0): string => new Date(Date.UTC(2026, 10, 22, 10, minute, second)).toISOString().replace('Z', '+02:00')
const line = (time: string, level: string, message: string, server: string | null = 'time', more = ''): string =>
  `${time} | ${level} | core/x.go:1 | ${message}${server === null ? '' : ` | {"server": "${server}"${more}}`}`

function home(t: TestContext): SmallHome {
  const made = smallHome(t, { config })
  writeFileSync(
    join(made.logs, 'main-2026-11-22T08-02-00.000.log.gz'),
    gzipSync([line(at(0), 'INFO', 'oldest'), line(at(1), 'WARN', 'second', 'other'), ''].join('\n')),
  )
  writeFileSync(
    join(made.logs, 'main.log'),
    [
      line(at(3), 'INFO', 'Health check FAILED'),
      line(at(4), 'ERROR', 'about another', 'other'),
      line(at(5), 'INFO', 'it only names "time" [here]', 'other'),
      line(at(6), 'ERROR', 'last of main', 'time', ', "token": "abcd1234efgh"'),
      `${at(7)} | INFO | core/x.go:1 | half a li`,
    ].join('\r\n'),
  )
  writeFileSync(
    join(made.logs, 'server-time.log'),
    `${[line(at(2), 'DEBUG', 'own début'), '  a line that goes on', line(at(3, 30), 'INFO', 'said correct-horse-battery \u001b[31mred')].join('\n')}\n`,
  )
  writeFileSync(join(made.logs, 'server-other.log'), `${line(at(2), 'INFO', 'of the other', 'other')}\n`)
  return made
}

/** The message of each line. */
const told = (stdout: string): string[] =>
  stdout
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => l.replace(/^(\S+) +/, '$1 ').replace(/^(\S+) 2026\S+ \| \w+ \| \S+ \| ([^|]*?)(?: \|.*)?$/, '$1 $2'))

const everything = [
  'main oldest',
  'server own début',
  'server a line that goes on',
  'main Health check FAILED',
  'server said •••• red',
  'main last of main',
]

test('all logs of a server by time, also rotated and packed; no secrets, no controls', async (t) => {
  const { stdout, exitCode } = await home(t).run(['logs', 'time', '--all'])
  assert.deepEqual(told(stdout), everything)
  assert.equal(exitCode, 0)
  assert.doesNotMatch(stdout, /correct-horse|abcd1234|\u001b|\r/)
})

test('--since, --until, --level, --grep and --tail choose among them', async (t) => {
  const { run } = home(t)
  const lines = async (...args: string[]): Promise<string[]> => told((await run(['logs', 'time', ...args])).stdout)
  assert.deepEqual(await lines('--since', '2026-11-22T10:03:30'), everything.slice(4))
  assert.deepEqual(await lines('--since', '2026-11-22T08:03:30Z'), everything.slice(4))
  assert.deepEqual(await lines('--until', '2026-11-22 10:02', '--level', 'info'), ['main oldest'])
  assert.deepEqual(await lines('--since', '2026-11-22T10:03', '--until', '2026-11-22T10:03'), ['main Health check FAILED'])
  assert.deepEqual(await lines('--level', 'warn'), ['main last of main'])
  assert.deepEqual(await lines('--grep', 'HEALTH CHECK failed'), ['main Health check FAILED'])
  assert.deepEqual(await lines('--grep', 'OWN DÉBUT'), ['server own début'])
  assert.deepEqual(await lines('--tail', '2'), everything.slice(-2))
  assert.deepEqual(await lines('--tail', '6'), (await lines('--all')).slice(-6))
  assert.deepEqual(await lines('--tail', '0'), [])
  assert.deepEqual(await lines('--tail', '1', '--grep', 'oldest'), ['main oldest'])
  assert.deepEqual(await lines('--since', '1m'), [])
})

test('all servers: every log by its name', async (t) => {
  const { run } = home(t)
  const { stdout } = await run(['logs', '--all'])
  assert.equal(told(stdout).length, 11)
  assert.ok(told(stdout).includes('server-other of the other'))
  assert.deepEqual(told((await run(['logs', '--grep', 'other'])).stdout), [
    'main second',
    'server-other of the other',
    'main about another',
    'main it only names "time" [here]',
  ])
})

test('JSON: one object per line, secrets out', async (t) => {
  const { run } = home(t)
  const { stdout } = await run(['logs', 'time', '--format', 'json'])
  assert.equal((await run(['logs', 'time', '--all', '--json'])).stdout, stdout)
  const all = stdout
    .trimEnd()
    .split('\n')
    .map((l) => JSON.parse(l) as Record<string, unknown>)
  assert.deepEqual(all[3], {
    time: '2026-11-22T08:03:00.000Z',
    level: 'INFO',
    log: 'main',
    server: 'time',
    message: 'Health check FAILED',
    fields: { server: 'time' },
  })
  assert.doesNotMatch(stdout, /correct-horse|abcd1234/)
})

test('the JSON form of the log beside the text form', async (t) => {
  const { run, logs } = home(t)
  appendFileSync(
    join(logs, 'server-time.log'),
    '{"level":"warn","ts":"2026-11-22T10:04:00+02:00","caller":"x.go:1","msg":"as { JSON","server":"time"}\n{"level":"info","ts":"2026-11-22T10:04:01+02:00","msg":"not its own","server":"other"}\n',
  )
  const { stdout } = await run(['logs', 'time', '--level', 'warn'])
  assert.match(stdout, /as \{ JSON[^]*last of main/)
  assert.equal(stdout.split('\n').length, 3)
})

test('a damaged rotation: what comes before the damage, a note, and 3', async (t) => {
  const { run, logs } = home(t)
  const whole = gzipSync(Array.from({ length: 50_000 }, (_, i) => line(at(0), 'INFO', `number ${i} ${Math.sin(i)}`)).join('\n'))
  writeFileSync(join(logs, 'main-2026-11-22T08-01-00.000.log.gz'), whole.subarray(0, whole.length - 1000))
  const { stdout, stderr, exitCode } = await run(['logs', 'time', '--all'])
  assert.match(stdout, /number 1 /)
  assert.match(stdout, /last of main/)
  assert.match(stderr, /08-01-00\.000\.log\.gz: only the first \d+ bytes could be read/)
  assert.equal(exitCode, 3)
})

test('wrong usage', async (t) => {
  const { run } = home(t)
  for (const args of [
    ['logs'],
    ['logs', 'tmie', '--all'],
    ['logs', 'time', '--since', 'yesterday'],
    ['logs', '--tail', '3'],
    ['logs', 'time', '--since', '2026-02-30'],
  ]) {
    const { exitCode, stdout } = await run(args)
    assert.deepEqual([exitCode, stdout], [2, ''], args.join(' '))
  }
  assert.match((await run(['logs', 'tmie', '--all'])).stderr, /Did you mean "time"/)
})

// ---- while it is written, and while somebody reads ---------------------------------

function start(t: TestContext, { folder, config, logs }: SmallHome, args: string[]) {
  const program = join(packageRoot(), shipped ? 'bin/run.js' : 'bin/modules.js')
  const nowhere = `unix://${join(folder, 'nowhere.sock')}`
  const child = spawn(
    process.execPath,
    [program, 'logs', ...args, '--config', config, '--log-dir', logs, '--data-dir', join(folder, '.mcpproxy'), '--api', nowhere],
    { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, DOCKER_HOST: nowhere, NO_COLOR: '1' }, stdio: 'pipe' },
  )
  t.after(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)))
  const until = async (text: string): Promise<void> => {
    while (!output.stdout.includes(text)) {
      if (child.exitCode !== null) throw new Error(`It ended: ${output.stderr}`)
      await new Promise((resolve) => child.stdout.once('data', resolve))
    }
  }
  return { child, output, ended, until }
}

test('--follow: what comes, also after a rotation and after the file was emptied; Ctrl-C is its end', { timeout: 60_000 }, async (t) => {
  const made = home(t)
  const main = join(made.logs, 'main.log')
  const { child, output, ended, until } = start(t, made, ['time', '--follow'])
  await until('last of main')
  appendFileSync(main, `ne\n${line(at(10), 'INFO', 'appended')}\n${line(at(10), 'INFO', 'not its own', 'other')}\n`)
  await until('appended')
  appendFileSync(main, `${line(at(11), 'INFO', 'just before')}\n`)
  renameSync(main, join(made.logs, 'main-2026-11-22T08-12-00.000.log'))
  writeFileSync(main, `${line(at(12), 'INFO', 'after the rotation')}\n`)
  await until('after the rotation')
  copyFileSync(main, `${main}.1`)
  truncateSync(main, 0)
  appendFileSync(main, `${Array.from({ length: 20 }, (_, i) => line(at(13, i), 'INFO', `emptied ${i}`)).join('\n')}\n`)
  await until('emptied 19')
  appendFileSync(join(made.logs, 'server-time.log'), `${line(at(14), 'INFO', 'of the server itself')}\n`)
  await until('of the server itself')
  child.kill('SIGINT')
  assert.equal(await ended, 0)
  const seen = told(output.stdout).slice(everything.length)
  assert.deepEqual(seen, [
    'main appended',
    'main just before',
    'main after the rotation',
    ...Array.from({ length: 20 }, (_, i) => `main emptied ${i}`),
    'server of the server itself',
  ])
})

test('output begins before the input ends, and a reader that has enough ends it, without a word', { timeout: 60_000 }, async (t) => {
  const made = home(t)
  const long = Array.from({ length: 400_000 }, (_, i) => line(at(8), 'INFO', `number ${i} of many`)).join('\n')
  writeFileSync(join(made.logs, 'main.log'), `${long}\n`)
  const { child, output, ended, until } = start(t, made, ['time', '--all'])
  await until('oldest')
  child.stdout.destroy()
  assert.equal(await ended, 0)
  assert.doesNotMatch(output.stderr, /EPIPE|rror/)
})
