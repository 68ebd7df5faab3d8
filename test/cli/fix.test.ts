/** `fix` and `reload` as a process, against a MCPProxy and an engine that are played from recorded answers. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { ProxyPlayer, type Played, type PlayerOptions, type Works } from '../helpers/proxy-player.ts'
import { tracesOf } from '../helpers/planted-folder.ts'
import { runCli, type CliResult } from '../helpers/run-cli.ts'
import { smallCapture } from '../helpers/small-capture.ts'
import { errorsBy } from '../helpers/valid-report.ts'

interface Answer {
  code: string | null
  remedies: { diff: string | null; class: string; allowed: boolean }[]
  applied: unknown[]
  verified: boolean | null
  restored: boolean
  backup: string | null
  steps: { name: string; ok: boolean | null; text: string }[]
  notes: string[]
}

const secret = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz'
const everything = {
  name: 'everything',
  command: 'docker',
  args: ['run', '-it', '--rm', 'mcp/everything'],
  env: { TOKEN: secret },
  enabled: true,
}
const other = { name: 'other', command: 'node', args: ['/srv/x.mjs'], enabled: true }
const withTty = (more: object = {}): object => ({ docker_isolation: { enabled: true }, mcpServers: [everything, other], ...more })

/** docker refuses a terminal; everything else works. */
const refusesTty: Works = (s) => (s.args.some((a) => /^-\w*t/.test(a)) ? 'the input device is not a TTY' : true)

async function play(t: TestContext, options: Partial<PlayerOptions> = {}): Promise<ProxyPlayer> {
  const player = new ProxyPlayer({ config: withTty(), works: refusesTty, ...options })
  t.after(() => player.stop())
  return player.start()
}
const quick = ['--stable', '1', '--wait', '20', '--timeout', '10']
const fix = (player: ProxyPlayer, ...args: string[]): Promise<CliResult> => runCli(['fix', ...args, ...quick, ...player.flags])
const apply = (player: ProxyPlayer, ...more: string[]): Promise<CliResult> =>
  fix(player, 'everything', '--apply', '--yes', '--json', ...more)
const json = (r: CliResult): Answer => {
  assert.ok(r.stdout.startsWith('{'), r.stdout + r.stderr)
  const value = JSON.parse(r.stdout) as object
  assert.equal(errorsBy('fix', value), null)
  return JSON.parse(r.stdout) as Answer
}

