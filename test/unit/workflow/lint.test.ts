import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { UserError } from '../../../src/lib/errors.ts'
import { serverEntries } from '../../../src/lib/formats/mcp-config.ts'
import type { Finding } from '../../../src/lib/rules/rule.ts'
import { fixText } from '../../../src/lib/workflow/lint-fix.ts'
import { baselineEntry, baselineText, ignoreFor, parseBaseline, parseSettings, takeKnown } from '../../../src/lib/workflow/lint-settings.ts'
import { lintCodes, placeOf } from '../../../src/lib/workflow/lint.ts'
import { lint, lintOptions, marked } from '../../helpers/lint.ts'
import { packageRoot } from '../../helpers/package-root.ts'

const list = (findings: readonly Finding[]): string[] =>
  findings.map((f) => `${f.severity} ${f.code} ${placeOf(f)?.line ?? 0}:${placeOf(f)?.column ?? 0}`)
const codes = (text: string | Buffer): string[] => [...new Set(lint(text).findings.map((f) => f.code))]
const server = (more: object): object => ({ name: 'a', command: 'npx', args: ['x'], enabled: true, ...more })
const file = (...servers: object[]): string => JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: servers }, null, 2)

// ---- places ---------------------------------------------------------------------------

test('each wrong type is a finding of its own, at its words', () => {
  const text = file(server({ args: 'x', enabled: 'yes', env: { A: 1 } }), server({ name: 'b', isolation: { extra_args: [1] } }))
  const shapes = lint(text).findings.filter((f) => f.code === 'config-shape')
  assert.deepEqual(
    shapes.map((f) => marked(text, f)),
    ['"x"', '"yes"', '1', '1'],
  )
  assert.deepEqual(shapes.map((f) => f.detail)[0], '"args" must be an array of strings, not a string.')
})

test('what is of a wrong type is said once, and never to be absent', () => {
  const found = lint(file(server({ enabled: 'yes', command: ['npx'] }))).findings.map((f) => f.code)
  assert.deepEqual(found, ['config-shape', 'config-shape'])
  const isolated = server({ enabled: true, command: 'npx', args: ['x'], isolation: { enabled: true } })
  const global = (enabled: unknown): string[] =>
    lint(JSON.stringify({ docker_isolation: { enabled }, mcpServers: [isolated] })).findings.map((f) => f.code)
  assert.deepEqual(global('yes'), ['config-shape'])
  assert.deepEqual(global(false), ['global-isolation-off'])
})

test('every value of every type is answered, not thrown at', () => {
  for (const value of [null, true, 0, 'x', [], {}, [[]], [{}], { a: [] }])
    for (const key of ['name', 'command', 'args', 'env', 'isolation', 'enabled', 'url', 'protocol', 'working_dir'])
      assert.doesNotMatch(codes(file(server({ [key]: value }))).join(), /crashed/, `${key}: ${JSON.stringify(value)}`)
  for (const value of [
    'null',
    '[]',
    '"x"',
    '1',
    '{"mcpServers": null}',
    '{"mcpServers": 1}',
    '{"mcpServers": [1, null, []]}',
    '{"docker_isolation": []}',
  ])
    assert.doesNotMatch(codes(value).join(), /crashed/, value)
})

/** Of one code: the words that are marked, and the title. */
const marks = (text: string, code: string): string[] =>
  lint(text)
    .findings.filter((f) => f.code === code)
    .map((f) => `${marked(text, f)} ${f.title}`)
/** What is left of the arguments when the safe fix of this code is applied. */
const argsWithout = (text: string, code: string): unknown => {
  const { text: fixed } = fixText('mcp_config.json', text, { ...lintOptions(), select: new Set([code]) }, () => false)
  return (JSON.parse(fixed) as { mcpServers: { args: unknown }[] }).mcpServers[0]?.args
}
const docker = (...args: string[]): string => file(server({ command: 'docker', args }))

