/** Ctrl-C while it looks: what is known so far is told, and marked as what it is. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { packageRoot } from '../helpers/package-root.ts'
import { shipped } from '../helpers/run-cli.ts'
import { smallHome, type SmallHome } from '../helpers/small-home.ts'
import { errorsBy, validReport } from '../helpers/valid-report.ts'

const skip = process.platform === 'win32'
const healthy = join(packageRoot(), 'test/captures/0.60.0-healthy/docker')

interface SlowEngine {
  host: string
  /** The first request that is never answered has come. */
  asked: Promise<unknown>
}

/** Answers as recorded, but for requests like `silent`, which it never answers. */
async function slowEngine(t: TestContext, folder: string, silent: RegExp, answers: Record<string, unknown> = {}): Promise<SlowEngine> {
  const recorded = (name: string): string => readFileSync(join(healthy, name), 'utf8')
  let hangs: () => void = () => undefined
  const asked = new Promise<void>((resolve) => (hangs = resolve))
  const json = (response: ServerResponse, status: number, text: string): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '')
    if (silent.test(`${request.method} ${path}`)) return hangs()
    const own = Object.entries(answers).find(([start]) => `${request.method} ${path}`.startsWith(start))
    if (own) return json(response, 200, JSON.stringify(own[1]))
    if (path.startsWith('/version')) return json(response, 200, recorded('version.json'))
    if (path.startsWith('/info')) return json(response, 200, recorded('info.json'))
    if (path.startsWith('/events')) return json(response, 200, '')
    if (path.startsWith('/containers/json') || path.startsWith('/networks') || path.startsWith('/images/json'))
      return json(response, 200, '[]')
    json(response, 404, '{"message":"no such thing"}')
  })
  const place = join(folder, 'engine.sock')
  server.listen(place)
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { host: `unix://${place}`, asked }
}

interface Ended {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** Milliseconds from the signal to the end. */
  ms: number
}

/** Runs it until the engine keeps it waiting, and sends the signals one after the other, `gapMs` apart. */
async function stopped(
  home: SmallHome,
  engine: SlowEngine,
  args: readonly string[],
  signals: readonly NodeJS.Signals[] = ['SIGINT'],
  gapMs = 400,
): Promise<Ended> {
  const places = ['--config', home.config, '--log-dir', home.logs, '--api', `unix://${home.folder}/nowhere.sock`]
  const child = spawn(
    process.execPath,
    [join(packageRoot(), shipped ? 'bin/run.js' : 'bin/modules.js'), ...args, ...places, '--docker-host', engine.host, '--timeout', '60'],
    {
      cwd: home.folder,
      env: { PATH: process.env['PATH'], HOME: home.folder, LANG: 'C.UTF-8', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended: Ended = { exitCode: null, signal: null, stdout: '', stderr: '', ms: 0 }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.stderr += text))
  const over = once(child, 'close')
  await Promise.race([engine.asked, over.then(() => assert.fail(`it ended before: ${ended.stdout}${ended.stderr}`))])
  const began = Date.now()
  for (const [i, signal] of signals.entries()) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, gapMs))
    child.kill(signal)
  }
  const [exitCode, signal] = (await over) as [number | null, NodeJS.Signals | null]
  return { ...ended, exitCode, signal, ms: Date.now() - began }
}

const everything = /./
/** Milliseconds from the signal to the end, on a machine that does other things as well; without the signal it would wait a minute. */
const longest = 20_000

describe('check', { skip, concurrency: 2 }, () => {
  test('while the engine is silent: what the files tell, and what was not looked at', async (t) => {
    const home = smallHome(t, { capture: '0.60.0-tty-flag' })
    const r = await stopped(home, await slowEngine(t, home.folder, everything), ['check', 'everything'])
    assert.equal(r.exitCode, 130)
    assert.match(r.stdout, /^Interrupted\. Not looked at, or not to the end: [^]*the engine/)
    assert.match(r.stdout, /✗ everything does not work/)
    assert.match(r.stdout, /2 container +\? +Not looked at, because interrupted/)
    assert.equal(r.stderr, '')
    assert.ok(r.ms < longest, `${r.ms} ms`)
  })
  test('SIGTERM, as JSON: valid, with what was not looked at, and each rule that could not decide', async (t) => {
    const home = smallHome(t, { capture: '0.60.0-healthy' })
    const r = await stopped(home, await slowEngine(t, home.folder, everything), ['check', 'good', '--json'], ['SIGTERM'])
    assert.equal(r.exitCode, 143)
    const report = validReport(r.stdout)
    assert.notEqual(report.verdict, 'healthy')
    assert.ok(report.interrupted?.notLooked.includes('the containers'))
    const [server] = report.servers
    assert.ok(server)
    assert.notEqual(server.verdict, 'healthy')
    assert.ok(server.undetermined.some((u) => u.error.kind === 'interrupted' && u.source === 'engine'))
    assert.equal(report.engine.reachable, null, 'nobody knows whether it answers')
    assert.deepEqual(
      server?.findings.filter((f) => f.code.startsWith('engine-')),
      [],
    )
  })
  test('of several servers those that are done are told as ever, the others as not looked at', async (t) => {
    const isolation = (image: string) => ({ isolation: { image, extra_args: ['-t'] }, enabled: true })
    const config = {
      docker_isolation: { enabled: true },
      mcpServers: [
        { name: 'done', command: 'uvx', args: ['a'], ...isolation('there:1') },
        { name: 'open', command: 'uvx', args: ['a'], enabled: true, isolation: { image: 'silent:1' } },
      ],
    }
    const home = smallHome(t, { config: JSON.stringify(config) })
    const engine = await slowEngine(t, home.folder, /GET \/images\/\S*silent/)
    const report = validReport((await stopped(home, engine, ['check', '--all', '--json', '--no-replay'])).stdout)
    assert.deepEqual(report.interrupted?.notLooked, ['image docker.io/library/silent:1'])
    const [done, open] = report.servers
    assert.equal(done?.findings[0]?.code, 'tty-flag')
    assert.ok(!done.undetermined.some((u) => u.error.kind === 'interrupted'))
    assert.equal(open?.verdict, 'undetermined')
    assert.equal(open.summary, 'interrupted before all of it was looked at')
  })
})