// Most of the time of these is waiting.
describe('fix and reload', { concurrency: 5 }, () => {
  test('what MCPProxy starts anew by itself is not restarted at the same time; what it does not notice is', async (t) => {
    const player = await play(t)
    const answer = json(await apply(player))
    assert.deepEqual([answer.verified, answer.steps.find((s) => s.name === 'restarted')?.text], [true, 'everything, by MCPProxy itself'])
    assert.deepEqual(
      player.requests.filter((q) => q.startsWith('POST ')),
      [],
    )
    const isolated = { name: 'i', command: 'node', args: ['/x.mjs'], enabled: true, isolation: { image: 'node:20', extra_args: ['-t'] } }
    const second = await play(t, {
      config: { docker_isolation: { enabled: true }, mcpServers: [isolated] },
      works: (s) => (s.isolation?.extra_args?.includes('-t') === true ? 'the input device is not a TTY' : true),
    })
    assert.equal(json(await fix(second, 'i', '--apply', '--yes', '--json')).verified, true)
    assert.deepEqual(
      second.requests.filter((q) => q.startsWith('POST ')),
      ['POST /api/v1/servers/i/restart'],
    )
  })

  test('without --apply: a diff without secrets, exit 1, nothing changed', async (t) => {
    const player = await play(t)
    const before = player.text()
    const r = await fix(player, 'everything')
    assert.equal(r.exitCode, 1, r.stdout + r.stderr)
    assert.match(r.stdout, /-\s+"-it",\n\s+\+\s+"-i",/)
    assert.match(r.stdout, /Next: mcpproxy-doctor fix everything .*--apply/s)
    assert.doesNotMatch(r.stdout, new RegExp(secret))
    assert.equal(player.text(), before)
    assert.deepEqual(player.backups(), [])
    assert.ok(player.requests.every((q) => q.startsWith('GET ')))
  })

  test('applied: written, taken, restarted, proven; undo brings the same bytes back', async (t) => {
    const player = await play(t)
    fs.chmodSync(player.config, 0o640)
    const before = player.text()
    const r = await apply(player)
    const answer = json(r)
    assert.equal(r.exitCode, 0, r.stdout)
    assert.deepEqual([answer.verified, answer.restored, answer.applied.length], [true, false, 1])
    assert.deepEqual(
      answer.steps.map((s) => [s.name, s.ok]),
      ['backup', 'written', 'reloaded', 'restarted', 'connected', 'stable'].map((n) => [n, true]),
    )
    assert.equal(player.text(), before.replace('"-it"', '"-i"'))
    assert.equal(fs.statSync(player.config).mode & 0o777, 0o640)
    assert.ok(answer.backup)
    assert.equal(fs.statSync(answer.backup).mode & 0o777, 0o600)
    assert.equal(fs.readFileSync(answer.backup, 'utf8'), before)
    assert.doesNotMatch(r.stdout, new RegExp(secret))

    const back = await fix(player, '--undo', 'everything', '--yes', '--json')
    assert.equal(back.exitCode, 1, 'the old configuration does not work, and it is said so')
    assert.equal(player.text(), before)
    const again = await fix(player, '--undo', '--yes')
    assert.equal(again.exitCode, 0, again.stdout + again.stderr)
    assert.equal(player.text(), before.replace('"-it"', '"-i"'), 'an undo can be taken back')
  })

  test('what does not help is taken back: old bytes, old arguments, exit 5', async (t) => {
    const started: string[] = []
    const player = await play(t, {
      works: (s) => {
        if (s.name === 'everything') started.push(s.args.join(' '))
        return s.name === 'other' ? true : 'the input device is not a TTY'
      },
    })
    const before = player.text()
    const r = await apply(player)
    const answer = json(r)
    assert.equal(r.exitCode, 5, r.stdout)
    assert.deepEqual([answer.verified, answer.restored, answer.backup], [false, true, null])
    assert.equal(player.text(), before)
    assert.equal(player.loaded.at(-1), before)
    assert.deepEqual(
      started.filter((s, i) => s !== started[i - 1]),
      ['run -it --rm mcp/everything', 'run -i --rm mcp/everything', 'run -it --rm mcp/everything'],
    )
    assert.deepEqual(player.backups(), [])
  })

  const tooSmall = {
    docker_isolation: { enabled: true, memory_limit: '1m' },
    mcpServers: [{ name: 'web', command: 'node', args: ['x.mjs'], enabled: true }],
  }
  const refusesLimit = 'docker: Error response from daemon: Minimum memory limit allowed is 6MB.'

  test('connected is no proof: without a running container it is a failure', async (t) => {
    let restarted = false
    const player = await play(t, {
      config: tooSmall,
      works: () => (restarted ? true : refusesLimit),
      answer: (method, _, p) => {
        if (method === 'POST') restarted = true
        const web = p.states.get('web')
        if (restarted && web) p.states.set('web', { ...web, container: null })
        return undefined
      },
    })
    const before = player.text()
    const r = await fix(player, 'web', '--apply', '--yes', '--json')
    assert.equal(r.exitCode, 5, r.stdout + r.stderr)
    assert.match(r.stdout, /no running container/)
    assert.equal(player.text(), before)
  })

  test('an isolated server: the arguments of the new setup line are the intended ones', async (t) => {
    let starts = 0
    const player = await play(t, { config: tooSmall, works: () => (starts++ === 0 ? refusesLimit : true) })
    const r = await fix(player, 'web', '--apply', '--yes', '--json')
    assert.equal(r.exitCode, 0, r.stdout + r.stderr)
    assert.match(r.stdout, /arguments as intended/)
    assert.equal((JSON.parse(player.text()) as typeof tooSmall).docker_isolation.memory_limit, '512m')
  })

  test('an isolated server that connects with the old arguments is not healed', async (t) => {
    let starts = 0
    // The file is watched, but the restart keeps what was there before.
    const player = await play(t, { config: tooSmall, works: () => (starts++ === 0 ? refusesLimit : true), stale: true })
    const before = player.text()
    const r = await fix(player, 'web', '--apply', '--yes', '--json')
    assert.equal(r.exitCode, 5, r.stdout + r.stderr)
    assert.match(r.stdout, /not as intended/)
    assert.equal(player.text(), before)
  })

  test('a server that is worse than before: taken back', async (t) => {
    const player = await play(t, {
      rebuilds: false,
      answer: (method, _, p) => {
        const state = p.states.get('other')
        if (method === 'POST' && state) p.states.set('other', { ...state, connected: false })
        return undefined
      },
    })
    const before = player.text()
    const r = await apply(player)
    assert.equal(r.exitCode, 5, r.stdout)
    assert.match(r.stdout, /other worked before/)
    assert.equal(player.text(), before)
  })

  test('a cause behind the cause is mended as well', async (t) => {
    const config = withTty({ mcpServers: [{ ...everything, args: ['run', '-t', 'mcp/everything'] }] })
    const player = await play(t, { config })
    const r = await apply(player)
    assert.equal(r.exitCode, 0, r.stdout)
    assert.match(player.text(), /"run",\s+"-i",\s+"mcp\/everything"/)
  })

  test('answers that end the work: nothing stays changed, exit 3, and it is said why', { concurrency: true }, async (t) => {
    const refuses =
      (status: number, error: string, request_id = '1f') =>
      (): Played => ({ status, body: { success: false, error, request_id } })
    const toRestart =
      (played: () => Played): NonNullable<PlayerOptions['answer']> =>
      (method) =>
        method === 'POST' ? played() : undefined
    const cases: [string, NonNullable<PlayerOptions['answer']>, RegExp][] = [
      ['401 to everything', refuses(401, 'Invalid or missing API key'), /API key/],
      ['403 to the restart', toRestart(refuses(403, 'operation requires admin access')), /admin access/],
      ['404 to the restart', toRestart(refuses(404, "server 'everything' not found")), /not found/],
      ['409 to the restart', toRestart(refuses(409, 'connection already in progress')), /already in progress/],
      ['500 to the restart', toRestart(refuses(500, 'Failed to restart server')), /Failed to restart/],
      ['500 to the list', (_, url) => (url === '/api/v1/servers' ? { status: 500, body: {} } : undefined), /500/],
      ['the restart is cut', toRestart(() => 'cut'), /could not be asked/],
      ['silence', () => 'hang', /did not answer|gave no answer/],
    ]
    await Promise.all(
      cases.map(([name, answer, said]) =>
        t.test(name, async (t) => {
          const player = await play(t, { answer, rebuilds: false })
          const before = player.text()
          const r = await apply(player)
          assert.equal(r.exitCode, 3, r.stdout + r.stderr)
          assert.match(r.stdout, said)
          assert.equal(json(r).verified, null)
          assert.equal(player.text(), before)
          assert.deepEqual(player.backups(), [])
        }),
      ),
    )
  })

  test('MCPProxy dies while it is waited for: the old bytes are back, exit 3', async (t) => {
    const player = await play(t, {
      rebuilds: false,
      answer: (m, _, p) => (m === 'POST' ? (setTimeout(() => p.die(), 50), { status: 200, body: { success: true } }) : undefined),
    })
    const before = player.text()
    const r = await apply(player)
    assert.equal(r.exitCode, 3, r.stdout)
    assert.match(r.stdout, /went away/)
    assert.equal(player.text(), before)
  })

  test('MCPProxy refuses the file: the old bytes are back', async (t) => {
    const config = withTty()
    const player = await play(t, { config })
    // A second error that only shows when the file is read again.
    fs.writeFileSync(player.config, player.text().replace('"enabled": true\n  },', '"enabled": true,\n    "memory_limit": 512\n  },'))
    const before = player.text()
    const r = await fix(player, 'everything', 'tty-flag', '--apply', '--yes', '--json')
    assert.equal(r.exitCode, 5, r.stdout + r.stderr)
    assert.match(r.stdout, /refuses the file/)
    assert.equal(player.text(), before)
  })

  test('MCPProxy does not run: written, and said that it is not verified', async (t) => {
    const player = await play(t)
    player.die()
    const r = await apply(player)
    assert.equal(r.exitCode, 3, r.stdout)
    assert.match(r.stdout, /does not run/)
    assert.match(player.text(), /"-i"/)
  })

  test('by version: 0.45 restarts, 0.23 needs its own restart', async (t) => {
    const newer = await play(t, { version: 'v0.45.0' })
    const done = await apply(newer)
    assert.equal(done.exitCode, 0, done.stdout)
    assert.ok(!json(done).steps.some((s) => s.name === 'reloaded'))
    const older = await play(t, { version: 'v0.23.2' })
    const r = await apply(older)
    assert.equal(r.exitCode, 3)
    assert.match(r.stdout, /v0\.23\.2 reads the file only when it starts.*kill -TERM/s)
    assert.ok(!older.requests.some((q) => q.startsWith('POST')))
  })

  test('a class that was not allowed: nothing happens, and it says what to give', async (t) => {
    const entry = { name: 'web', command: 'node', args: ['x.mjs'], enabled: true, isolation: { memory_limit: '2g' } }
    const player = await play(t, { config: { docker_isolation: { enabled: true }, mcpServers: [entry] }, works: () => true })
    const before = player.text()
    const no = await fix(player, 'web', 'key-without-effect', '--apply', '--yes')
    assert.equal(no.exitCode, 1)
    assert.match(no.stdout, /--allow limits/)
    assert.equal(player.text(), before)
    const yes = await fix(player, 'web', 'key-without-effect', '--apply', '--yes', '--allow', 'network,limits')
    assert.equal(yes.exitCode, 0, yes.stdout + yes.stderr)
    const [after] = (JSON.parse(player.text()) as { mcpServers: unknown[] }).mcpServers
    assert.deepEqual(after, { ...entry, isolation: { extra_args: ['--memory', '2g'] } })
  })

  test('refused: no terminal and no --yes, unknown names, a capture', async (t) => {
    const player = await play(t)
    const before = player.text()
    const unasked = await fix(player, 'everything', '--apply')
    assert.deepEqual([unasked.exitCode, unasked.stdout], [2, ''])
    assert.match(unasked.stderr, /--yes/)
    assert.equal((await fix(player, 'everythin')).exitCode, 2)
    assert.match((await fix(player, 'everything', 'tty-flg')).stderr, /"tty-flag"/)
    assert.match((await fix(player, 'everything', '--allow', 'all')).stderr, /no class/)
    assert.equal((await fix(player, 'everything', '--apply', '--undo')).exitCode, 2)
    assert.match((await fix(player, '--undo')).stderr, /no backup/)
    assert.equal(player.text(), before)
    const capture = smallCapture(withTty())
    t.after(() => capture.remove())
    const r = await runCli(['fix', 'everything', '--apply', '--yes', '--from', capture.folder])
    assert.equal(r.exitCode, 2, r.stdout)
  })

  test('comments in the file: mended by its own remedy', async (t) => {
    const text = '{\n  // mine\n  "mcpServers": [\n    { "name": "a", "command": "node", "args": ["x"], "enabled": true },\n  ]\n}\n'
    const player = await play(t, {
      config: '{"mcpServers":[{"name":"a","command":"node","args":["x"],"enabled":true}]}',
      works: () => true,
    })
    fs.writeFileSync(player.config, text)
    const r = await fix(player, 'a', '--apply', '--yes', '--json')
    assert.equal(r.exitCode, 0, r.stdout + r.stderr)
    assert.equal(player.text(), '{\n  "mcpServers": [\n    { "name": "a", "command": "node", "args": ["x"], "enabled": true }\n  ]\n}\n')
  })

  test('a link stays a link', async (t) => {
    const player = await play(t)
    const real = path.join(player.folder, 'real.json')
    fs.renameSync(player.config, real)
    fs.symlinkSync('real.json', player.config)
    const r = await apply(player)
    assert.equal(r.exitCode, 0, r.stdout)
    assert.ok(fs.lstatSync(player.config).isSymbolicLink())
    assert.match(fs.readFileSync(real, 'utf8'), /"-i"/)
  })

  test('no secret of the file, the log or an answer in any output, however much is told', async (t) => {
    const planted = {
      env: 'Zk3Xq9Lw7Rt2Vb8Nc5Md4Hs6Jf1Gp0Qy',
      argument: 'ghp_9Q2wErTy7UiOpAsDfGhJkLzXcVbNm1234567',
      header: '8fj2KdLq93mZx71PqvT5',
      key: 'kA83jdmQ0s8ZpLw6Tn5Vb2',
      log: 'sk-live-4242424242424242424242424242',
    }
    const args = ['run', '-it', '--rm', '-e', `GH_TOKEN=${planted.argument}`, 'mcp/everything']
    const remote = {
      name: 'web',
      url: 'http://127.0.0.1:1/mcp',
      protocol: 'http',
      headers: { Authorization: `Bearer ${planted.header}` },
      enabled: false,
    }
    let broken = false
    const told = `API_TOKEN=${planted.env} ${planted.argument} ${planted.log}`
    const player = await play(t, {
      config: withTty({ api_key: planted.key, mcpServers: [{ ...everything, args, env: { API_TOKEN: planted.env } }, remote] }),
      rebuilds: false,
      works: (s) => (s.args.some((a) => /^-\w*t/.test(a)) ? `the input device is not a TTY; ${told}` : true),
      answer: (method) => (broken && method === 'POST' ? { status: 500, body: { success: false, error: told } } : undefined),
    })
    const leaks: string[] = []
    const run = async (exitCode: number, ...words: string[]): Promise<void> => {
      const r = await runCli([...words, ...quick, ...player.flags, '--verbose'], { env: { DEBUG: '*' } })
      assert.equal(r.exitCode, exitCode, `${words.join(' ')}: ${r.stdout}${r.stderr}`)
      // Text for people is wrapped anywhere.
      const shown = `${r.stdout}${r.stderr}`.replace(/\s+/g, '')
      for (const [name, secret] of Object.entries(planted))
        if (tracesOf(secret).some((trace) => shown.includes(trace))) leaks.push(`${words.join(' ')}: ${name}`)
    }
    await run(1, 'reload', 'everything')
    broken = true
    await run(3, 'fix', 'everything', '--apply', '--yes', '--json')
    await run(3, 'reload', 'everything', '--json')
    broken = false
    await run(0, 'fix', 'everything', '--apply', '--yes')
    await run(1, 'fix', '--undo', 'everything', '--yes')
    assert.deepEqual(leaks, [])
  })

  // ---- reload -----------------------------------------------------------------------

  const reload = (player: ProxyPlayer, ...args: string[]): Promise<CliResult> => runCli(['reload', ...args, ...quick, ...player.flags])
  const web = (name: string, more: object = {}): object => ({ name, command: 'node', args: ['x.mjs'], enabled: true, ...more })

  test('reload: proven, with text and JSON', async (t) => {
    const player = await play(t)
    const r = await reload(player, 'other')
    assert.equal(r.exitCode, 0, r.stdout + r.stderr)
    assert.match(r.stdout, /other works/)
    const bad = await reload(player, 'everything', '--json')
    assert.equal(bad.exitCode, 1, bad.stdout)
    assert.equal(errorsBy('reload', JSON.parse(bad.stdout)), null)
    assert.equal((JSON.parse(bad.stdout) as { servers: { verified: boolean }[] }).servers[0]?.verified, false)
  })

  test('reload: refuses to hit another server or to enable one, unless --yes', async (t) => {
    const config = { docker_isolation: { enabled: true }, mcpServers: [web('web'), web('web-api'), web('off', { enabled: false })] }
    const player = await play(t, { config, works: () => true })
    const no = await reload(player, 'web')
    assert.equal(no.exitCode, 2, no.stdout)
    assert.match(no.stderr, /web-api/)
    assert.match((await reload(player, 'off')).stderr, /not enabled/)
    assert.ok(!player.requests.some((q) => q.startsWith('POST')))
    const yes = await reload(player, 'web', '--yes')
    assert.equal(yes.exitCode, 0, yes.stdout + yes.stderr)
    assert.ok(player.states.get('web-api')?.container, 'the one that was hit is back')
    const all = await reload(player, '--all', '--json')
    assert.equal(all.exitCode, 0, all.stdout + all.stderr)
    assert.equal(errorsBy('reload', JSON.parse(all.stdout)), null)
    assert.equal(player.states.get('off')?.connected, false)
  })

  test('reload: not running, too old, an engine that nobody can ask', async (t) => {
    const player = await play(t)
    player.die()
    assert.equal((await reload(player, 'other')).exitCode, 3)
    const old = await play(t, { version: 'v0.8.5' })
    const r = await reload(old, 'other')
    assert.equal(r.exitCode, 3)
    assert.match(r.stdout, /v0\.9\.0/)
    const blind = await play(t, {
      config: { docker_isolation: { enabled: true }, mcpServers: [web('web')] },
      works: () => true,
      noEngine: true,
    })
    const unseen = await reload(blind, 'web')
    assert.equal(unseen.exitCode, 3, unseen.stdout)
    assert.match(unseen.stdout, /engine could not be asked/)
  })
})
