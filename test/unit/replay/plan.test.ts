import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { flagsNamed, hasSwitch, parseDockerRun, type DockerRun } from '../../../src/lib/formats/docker-run.ts'
import { planReplay, type ReplayOptions } from '../../../src/lib/replay/plan.ts'
import { hiddenFile, ownerLabel, replayLabel, type ReplayPlan } from '../../../src/lib/system/replay-plan.ts'

const owner = { pid: 42, startTime: '1000', bootId: 'b00t/1', host: 'here' }
const proxyEnv = { PATH: '/usr/bin', HOME: '/home/me', HTTP_PROXY: 'http://user:pass@proxy', SECRET_OF_MCPPROXY: 'never' }
const plan = (args: string[], options: ReplayOptions = {}, serverEnv: Record<string, string> = {}): ReplayPlan =>
  planReplay({ run: { kind: 'docker', runArgs: args, command: [] }, serverEnv, proxyEnv, platform: 'linux', id: 'abc', owner, options })
const parsed = (p: ReplayPlan): DockerRun => parseDockerRun(p.argv)
const values = (run: DockerRun, name: string): (string | null)[] => flagsNamed(run, name).map((f) => f.value)
const whats = (p: ReplayPlan): string => p.changes.map((c) => c.what).join('\n')

const logged = [
  ...['run', '--rm', '-i', '--name', 'mcpproxy-x-ab12', '--label', 'com.mcpproxy.managed=true', '--label', 'com.mcpproxy.server=x'],
  ...['--log-opt', 'max-size=100m', '--network', 'none', '--memory', '512m', '--cpus', '1.0', '-v', 'mcpproxy-npm-cache:/root/.npm'],
  ...['-e', 'TOKEN=s3cr3t-value', '-v', '/data:/data', 'docker.io/library/node:22'],
]

test('what MCPProxy logged, made safe', () => {
  const p = planReplay({
    run: { kind: 'docker', runArgs: logged, command: ['npx', '-y', 'some-mcp', '-p', '80:80', '--name', 'x'] },
    serverEnv: { TOKEN: 's3cr3t-value' },
    proxyEnv,
    platform: 'linux',
    id: 'abc',
    owner,
  })
  assert.deepEqual(p.argv, [
    ...['run', '--name', 'doctor-replay-abc', '--label', 'mcpproxy-doctor.replay=abc', '--label', 'mcpproxy-doctor.owner=42:1000:b00t/1'],
    ...['--label', 'mcpproxy-doctor.host=here', '--pull', 'never', '--rm', '-i', '--log-opt', 'max-size=100m', '--network', 'none'],
    ...['--memory', '512m', '--cpus', '1.0', '-v', 'mcpproxy-npm-cache:/root/.npm', '-e', 'TOKEN', '-v', '/data:/data:ro'],
    ...['docker.io/library/node:22', 'npx', '-y', 'some-mcp', '-p', '80:80', '--name', 'x'],
  ])
  assert.deepEqual(p.env, { PATH: '/usr/bin', HOME: '/home/me', TOKEN: 's3cr3t-value' })
  assert.deepEqual([p.hidden, p.image, p.refused, p.checked], [{}, 'docker.io/library/node:22', null, true])
  assert.ok(!JSON.stringify([p.changes, p.argv]).includes('s3cr3t'))
})