test('a terminal in docker exec, and a server that is left behind', () => {
  const terminal = 'The docker arguments ask for a terminal (-t), but MCPProxy talks over pipes'
  const exec = docker('exec', '-it', 'web', 'node', 'x.js')
  assert.deepEqual(marks(exec, 'tty-flag'), [`"-it" ${terminal}`])
  assert.deepEqual(argsWithout(exec, 'tty-flag'), ['exec', '-i', 'web', 'node', 'x.js'])
  assert.deepEqual(marks(docker('container', 'exec', '-i', '--tty', 'web', 'x'), 'tty-flag'), [`"--tty" ${terminal}`])
  assert.deepEqual(marks(docker('exec', 'web', 'x'), 'stdin-closed'), [
    '"exec" docker exec has no -i, so the server reads end of input at once and leaves',
  ])
  const behind = docker('run', '--rm', '-id', 'acme/tool')
  const says = 'docker run -d leaves the server behind: nothing connects it to MCPProxy'
  assert.deepEqual(marks(behind, 'stdin-closed'), [`"-id" ${says}`])
  assert.deepEqual(argsWithout(behind, 'stdin-closed'), ['run', '--rm', '-i', 'acme/tool'])
  assert.deepEqual(marks(docker('run', '-i', '--detach', 'acme/tool'), 'stdin-closed'), [`"--detach" ${says}`])
  for (const fine of [docker('exec', '-i', 'web', 'node', '-t', '-d'), docker('run', '-i', '--detach=false', 'acme/tool', '-d')])
    assert.deepEqual(codes(fine), [])
})

test('capitals in the name of an image, where docker has none', () => {
  const title = 'The name of the image has capitals'
  const isolated = (image: string): string => file(server({ isolation: { image } }))
  for (const image of ['Node:20', 'acme/Tool', 'ghcr.io/Acme/tool:1', 'Acme/tool', 'localhost:5000/Tool@sha256:ab'])
    for (const text of [docker('run', '-i', image), isolated(image)])
      assert.deepEqual(marks(text, 'image-unknown'), [`"${image}" ${title}`])
  for (const image of ['node:20-Alpine', 'GHCR.io/acme/tool:V1', 'acme/tool@sha256:AB'])
    for (const text of [docker('run', '-i', image), isolated(image)]) assert.deepEqual(marks(text, 'image-unknown'), [], image)
})

test('what stands in a program is no placeholder', () => {
  const places = (command: string, ...args: string[]): string[] =>
    marks(file(server({ command, args })), 'placeholder-unresolved').map((m) => m.replace(/ A \$.*/, ''))
  const program = 'f(`${process.env.X} ${x}`)'
  for (const [command, ...args] of [
    ['node', '-e', program],
    ['node', '--input-type=module', '--eval', program],
    ['node', `--eval=${program}`],
    ['/usr/bin/python3', '-u', '-c', program],
    ['env', 'A=1', 'sh', '-c', program],
    ['docker', 'run', '-i', 'node:20', '-e', program],
    ['docker', 'run', '-i', 'acme/tool', 'sh', '-c', program],
    ['docker', 'run', '-i', '--entrypoint', 'bash', 'acme/tool', '-lc', program],
  ] as const)
    assert.deepEqual(places(command, ...args), [], [command, ...args].join(' '))
  for (const [command, ...args] of [
    ['node', 'x.js', '-e', '${X}'],
    ['uvx', 'x', '-c', '${X}'],
    ['node', '-e', 'f()', '${X}'],
    ['docker', 'run', '-i', '-e', '${X}', 'node:20'],
    ['docker', 'run', '-i', '--entrypoint', 'node', '-e', '${X}', 'acme/tool'],
  ] as const)
    assert.deepEqual(places(command, ...args), ['"${X}"'], [command, ...args].join(' '))
})

test('a blank around the name of a program: the word with the blank is marked, and the fix takes it out', () => {
  for (const command of ['npx ', ' npx', 'npx\t']) {
    const text = file(server({ command }))
    assert.deepEqual(marks(text, 'command-line-in-command'), [
      `${JSON.stringify(command)} command has a blank before or behind the name of the program`,
    ])
    const select = new Set(['command-line-in-command'])
    const { text: fixed } = fixText('mcp_config.json', text, { ...lintOptions(), select }, () => false)
    assert.equal((JSON.parse(fixed) as { mcpServers: { command: string }[] }).mcpServers[0]?.command, 'npx')
  }
})