describe('a second one', { skip, concurrency: 2 }, () => {
  // A container of its own, which it wants to remove before it ends, keeps it.
  const kept = (t: TestContext, home: SmallHome): Promise<SlowEngine> =>
    slowEngine(t, home.folder, /GET \/containers\/\w+\/export|DELETE/, {
      'GET /images/docker.io/library/python': { Id: 'sha256:1', Config: {} },
      'POST /containers/create': { Id: 'abc', Warnings: [] },
    })
  const args = ['check', 'time', '--no-replay']
  test('in the same moment is the first one; the formats for CI call it no success', async (t) => {
    const home = smallHome(t, { capture: '0.60.0-image-without-uvx' })
    const out = ['junit', 'sarif', 'github', 'markdown'].flatMap((f) => ['--output', `${f}=${f}.txt`])
    const r = await stopped(home, await kept(t, home), [...args, ...out], ['SIGINT', 'SIGINT'], 20)
    assert.equal(r.exitCode, 130)
    assert.match(r.stdout, /^Interrupted\. [^]*the\s+programs\s+of\s+image\s+docker\.io\/library\/python:3\.11/)
    assert.ok(r.ms < longest, `${r.ms} ms`)
    const text = (name: string): string => readFileSync(join(home.folder, `${name}.txt`), 'utf8')
    assert.match(text('junit'), /<error type="interrupted" message="Interrupted\./)
    assert.match(text('sarif'), /"executionSuccessful": false/)
    assert.match(text('github'), /^::notice::Interrupted\./m)
    assert.match(text('markdown'), /^- Interrupted\./m)
  })
  test('ends it at once', async (t) => {
    const home = smallHome(t, { capture: '0.60.0-image-without-uvx' })
    const r = await stopped(home, await kept(t, home), args, ['SIGINT', 'SIGINT'], 400)
    assert.deepEqual([r.exitCode, r.signal], [null, 'SIGINT'])
    assert.equal(r.stdout, '')
  })
})

describe('the other commands', { skip, concurrency: 2 }, () => {
  test('bundle leaves nothing, also not under another name', async (t) => {
    const home = smallHome(t, { capture: '0.60.0-healthy' })
    const before = readdirSync(home.folder)
    const r = await stopped(home, await slowEngine(t, home.folder, everything), ['bundle', 'good', '-o', 'out.tgz'])
    assert.equal(r.exitCode, 130)
    assert.equal(r.stdout, '')
    assert.match(r.stderr, /Interrupted: nothing was written/)
    assert.deepEqual(
      readdirSync(home.folder).filter((n) => n !== 'engine.sock'),
      before,
    )
  })
  test('replay --all, container and logs tell what they know', async (t) => {
    const home = smallHome(t, { capture: '0.60.0-tty-flag' })
    const run = async (...args: string[]): Promise<Ended> => {
      const silent = await slowEngine(t, home.folder, everything)
      const r = await stopped(home, silent, args)
      assert.equal(r.exitCode, 130, args.join(' '))
      rmSync(join(home.folder, 'engine.sock'))
      return r
    }
    const smoke = JSON.parse((await run('replay', '--all', '--json')).stdout) as unknown
    assert.equal(errorsBy('replay-all', smoke), null)
    assert.match(JSON.stringify(smoke), /"passed":0.*"interrupted":.*"result":"not-tried"/)
    const container = JSON.parse((await run('container', 'everything', '--json')).stdout) as unknown
    assert.equal(errorsBy('steps', container), null)
    assert.match(JSON.stringify(container), /"interrupted":\{"notLooked":\[/)
    const logs = await run('logs', 'everything', '--grep', 'the input device')
    assert.match(logs.stdout, /the input device is not a TTY/)
    assert.match(logs.stderr, /Not looked at, because interrupted: the containers/)
  })
})