test('bind mounts in all spellings', () => {
  const cases: [string[], string[]][] = [
    [
      ['-v', '/a:/b'],
      ['-v', '/a:/b:ro'],
    ],
    [['-v/a:/b'], ['-v', '/a:/b:ro']],
    [['--volume=/a:/b:rw'], ['-v', '/a:/b:ro']],
    [
      ['-v', '/a:/b:z'],
      ['-v', '/a:/b:z,ro'],
    ],
    [
      ['-v', '/a:/b:rw,Z,rshared'],
      ['-v', '/a:/b:ro,Z,rshared'],
    ],
    [
      ['-v', '/a:/b:ro,z'],
      ['-v', '/a:/b:ro,z'],
    ],
    [
      ['-v', './a:/b'],
      ['-v', './a:/b:ro'],
    ],
    [
      ['-v', '~/a:/b'],
      ['-v', '~/a:/b:ro'],
    ],
    [
      ['-v', 'C:\\a b:/b'],
      ['-v', 'C:\\a b:/b:ro'],
    ],
    [
      ['-v', 'cache:/b'],
      ['-v', 'cache:/b'],
    ],
    [
      ['-v', '/b'],
      ['-v', '/b'],
    ],
    [
      ['--mount', 'type=bind,source=/a,target=/b'],
      ['--mount', 'type=bind,source=/a,target=/b,readonly'],
    ],
    [
      ['--mount', 'type=BIND,src=/a,dst=/b,readonly=false'],
      ['--mount', 'type=BIND,src=/a,dst=/b,readonly=false,readonly'],
    ],
    [
      ['--mount', 'type=bind,"src=/a,x",dst=/b'],
      ['--mount', 'type=bind,"src=/a,x",dst=/b,readonly'],
    ],
    [
      ['--mount', '"type=bind",src=/a,dst=/b'],
      ['--mount', '"type=bind",src=/a,dst=/b,readonly'],
    ],
    [['--mount=type=bind,src=/a,dst=/b,ro'], ['--mount=type=bind,src=/a,dst=/b,ro']],
    [
      ['--mount', 'src=cache,dst=/b'],
      ['--mount', 'src=cache,dst=/b'],
    ],
    [
      ['--mount', 'type=volume,src=v,dst=/b,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/a'],
      ['--mount', 'type=volume,src=v,dst=/b,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/a,readonly'],
    ],
    [
      ['--volumes-from', 'other'],
      ['--volumes-from', 'other:ro'],
    ],
    [
      ['--volumes-from', 'other:rw,z'],
      ['--volumes-from', 'other:z,ro'],
    ],
    [
      ['--tmpfs', '/tmp'],
      ['--tmpfs', '/tmp'],
    ],
  ]
  for (const [given, wanted] of cases) {
    const tail = (p: ReplayPlan): string[] => p.argv.slice(p.argv.indexOf('never') + 1)
    assert.deepEqual(tail(plan(['run', '--rm', ...given, 'img'])), ['--rm', ...wanted, 'img'])
    assert.deepEqual(tail(plan(['run', '--rm', ...given, 'img'], { allowWrites: true })), ['--rm', ...given, 'img'])
  }
})

test('cold: throwaway volumes in place of named ones', () => {
  const p = plan(['run', '-v', 'cache:/b:ro', '-v', 'c2:/a,b', '--mount', 'src=v,"target=/x,y"', '-v', '/h:/h', 'img'], { cold: true })
  assert.deepEqual(values(parsed(p), 'mount'), ['type=volume,target=/b,readonly', 'type=volume,"target=/a,b"', '"target=/x,y"'])
  assert.deepEqual(values(parsed(p), 'volume'), ['/h:/h:ro'])
})

test('what would meet others goes', () => {
  const p = plan([
    ...[
      'run',
      '-dit',
      '-p80:80',
      '-P',
      '--publish=1:2',
      '--restart',
      'always',
      '--cidfile',
      '/tmp/c',
      '--ip',
      '10.0.0.1',
      '--network-alias=db',
    ],
    ...[
      '--net',
      'name=n,alias=db,driver-opt=a=b',
      '-l',
      'traefik.enable=true',
      '--name=x',
      '--pull=always',
      '--mac-address',
      'aa',
      '--expose',
      '80',
      'img',
    ],
  ])
  const tail = p.argv.slice(p.argv.indexOf('never') + 1)
  assert.deepEqual(tail, ['--rm', '--interactive', '--network', 'name=n,driver-opt=a=b', '--expose', '80', 'img'])
  assert.match(whats(p), /--restart always/)
})

test('a terminal and a detached run stay where they are the suspect', () => {
  assert.equal(hasSwitch(parsed(plan(['run', '-it', 'img'])), 'tty'), false)
  assert.equal(hasSwitch(parsed(plan(['run', '-it', 'img'])), 'interactive'), true)
  assert.equal(hasSwitch(parsed(plan(['run', '-it', 'img'], { keepTty: true })), 'tty'), true)
  assert.equal(hasSwitch(parsed(plan(['run', '-id', 'img'], { keepDetach: true })), 'detach'), true)
  // Its stdin is the suspect: nothing is added.
  assert.equal(hasSwitch(parsed(plan(['run', 'img'])), 'interactive'), false)
})