test('a remote server has no container that could be stopped', () => {
  const own = { command: 'docker', args: ['run', '-i', '--rm', 'acme/tool:1'] }
  const other = (more: object): string => file(server(own), server({ name: 'b', ...own, env: { A: 'b' }, ...more }))
  assert.equal(marks(other({}), 'cleanup-by-image').length, 2)
  for (const protocol of ['http', 'sse', 'streamable-http'])
    assert.deepEqual(marks(other({ url: 'https://example.com/mcp', protocol }), 'cleanup-by-image'), [], protocol)
})

test('keys in another case, and the object form of other clients', () => {
  const text = '{\n"MCPSERVERS": [{"Name": "a", "COMMAND": "bunx", "Enabled": true}],\n"Docker_Isolation": {"Enabled": true}}'
  const [finding] = lint(text).findings
  assert.equal(finding?.code, 'unknown-runner')
  assert.equal(marked(text, finding), '"bunx"')
  const object = '{"docker_isolation": {"enabled": true}, "mcpServers": {"x/y": {"command": "bunx", "enabled": true}}}'
  assert.deepEqual(codes(object), ['config-shape', 'unknown-runner'])
})

test('duplicate keys and names: the second one is marked', () => {
  const text =
    '{"mcpServers": [\n{"name": "a", "command": "npx", "command": "npx", "args": ["x"], "enabled": true},\n{"name": "a", "url": "http://x/", "enabled": true}]}'
  assert.deepEqual(list(lint(text).findings), ['warning duplicate-keys 2:33', 'error duplicate-name 3:10'])
})

test('comments and commas: all of them; after broken text nothing is guessed', () => {
  const text =
    '// one\n{\n"mcpServers": [ // two\n{"name": "a", "command": "bunx", "enabled": true,},\n], "docker_isolation": {"enabled": true}}'
  assert.deepEqual(
    list(lint(text).findings),
    [
      'error config-syntax 1:1',
      'error config-syntax 3:17',
      'error config-syntax 4:49',
      'error unknown-runner 4:26',
      'error config-syntax 4:51',
    ].sort((a, b) => placeNumber(a) - placeNumber(b)),
  )
  assert.deepEqual(codes('{"mcpServers": [{"name": "a" "command": "bunx"}]}'), ['config-syntax'])
})
const placeNumber = (line: string): number => {
  const [, row = '0', column = '0'] = /(\d+):(\d+)$/.exec(line) ?? []
  return Number(row) * 1000 + Number(column)
}

test('UTF-16 is one finding at the beginning, and what is in it is seen', () => {
  const text = file(server({ command: 'bunx' }))
  for (const bytes of [Buffer.from(`\uFEFF${text}`, 'utf16le'), Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()]) {
    const { findings } = lint(bytes)
    assert.deepEqual(
      findings.map((f) => f.code),
      ['config-syntax', 'unknown-runner'],
    )
    assert.equal(placeOf(findings[0] as Finding)?.column, 1)
  }
})

test('nothing, blanks, and brackets without end', () => {
  assert.deepEqual(codes(''), ['config-empty'])
  assert.deepEqual(codes(' \n'), ['config-empty'])
  assert.deepEqual(codes('['.repeat(100_000)), ['config-syntax'])
  assert.deepEqual(codes(`{"mcpServers": ${'['.repeat(400)}${']'.repeat(400)}}`), ['config-shape'])
})

test('what stands outside of the servers is said once, and for nobody in particular', () => {
  const text = JSON.stringify({
    docker_isolation: { enabled: true, extra_args: ['-t'] },
    mcpServers: Array.from({ length: 3 }, (_, i) => server({ name: `s${i}`, args: [`p${i}`] })),
  })
  const found = lint(text).findings.filter((f) => f.code === 'tty-flag')
  assert.equal(found.length, 1)
  assert.equal(found[0]?.server, null)
})

test('no secret of the file is in what is found', () => {
  const secret = 'Zk3vQ9xL7mT2wB8n'
  const text = file(
    server({ command: 'docker', args: ['run', '-it', '-e', `API_KEY=${secret}`, 'x/y'], env: { PASSWORD: secret, PORT: 1 } }),
    server({ name: 'b', command: `bunx --token=${secret}`, headers: { Authorization: `Bearer ${secret}` }, protocol: 'x' }),
  )
  const { findings } = lint(text)
  assert.ok(findings.length >= 4)
  assert.doesNotMatch(JSON.stringify(findings), new RegExp(secret))
})

