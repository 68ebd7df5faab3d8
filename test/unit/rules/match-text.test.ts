import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fc } from '../../helpers/fast-check.ts'
import { allCodes } from '../../../src/lib/rules/catalogue.ts'
import { explainAll, explainCode, explainText } from '../../../src/lib/rules/match-text.ts'
import { packageRoot } from '../../helpers/package-root.ts'

const codes = (text: string): string[] => explainText(text).matches.map((m) => m.code)

interface Recorded {
  recording: string
  code: string | null
  texts: { variant: string | null; text: string }[]
  /** Why the text alone cannot show the cause. */
  silent?: string
}
const recorded = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/docker-texts.json'), 'utf8')) as Recorded[]

describe('what docker and programs print when docker run fails', () => {
  for (const { recording, code, texts, silent } of recorded) {
    test(recording, () => {
      if (silent === undefined) assert.ok(texts.length > 0 || code === null)
      for (const { text, variant } of texts) {
        const found = codes(text)
        // Of what works nothing may be said; where the text cannot show the cause, nothing with certainty.
        if (code === null) assert.deepEqual(found, [])
        else if (silent !== undefined) assert.ok(explainText(text).matches.every((m) => m.fit === 'possible'))
        else assert.ok(found.slice(0, 3).includes(code), `${variant ?? ''}: ${found.join(' ')}`)
      }
    })
  }
})