test('docker refuses --restart with --rm itself: that failure is kept', () => {
  const p = plan(['run', '--rm', '--restart', 'always', 'img'])
  assert.deepEqual(values(parsed(p), 'restart'), ['always'])
})

test('variables: by inheritance; those that would steer docker itself, unseen', () => {
  const given = ['-e', 'A=1', '--env=A=2', '-eB=x=y', '-e', 'HOME=/root', '-e', 'DOCKER_HOST=tcp://x', '-e', 'https_proxy=http://u:p@x']
  const p = plan(
    ['run', ...given, '-e', 'HTTP_PROXY', '-e', 'PATH', '-e', 'NOT_SET', '-e', '=bad-secret', 'img'],
    {},
    { A: '0', DOCKER_HOST: 'tcp://x' },
  )
  assert.deepEqual(values(parsed(p), 'env'), ['A', 'B', 'NOT_SET', '='])
  assert.deepEqual([p.env['A'], p.env['B'], p.env['HOME'], p.env['DOCKER_HOST']], ['2', 'x=y', '/home/me', undefined])
  assert.deepEqual(p.hidden, { HOME: '/root', DOCKER_HOST: 'tcp://x', https_proxy: 'http://u:p@x', PATH: '/usr/bin' })
  assert.equal(p.argv[p.argv.indexOf('img') - 1], hiddenFile)
  assert.ok(!p.argv.join(' ').includes('bad-secret'))
  // A value where a name belongs, and a line break.
  const odd = plan(['run', '-e', 'ghp_0123456789012345678901234567890123456', '-e', 'PATH=a\nB=c', 'img'])
  assert.deepEqual([values(parsed(odd), 'env'), odd.hidden], [[], {}])
  assert.ok(!JSON.stringify(odd).includes('ghp_'))
  assert.match(odd.changes.map((c) => c.why).join(), /left out/)
  assert.equal(plan(['run', '-e', 'M=two\nlines', 'img']).env['M'], 'two\nlines')
})

test('of MCPProxy`s own environment only what it hands on', () => {
  assert.deepEqual(Object.keys(plan(['run', 'img']).env), ['PATH', 'HOME'])
  const host = planReplay({
    run: { kind: 'host', command: 'npx', args: ['-y', "it's"], cwd: '/w', loginShell: '/bin/bash' },
    serverEnv: { T: 's' },
    proxyEnv,
    platform: 'linux',
    id: 'x',
    owner,
  })
  assert.deepEqual(
    [host.command, host.argv, host.cwd, host.env],
    ['/bin/bash', ['-l', '-c', `npx -y 'it'\\''s'`], '/w', { PATH: '/usr/bin', HOME: '/home/me', T: 's' }],
  )
})

test('a flag that is not known may have a value: what follows is still made safe', () => {
  const p = plan(['run', '--rm', '--brand-new', 'x', '-v', '/a:/b', '-p', '1:2', '-d', 'img', 'cmd'])
  assert.deepEqual(p.argv.slice(0, 3), ['run', '--brand-new', 'x'])
  assert.deepEqual(p.argv.slice(p.argv.indexOf('never') + 1), ['--rm', '-v', '/a:/b:ro', 'img', 'cmd'])
  assert.equal(p.checked, false)
  // As a switch at the end it takes nothing.
  assert.deepEqual(plan(['run', '--rm', '--brand-new', 'img']).argv.slice(-3), ['--rm', '--brand-new', 'img'])
})