test('a release is judged as it was', () => {
  const text = file(server({ isolation: { image: 'node:20' } }))
  assert.deepEqual(
    lint(text, '0.12.0').findings.map((f) => f.code),
    ['isolation-block-dropped'],
  )
  assert.deepEqual(lint(text, '0.60.0').findings, [])
})

test('an old map of images counts only where there are containers', () => {
  const text = (isolation: object): string =>
    JSON.stringify({ docker_isolation: { default_images: { uvx: 'python:3.11' }, ...isolation }, mcpServers: [server({})] })
  assert.deepEqual(codes(text({ enabled: true })), ['stale-default-images'])
  assert.deepEqual(codes(text({ mode: 'docker', enabled: true })), ['stale-default-images'])
  for (const isolation of [{}, { enabled: false }, { mode: 'sandbox' }, { mode: 'none', enabled: true }])
    assert.deepEqual(codes(text(isolation)), [])
})

// ---- hints ----------------------------------------------------------------------------

test('hints: what a container cannot have is suspected, what it may have is not', () => {
  for (const [more, code] of [
    [{ command: 'node', args: ['/srv/x.mjs'] }, 'host-path-not-mounted'],
    [{ command: 'python', args: ['-u', '/srv/x.py'] }, 'host-path-not-mounted'],
    [{ args: ['-y', 'server-files', '/home/me/notes'] }, 'host-path-not-mounted'],
    [{ command: 'python', args: ['server.py'] }, 'host-path-not-mounted'],
    [{ isolation: { working_dir: './app' } }, 'path-not-absolute'],
    [{ args: ['x', '--api-url=http://localhost:3000'] }, 'localhost-in-container'],
    [{ args: ['x', 'redis://localhost'] }, 'localhost-in-container'],
    [{ env: { API_URL: 'http://localhost:3000' } }, 'localhost-in-container'],
    [{ env: { DATABASE_URL: 'postgres://u@127.0.0.1:5432/db' } }, 'localhost-in-container'],
    [{ env: { API: 'http://host.docker.internal:1' } }, 'host-docker-internal'],
    [{ command: 'uvx', isolation: { image: 'python:3.12-slim' } }, 'image-lacks-program'],
  ] as const)
    assert.deepEqual(codes(file(server(more))), [code], JSON.stringify(more))
  for (const more of [
    { command: 'node', args: ['/srv/x.mjs'], isolation: { extra_args: ['-v', '/srv:/srv:ro'] } },
    { command: 'node', args: ['/app/server.js'], isolation: { image: 'example/own:1' } },
    { command: 'node', args: ['/srv/x.mjs'], isolation: { enabled: false } },
    { args: ['x', '--host', 'localhost'] },
    { args: ['x', 'http://localhost:9000'] },
    { command: 'python', args: ['server.py'], isolation: { working_dir: '/app', extra_args: ['-v', '/srv:/app:ro'] } },
    { env: { ALLOWED: 'localhost,127.0.0.1' } },
    { args: ['x', 'http://localhost:3000/x'], isolation: { network_mode: 'host' } },
    { env: { API: 'http://host.docker.internal:1' }, isolation: { extra_args: ['--add-host=host.docker.internal:host-gateway'] } },
    { command: 'uvx' },
    { command: 'uvx', isolation: { image: 'example/uv:1' } },
  ])
    assert.deepEqual(codes(file(server(more))), [], JSON.stringify(more))
})

// ---- fixes ----------------------------------------------------------------------------

test('fixes: mechanical ones until there are none, choices never', () => {
  const text = `{
  // words
  "docker_isolation": { "enabled": true },
  "mcpServers": [
    { "name": "a", "enabled": true, "command": "docker", "args": ["run", "-t", "x/y"], },
    { "name": "b", "enabled": false, "command": "npx", "args": ["x"] }
  ]
}
`
  const { text: after, fixed } = fixText('mcp_config.json', text, lintOptions(), () => false)
  assert.equal(after, text.replace('  // words\n', '').replace('"-t"', '"-i"').replace('], }', '] }'))
  assert.equal(fixed.length, 2)
  assert.deepEqual(codes(after), ['server-disabled'])
  assert.equal(fixText('mcp_config.json', after, lintOptions(), () => false).text, after)
  assert.equal(fixText('mcp_config.json', text, lintOptions(), () => true).text, text)
})