describe('texts that are not among the recordings', () => {
  const cases: [string, string][] = [
    ['cannot attach stdin to a TTY-enabled container because stdin is not a terminal', 'tty-flag'],
    ["the input device is not a TTY.  If you are using mintty, try prefixing the command with 'winpty'", 'tty-flag'],
    ["Unable to find image 'run:latest' locally", 'docker-args-order'],
    [
      "docker: Error response from daemon: pull access denied for run, repository does not exist or may require 'docker login'.",
      'docker-args-order',
    ],
    ['failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct', 'engine-down'],
    ['zsh:1: command not found: docker', 'docker-cli-missing'],
    ["The command 'docker' could not be found in this WSL 2 distro.", 'docker-cli-missing'],
    ['Docker Desktop is paused or unavailable. Resume Docker and retry.', 'engine-unresponsive'],
    ['docker: Error response from daemon: unauthorized', 'registry-login'],
    ['no matching manifest for linux/arm64/v8 in the manifest list entries', 'platform-missing'],
    ['qemu: uncaught target signal 11 (Segmentation fault) - core dumped', 'foreign-architecture'],
    ["docker-init: /lib/libc.so.6: version `GLIBC_2.38' not found", 'init-helper-broken'],
    ['Mounts denied: The path /data is not shared from the host and is not known to Docker.', 'path-not-shared'],
    ['Git executable not found. Ensure that Git is installed and available.', 'image-lacks-tools'],
    ["ModuleNotFoundError: No module named 'mcp.server.fastmcp'", 'sdk-major-release'],
    ["ModuleNotFoundError: No module named 'requests'", 'host-packages-missing'],
    ['ERROR: unknown command "run"', 'pipx-becomes-pip'],
    ["KeyError: 'SOME_API_KEY'", 'env-missing'],
    ['getaddrinfo ENOTFOUND host.docker.internal', 'host-docker-internal'],
    ['connect ECONNREFUSED 172.17.0.1:5432', 'host-loopback-only'],
    ['Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)', 'speaks-http'],
    ['No usable sandbox!', 'browser-sandbox'],
    ["invalid character '/' looking for beginning of object key string", 'config-syntax'],
    ['exit status 137', 'memory-limit-reached'],
    ['137', 'memory-limit-reached'],
    ['docker: Error response from daemon: Container cannot be connected to network endpoints: bridge, host', 'network-repeated'],
    [
      'OCI runtime create failed: unable to start container process: exec: "npx": executable file not found in $PATH: unknown',
      'image-lacks-program',
    ],
    ['docker exec -it web node server.js', 'tty-flag'],
    ['docker run --rm -it -v /a:/b acme/tool', 'tty-flag'],
    ['docker exec -it web node server.js\nthe input device is not a TTY', 'tty-flag'],
    ['docker run --rm -d acme/tool', 'stdin-closed'],
    ['docker run --detach acme/tool', 'stdin-closed'],
    ['repository name must be lowercase', 'image-unknown'],
    ['docker: invalid reference format: repository name (library/Node) must be lowercase', 'image-unknown'],
    ["/usr/bin/env: 'bash\\r': No such file or directory", 'not-executable'],
    ["/usr/bin/env: 'bash\r': No such file or directory", 'not-executable'],
    ['/usr/bin/env: ‘bash\\r’: No such file or directory', 'not-executable'],
    ["env: can't execute 'bash\\r': No such file or directory", 'not-executable'],
    ['/app/run.sh: /bin/bash^M: bad interpreter: No such file or directory', 'not-executable'],
    ['fork/exec /opt/homebrew/bin/uvx: no such file or directory', 'host-command-missing'],
    ['fork/exec /srv/mcp/start.sh: no such file or directory', 'not-executable'],
    ['fork/exec /srv/mcp/start.sh: permission denied', 'not-executable'],
    [
      'docker: Error response from daemon: driver failed programming external connectivity on endpoint web (4f0c): Bind for 0.0.0.0:8080 failed: port is already allocated.',
      'docker-flag-invalid',
    ],
    ['Bind for 0.0.0.0:8080 failed: port is already allocated', 'docker-flag-invalid'],
    ['Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use', 'docker-flag-invalid'],
    // Other releases, other programs.
    ['exec /entrypoint.sh: exec format error', 'foreign-architecture'],
    ['exec /entrypoint.sh: exec format error', 'not-executable'],
    ['/usr/local/bin/docker-entrypoint.sh: 11: exec: /srv/mcp/server: Exec format error', 'foreign-architecture'],
    ['bash: line 1: /srv/mcp/server: cannot execute binary file: Exec format error', 'foreign-architecture'],
    ["OSError: [Errno 8] Exec format error: '/opt/server'", 'foreign-architecture'],
    ['rosetta error: failed to open elf at /lib64/ld-linux-x86-64.so.2', 'foreign-architecture'],
    ["qemu-x86_64: Could not open '/lib64/ld-linux-x86-64.so.2': No such file or directory", 'foreign-architecture'],
    ["/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /app/server)", 'image-lacks-tools'],
    ['Error relocating /app/node_modules/x.node: __memcpy_chk: symbol not found', 'image-lacks-tools'],
    ["ModuleNotFoundError: No module named 'tomllib'", 'runtime-version'],
    ["SyntaxError: The requested module 'node:util' does not provide an export named 'styleText'", 'runtime-version'],
    ["ImportError: cannot import name 'override' from 'typing' (/usr/local/lib/python3.11/typing.py)", 'runtime-version'],
    ["TypeError: unsupported operand type(s) for |: 'type' and 'NoneType'", 'runtime-version'],
    ["SyntaxError: Unexpected token '??='", 'runtime-version'],
    ['This version of Node.js requires NODE_MODULE_VERSION 127.', 'runtime-version'],
    ["ERROR: Package 'mcp' requires a different Python: 3.9.2 not in '>=3.10'", 'runtime-version'],
    ['exec: "docker": executable file not found in %PATH%', 'docker-cli-missing'],
    ["'docker' is not recognized as an internal or external command,", 'docker-cli-missing'],
    ['dial unix /var/run/docker.sock: connect: no such file or directory', 'engine-down'],
    ['cannot open path of the current working directory: Permission denied', 'snap-docker'],
    [
      'docker: failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://cdn.test/blobs/ab": dial tcp: lookup cdn.test: no such host',
      'registry-unreachable',
    ],
    ['docker: image operating system "windows" cannot be used on this platform: operating system is not supported.', 'platform-missing'],
    ['docker: conflicting options: --restart and --rm', 'docker-flag-invalid'],
    ["Error: Cannot find module '/app/npx'", 'entrypoint-args'],
    ['npm error 404 Not Found - GET https://registry.npmjs.org/@acme%2fserver - Not found', 'package-unknown'],
    ['sh: 1: mcp-server-acme: not found', 'executable-name-differs'],
    ['botocore.exceptions.NoCredentialsError: Unable to locate credentials', 'env-missing'],
    ['Failed to connect to Ollama at http://localhost:11434', 'localhost-in-container'],
    ["wget: bad address 'example.com'", 'container-dns'],
    ["Error: certificate has expired\n  code: 'CERT_HAS_EXPIRED'", 'tls-untrusted'],
    ['sqlite3.OperationalError: database or disk is full', 'disk-full'],
    ['The SUID sandbox helper binary was found, but is not configured correctly.', 'browser-sandbox'],
  ]
  for (const [text, code] of cases) test(text, () => assert.ok(codes(text).slice(0, 3).includes(code), codes(text).join(' ')))
})