test('what must not be run', () => {
  for (const args of [
    ['exec', '-i', 'c', 'x'],
    ['compose', 'run', 'x'],
    ['--context', 'prod', 'run', 'img'],
    ['-H', 'tcp://x', 'run', 'img'],
    ['run', '-v', '/var/run/docker.sock:/var/run/docker.sock', 'img'],
    ['run', '-v', '/var/run/docker.sock:/var/run/docker.sock:ro', 'img'],
    ['run', '--mount', 'type=bind,src=/run,dst=/x', 'img'],
    ['run', '-v', '/home/me/.docker/run/docker.sock:/s', 'img'],
    ['run', '--use-api-socket', 'img'],
  ])
    assert.notEqual(plan(args).refused, null, args.join(' '))
  assert.equal(plan(['run', '-v', '/var/run/docker.sock:/var/run/docker.sock', 'img'], { allowWrites: true }).refused, null)
  assert.equal(plan(['--debug', 'container', 'run', '-v', '/running:/x', 'img']).refused, null)
  const host = planReplay({
    run: { kind: 'host', command: '/usr/bin/docker', args: ['exec'], cwd: null },
    serverEnv: {},
    proxyEnv,
    platform: 'linux',
    id: 'x',
    owner,
  })
  assert.notEqual(host.refused, null)
})

// ---- properties ----------------------------------------------------------------------