test('fixes of many servers: the same as one by one, in bearable time', () => {
  const text = file(...Array.from({ length: 1500 }, (_, i) => server({ name: `s${i}`, command: 'docker', args: ['run', '-it', `x/${i}`] })))
  const { text: after, fixed } = fixText('mcp_config.json', text, lintOptions(), () => false)
  assert.equal(after, text.replaceAll('"-it"', '"-i"'))
  assert.equal(fixed.length, 1500)
})

// ---- ignores and baselines ------------------------------------------------------------

test('settings: each mistake is named', () => {
  for (const [text, why] of [
    ['{', /is not JSON/],
    ['[]', /must hold a JSON object/],
    ['{"ignore": []}', /no setting "ignore"/],
    ['{"helpUriBase": "docs/findings"}', /"helpUriBase" must be an address/],
    ['{"helpUriBase": 1}', /"helpUriBase" must be an address/],
    ['{"ignores": {}}', /must be an array/],
    ['{"ignores": [1]}', /ignores\[0\] must be an object/],
    ['{"ignores": [{"code": "tty-flag"}]}', /needs a "reason"/],
    ['{"ignores": [{"code": "tty-flag", "reason": " "}]}', /needs a "reason"/],
    ['{"ignores": [{"reason": "x"}]}', /needs a "code"/],
    ['{"ignores": [{"code": "tty-flg", "reason": "x"}]}', /no code "tty-flg"/],
    ['{"ignores": [{"code": "tty-flag", "reason": "x", "expires": "soon"}]}', /must be a day/],
    ['{"ignores": [{"code": "tty-flag", "reason": "x", "expires": "2026-02-31"}]}', /must be a day/],
    ['{"ignores": [{"code": "tty-flag", "reason": "x", "path": "args"}]}', /JSON pointer/],
    ['{"ignores": [{"code": "tty-flag", "reason": "x", "sever": "a"}]}', /no key "sever"/],
  ] as const)
    assert.throws(
      () => parseSettings('s.json', text, lintCodes),
      (e) => e instanceof UserError && why.test(e.message),
      text,
    )
})

test('an ignore takes out its code, server and place, until its last day', () => {
  const { findings, reading } = lint(file(server({ name: 'a~/b', command: 'docker', args: ['run', '-it', 'x'] })))
  const [finding] = findings
  assert.ok(finding)
  const applies = (more: object, day = '2026-11-24T23:00:00Z'): boolean => {
    const [ignore] = parseSettings('s', JSON.stringify({ ignores: [{ code: 'tty-flag', reason: 'x', ...more }] }), lintCodes).ignores
    assert.ok(ignore)
    return ignoreFor(finding, reading.servers, [ignore], new Date(day)) !== undefined
  }
  assert.ok(applies({}))
  assert.ok(applies({ server: 'a~/b' }))
  assert.ok(!applies({ server: 'a' }))
  assert.ok(!applies({ code: 'stdin-closed' }))
  for (const path of ['/mcpServers/a~0~1b', '/mcpServers/a~0~1b/args/1', '/mcpServers/0/args']) assert.ok(applies({ path }), path)
  for (const path of ['/mcpServers/1', '/mcpServers/a~0~1b/arg', '/docker_isolation']) assert.ok(!applies({ path }), path)
  assert.ok(applies({ expires: '2026-11-24' }))
  assert.ok(!applies({ expires: '2026-11-23' }))
})