test('a docker command without the flag is not one with it', () => {
  for (const text of [
    'docker exec -i web node -t',
    'docker run -i --tmpfs /tmp --rm acme/tool',
    'docker run -i --device /dev/kvm acme/tool -d',
  ])
    assert.deepEqual(codes(text), [], text)
})

test('a warning of npm that working servers print too is no match, and says what would be one', () => {
  for (const npm of ['npm warn', 'npm WARN']) {
    const warning = [
      `${npm} EBADENGINE Unsupported engine {`,
      `${npm} EBADENGINE   required: { node: '>=22' },`,
      `${npm} EBADENGINE }`,
    ].join('\n')
    const { matches, harmless } = explainText(warning)
    assert.deepEqual(matches, [])
    assert.match(harmless[0]?.because ?? '', /Does an error follow.*runtime-version/)
  }
  assert.deepEqual(codes('npm error code EBADENGINE\nnpm error notsup Required: {"node":">=22"}'), ['runtime-version'])
})

test('words that resemble those of another cause do not lead there', () => {
  for (const [text, wrong] of [
    ["/usr/bin/env: 'bash\\r': No such file or directory", 'image-lacks-program'],
    ["/lib/libc.so.6: version `GLIBC_2.38' not found (required by /app/server)", 'env-missing'],
    ['This version of Node.js requires NODE_MODULE_VERSION 127.', 'env-missing'],
    ['exec: "docker": executable file not found in %PATH%', 'docker-in-docker'],
    ['cannot open path of the current working directory: Permission denied', 'host-path-not-mounted'],
    ['WARNING: Error loading config file: /home/user/.docker/config.json - json: cannot unmarshal string', 'config-shape'],
    ["Error: Cannot find module '/app/npx'", 'host-path-not-mounted'],
    [
      'docker: failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://cdn.test/blobs/ab": dial tcp: lookup cdn.test: no such host',
      'container-dns',
    ],
  ] as const)
    assert.ok(!codes(text).includes(wrong), `${text}: ${codes(text).join(' ')}`)
})

test('a refused connection is never one thing: it may be that nothing listens', () => {
  for (const [text, code] of [
    ['Error: connect ECONNREFUSED 127.0.0.1:5432', 'localhost-in-container'],
    ['Error: connect ECONNREFUSED 172.17.0.1:5432', 'host-loopback-only'],
  ] as const) {
    const [first] = explainText(text).matches
    assert.deepEqual([first?.code, first?.fit], [code, 'possible'])
  }
})

test('the text about the TTY is one thing, and not what guides say', () => {
  for (const text of [
    'the input device is not a TTY',
    '  "last_error": "server process exited before completing the MCP initialize handshake; recent stderr:\\n  | the input device is not a TTY: transport error: transport closed",',
  ]) {
    const { matches } = explainText(text)
    assert.deepEqual(
      matches.map((m) => m.code),
      ['tty-flag'],
    )
    assert.match(matches[0]?.myth ?? '', /not Docker-in-Docker/)
    assert.equal(matches[0]?.because, 'the input device is not a TTY')
  }
})
test('what a docker inside a container says is told from what the docker outside says', () => {
  assert.equal(codes('exec: "docker": executable file not found in $PATH: unknown')[0], 'docker-in-docker')
  assert.equal(codes('/bin/sh: 1: docker: not found')[0], 'docker-cli-missing')
})
test('where several codes fit, what decides between them is said', () => {
  const [first, second] = explainText('exit code 137').matches
  assert.equal(first?.code, 'memory-limit-reached')
  assert.match(first.decidedBy, /killed-from-outside: .*oom event/)
  assert.equal(second?.code, 'killed-from-outside')
  assert.match(second.decidedBy, /memory-limit-reached: /)
})
test('a clear line silences vague ones', () => {
  assert.deepEqual(codes('transport closed\nexited before completing the MCP initialize handshake\nunknown flag: --memry'), [
    'docker-flag-invalid',
  ])
})