const word = fc.stringMatching(/^[a-z0-9 '"\n$-]{1,8}$/)
const path = word.map((w) => `/${w.replaceAll(/[:,"\n]/g, '')}x`)
const secretValue = fc.stringMatching(/^[A-Za-z0-9 =:"'\n]{6,20}$/).map((v) => `SECRET${v}`)
const isolating = fc.oneof(
  ...(
    [
      ['--network', 'none', 'host', 'bridge', 'my-net', 'container:x'],
      ['--memory', '8m', '1g'],
      ['-m', '8m'],
      ['--cpus', '0.5'],
      ['--user', '1000:1000', 'root'],
      ['-u', 'nobody'],
      ['--cap-drop', 'ALL'],
      ['--cap-add', 'NET_ADMIN'],
      ['--security-opt', 'no-new-privileges', 'seccomp=/x.json'],
      ['--pids-limit', '10'],
      ['--ulimit', 'nofile=10'],
      ['--userns', 'host'],
      ['--pid', 'host'],
      ['--ipc', 'none'],
      ['--runtime', 'runsc'],
      ['--memory-swap', '8m'],
      ['--device', '/dev/null'],
      ['--cgroup-parent', '/x'],
    ] as const
  ).map(([flag, ...choices]) =>
    fc.constantFrom(...choices).chain((v) => fc.constantFrom([flag, v], flag.startsWith('--') ? [`${flag}=${v}`] : [`${flag}${v}`])),
  ),
  fc.constantFrom(
    ['--read-only'],
    ['--init'],
    ['--privileged'],
    ['--read-only=false'],
    ['--no-healthcheck'],
    ['--entrypoint', 'sh'],
    ['-w', '/x'],
  ),
)
const disturbing = fc.oneof(
  fc.constantFrom(['-d'], ['-t'], ['-it'], ['-itd'], ['-P'], ['--rm'], ['--rm=false'], ['-i'], ['--restart=always'], ['-idt=true']),
  fc
    .tuple(fc.constantFrom('--name', '--cidfile', '--label', '-l', '-p', '--publish', '--restart', '--ip', '--pull'), word)
    .map(([f, v]) => [f, v]),
)
const mounts = fc.oneof(
  fc
    .tuple(fc.constantFrom('-v', '--volume'), path, path, fc.constantFrom('', ':ro', ':rw', ':z', ':rw,Z', ':rslave'))
    .map(([f, s, t, o]) => [f, `${s}:${t}${o}`]),
  fc
    .tuple(path, path, fc.constantFrom('', ',readonly', ',ro=false', ',bind-propagation=rslave'))
    .map(([s, t, o]) => ['--mount', `type=bind,source=${s},target=${t}${o}`]),
  path.map((t) => ['-v', `cache:${t}`]),
)
const variables = fc
  .tuple(
    fc.constantFrom('-e', '--env', '--env=', '-e='),
    fc.constantFrom('A', 'TOKEN', 'HOME', 'PATH', 'DOCKER_HOST', 'HTTPS_PROXY', 'LD_PRELOAD', 'a.b', 'X Y', ''),
    secretValue,
  )
  .map(([f, n, v]) => (f.endsWith('=') ? [`${f}${n}=${v}`] : [f, `${n}=${v}`]))
const anyFlags = fc.array(fc.oneof(isolating, disturbing, mounts, variables), { maxLength: 12 }).map((f) => f.flat())
const anyOptions = fc.record({ allowWrites: fc.boolean(), cold: fc.boolean(), keepTty: fc.boolean(), keepDetach: fc.boolean() })
const command = fc.array(fc.constantFrom('-v', '/a:/b', '--privileged', '-p', 'x', '--', '-e', 'A=1'), { maxLength: 5 })

const gone = new Set([
  'name',
  'label',
  'cidfile',
  'detach',
  'restart',
  'tty',
  'publish',
  'publish-all',
  'ip',
  'pull',
  'rm',
  'env',
  'env-file',
  'volume',
  'mount',
])
const rest = (run: DockerRun): string[] => run.flags.filter((f) => !gone.has(f.name)).map((f) => `${f.name}=${f.value ?? 'true'}`)

test('property: whatever isolates stays, in its order, and nothing is added to it', () => {
  fc.assert(
    fc.property(anyFlags, command, anyOptions, (flags, cmd, options) => {
      const before = parseDockerRun(['run', ...flags, 'img', ...cmd])
      const after = parsed(plan(['run', ...flags, 'img', ...cmd], options))
      assert.deepEqual(rest(after), rest(before))
      assert.deepEqual([after.image, after.command], [before.image, before.command])
      assert.deepEqual(after.problems, [])
    }),
    { numRuns: 500 },
  )
})

test('property: no bind mount of the host is writable, no mount appears or changes its place', () => {
  fc.assert(
    fc.property(anyFlags, command, anyOptions, (flags, cmd, options) => {
      const before = parseDockerRun(['run', ...flags, 'img', ...cmd])
      const after = parsed(plan(['run', ...flags, 'img', ...cmd], options))
      assert.deepEqual(
        after.mounts.map((m) => m.target),
        before.mounts.map((m) => m.target),
      )
      after.mounts.forEach((m, i) => {
        const was = before.mounts[i]
        if (m.type !== 'bind') return
        assert.equal(m.source, was?.source)
        if (/\bro\b/.test(was?.options ?? '')) assert.match(m.options, /\bro\b/)
        if (!options.allowWrites) assert.match(m.options, /\bro\b/)
      })
    }),
    { numRuns: 500 },
  )
})

test('property: found again, alone, removed, never pulled, no port, no secret', () => {
  fc.assert(
    fc.property(anyFlags, command, anyOptions, (flags, cmd, options) => {
      const p = plan(['run', ...flags, 'img', ...cmd], options)
      const run = parsed(p)
      assert.deepEqual(values(run, 'name'), ['doctor-replay-abc'])
      assert.ok(values(run, 'label').includes(`${replayLabel}=abc`))
      assert.ok(values(run, 'label').some((l) => l?.startsWith(`${ownerLabel}=`)))
      assert.ok(hasSwitch(run, 'rm'))
      assert.deepEqual(values(run, 'pull'), ['never'])
      for (const name of ['publish', 'publish-all', 'ip', 'cidfile']) assert.deepEqual(values(run, name), [])
      if (!options.keepTty) assert.equal(hasSwitch(run, 'tty'), false)
      if (!options.keepDetach) assert.equal(hasSwitch(run, 'detach'), false)
      assert.ok(!JSON.stringify([p.argv, p.changes]).includes('SECRET'))
    }),
    { numRuns: 500 },
  )
})

test('property: the container gets the same variables', () => {
  fc.assert(
    fc.property(anyFlags, (flags) => {
      const before = new Map<string, string>()
      for (const v of values(parseDockerRun(['run', ...flags, 'img']), 'env')) {
        const at = v?.indexOf('=') ?? 0
        if (v !== null && at > 0) before.set(v.slice(0, at), v.slice(at + 1))
      }
      const p = plan(['run', ...flags, 'img'])
      const after = new Map(Object.entries(p.hidden))
      for (const name of values(parsed(p), 'env')) if (name !== null && name !== '=') after.set(name, p.env[name] ?? '')
      for (const [name, value] of before)
        if (!(/\n/.test(value) && /^(HOME|PATH|DOCKER_HOST|HTTPS_PROXY|LD_PRELOAD)$/.test(name))) assert.equal(after.get(name), value, name)
      for (const name of after.keys()) assert.ok(before.has(name), name)
    }),
    { numRuns: 500 },
  )
})