test('a baseline knows its findings where they have moved, and not a second one of the kind', () => {
  const bad = (name: string): object => server({ name, command: 'docker', args: ['run', '-it', `x/${name}`] })
  const entries = (text: string): ReturnType<typeof baselineEntry>[] => {
    const { findings, reading } = lint(text)
    return findings.map((f) => baselineEntry('c.json', f, reading.servers))
  }
  const counts = parseBaseline('b', baselineText(entries(file(bad('a')))))
  const moved = entries(file(server({ name: 'new' }), bad('b'), bad('a')))
  assert.deepEqual(
    moved.map((e) => [e.server, takeKnown(counts, e)]),
    [
      ['b', false],
      ['a', true],
    ],
  )
  assert.equal(takeKnown(counts, moved[1] as (typeof moved)[0]), false)
  for (const text of ['{}', '{"schemaVersion": 2, "findings": []}', '{"schemaVersion": 1, "findings": [1]}'])
    assert.throws(() => parseBaseline('b', text), UserError)
})

test('servers are found by name also behind entries that are none', () => {
  const { reading } = lint('{"mcpServers": [null, {"name": "a"}]}')
  assert.deepEqual(
    serverEntries(reading.document).map((s) => s.index),
    [1],
  )
})

// ---- anything at all ------------------------------------------------------------------

const real = readdirSync(join(packageRoot(), 'test/captures')).map((name) =>
  readFileSync(join(packageRoot(), 'test/captures', name, 'home/.mcpproxy/mcp_config.json')),
)
const scraps = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '//',
  '/*',
  'null',
  '-it',
  '"args":',
  '\n',
  '\r',
  '\uFEFF',
  '\u0000',
  '\ud800',
  '1e999',
  '""',
  '{}',
  '"name":"a",',
]

test('mutated configurations: never an exception, no rule crashes, every finding has a place inside the file', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...real),
      fc.array(
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), fc.oneof(fc.constantFrom(...scraps), fc.string({ maxLength: 8 }))),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      (bytes, cuts) => {
        let text = bytes.toString('utf8')
        for (const [at, length, scrap] of cuts) {
          // Near the servers, where the rules look.
          const offset = Math.floor(at * Math.min(text.length, 2500))
          text = text.slice(0, offset) + scrap + text.slice(offset + length)
        }
        const lines = text.split('\n')
        for (const finding of lint(text).findings) {
          assert.notEqual(finding.code, 'rule-crashed', finding.detail)
          const place = placeOf(finding)
          assert.ok(place, finding.code)
          assert.ok(place.line >= 1 && place.line <= lines.length, `${finding.code} in line ${place.line} of ${lines.length}`)
          assert.ok(place.column >= 1 && place.column <= (lines[place.line - 1]?.length ?? 0) + 1, `${finding.code} at ${place.column}`)
        }
      },
    ),
    { numRuns: 400 },
  )
})

test('mutated values: whole nodes of a configuration are exchanged', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('docker', 'uvx', 'npx', '-it', '--rm', '${env:X}', '~/x', '/home/x', ''),
  )
  const entry = fc.dictionary(
    fc.constantFrom('name', 'command', 'args', 'env', 'isolation', 'enabled', 'url', 'protocol', 'Args', 'working_dir', 'init_timeout'),
    fc.oneof(
      value,
      fc.array(value, { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('enabled', 'image', 'extra_args', 'mode', 'network_mode', 'volumes'), value),
    ),
  )
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('enabled', 'mode', 'extra_args', 'default_images', 'registry'), value),
      (servers, isolation) => {
        const text = JSON.stringify({ mcpServers: servers, docker_isolation: isolation })
        const { findings } = lint(text)
        assert.ok(!findings.some((f) => f.code === 'rule-crashed'), JSON.stringify(findings.filter((f) => f.code === 'rule-crashed')))
        const { text: fixed } = fixText('mcp_config.json', text, lintOptions(), () => false)
        assert.doesNotThrow(() => JSON.parse(fixed))
        // With a key that stands twice the file is read node by node: the same is found, in the same places.
        const pretty = JSON.stringify({ mcpServers: servers, docker_isolation: isolation }, null, 2)
        const byNode = lint(pretty.replace('{', '{"zz": 0, "zz": 0,'))
        assert.ok(!byNode.reading.document.entries && lint(pretty).reading.document.entries)
        const others = byNode.findings.filter((f) => f.code !== 'duplicate-keys')
        assert.deepEqual(lint(pretty).findings, others)
        assert.deepEqual(lint(pretty).reading.servers, byNode.reading.servers)
      },
    ),
    { numRuns: 300 },
  )
})