describe('frightening and harmless', () => {
  const texts = [
    'OPENAI_API_KEY not set, semantic search is disabled',
    'Warning: GITHUB_TOKEN is not set; using unauthenticated requests with lower rate limits',
    'Debugger listening on ws://127.0.0.1:9229/0f2c936f-b1cd-4ac9-aab3-f63b0f33d55e',
    'Unsupported protocol version requested, falling back to 2024-11-05',
    "W dso_loader.cc:64] Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file: No such file or directory",
    'npm warn exec The following package was not found and will be installed: some-server@1.0.0',
    'npm warn deprecated inflight@1.0.6: This module is not supported, and leaks memory.',
    'WARNING: Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    "WARNING: The requested image's platform (linux/amd64) does not match the detected host platform (linux/arm64/v8) and no specific platform was requested",
    '(node:1) ExperimentalWarning: The Fetch API is an experimental feature.',
    'Secure MCP Filesystem Server running on stdio',
    'Installed 32 packages in 43ms',
    "Unable to find image 'node:22' locally\n22: Pulling from library/node\nStatus: Downloaded newer image for node:22",
  ]
  for (const text of texts)
    test(text.slice(0, 60), () => {
      const found = explainText(text)
      assert.deepEqual(found.matches, [])
      assert.ok(found.harmless.length > 0)
    })
  test('a log of a healthy server', () => {
    const logs = join(packageRoot(), 'test/captures/0.60.0-healthy/home/.local/state/mcpproxy/logs')
    for (const name of ['main.log', 'server-good.log']) assert.deepEqual(codes(readFileSync(join(logs, name), 'utf8')), [])
  })
})

test("MCPProxy's own code, when nothing else is said", () => {
  const found = explainText('MCPX_DOCKER_EXEC_NOT_FOUND')
  assert.ok(found.matches.length > 5)
  assert.ok(found.matches.every((m) => m.fit === 'possible' && m.mcpx.includes('MCPX_DOCKER_EXEC_NOT_FOUND')))
  assert.match(found.note ?? '', /many|causes/)
  assert.deepEqual(codes('MCPX_STDIO_EXIT_BEFORE_INITIALIZE\nthe input device is not a TTY'), ['tty-flag'])
})
test('an unknown text yields nothing', () => {
  assert.deepEqual(explainText('the cat sat on the mat'), { schemaVersion: 1, matches: [], harmless: [], note: null })
  assert.deepEqual(codes(''), [])
})
test('a code and the list have the shape of a text', () => {
  const [match] = explainCode('tty-flag')?.matches ?? []
  assert.equal(match?.code, 'tty-flag')
  assert.ok(match.because !== '' && match.decidedBy !== '')
  assert.equal(explainCode('no-such-code'), null)
  assert.deepEqual(
    explainAll().matches.map((m) => m.code),
    allCodes(),
  )
})
test('no secret is repeated', () => {
  const token = 'ghp_0123456789abcdef0123456789abcdef0123'
  assert.doesNotMatch(JSON.stringify(explainText(`Error: GITHUB_TOKEN=${token} environment variable is not set`)), /ghp_0/)
})
test('whatever is pasted, it answers, in time', () => {
  const words = fc.constantFrom(
    'docker: ',
    'exec: "',
    'uvx',
    '": executable file not found',
    'npm error code ',
    '\\n',
    '\\\\n',
    '\n',
    ' | ',
    '{"msg": "',
    '"',
    ': ',
    '\u001b[31m',
    '\u0000',
    '137',
    'MCPX_',
    'Error response from daemon: ',
    '${',
    '2026-11-22T16:14:09.101Z | ERROR | a.go:1 | ',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string())), (parts) => {
      for (const match of explainText(parts.join('')).matches) assert.ok(match.because.length <= 200 && match.decidedBy !== '')
    }),
    { numRuns: 500 },
  )
  const started = Date.now()
  explainText(Array.from({ length: 200_000 }, (_, i) => `line ${i}: a: b | c "d" > e ${'x: '.repeat(20)}`).join('\n'))
  assert.ok(Date.now() - started < 10_000)
})
