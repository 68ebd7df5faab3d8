/** Each cause in forms that no recording here has, and what only looks like it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../../../src/lib/rules/rule.ts'
import { findingsOf, type Failure } from '../../helpers/failing-capture.ts'

const node = { command: 'node', args: ['/srv/mcp/server.mjs'], isolation: { extra_args: ['-v', '/srv/mcp:/srv/mcp:ro'] } }
const shell = (text: string): Failure['server'] => ({ command: 'sh', args: ['-c', text] })
const docker = (...args: string[]): Failure['server'] => ({ command: 'docker', args: ['run', '-i', '--rm', ...args] })
const refusedBy = (text: string): string[] => [
  `docker: Error response from daemon: ${text}`,
  "Run 'docker run --help' for more information",
]
const application = { 'acme/tool': { Config: { Entrypoint: ['/app/tool'], Cmd: [] } } }
const stdioImage = { 'acme/node-tool': { Config: { Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node', 'dist/index.js'] } } }
const node22 = (more: object): NonNullable<Failure['images']> => ({ 'docker.io/library/node:22': { Config: {}, ...more } })

interface Case extends Failure {
  /** The first code; `null`: no error at all. */
  first: string
  title?: string
  rank?: 'proven' | 'supported' | 'suspected'
  /** Codes that must not appear. */
  not?: string[]
}

const cases: Record<string, Case> = {
  // docker, called from inside
  'python starts docker': {
    first: 'docker-in-docker',
    server: { command: 'uvx', args: ['sandbox-mcp'] },
    stderr: ['Traceback (most recent call last):', "FileNotFoundError: [Errno 2] No such file or directory: 'docker'"],
    container: { exitCode: 1 },
  },
  'a file called docker-compose.yml is missing, not docker': {
    first: 'server-crash',
    not: ['docker-in-docker'],
    server: node,
    stderr: ["FileNotFoundError: [Errno 2] No such file or directory: 'docker-compose.yml'"],
    container: { exitCode: 1 },
  },

  // the engine answers what docker cannot understand
  'the answer to attach is no HTTP': {
    first: 'engine-unresponsive',
    rank: 'supported',
    not: ['server-crash'],
    server: node,
    stderr: ['malformed HTTP response "\\x00\\x01SSH-2.0-OpenSSH_9.6"'],
    container: 'never',
  },
  'the answer to attach is cut off': { first: 'engine-unresponsive', server: node, stderr: ['unexpected EOF'], container: 'never' },
  'a program that ran says the same': {
    first: 'server-crash',
    not: ['engine-unresponsive'],
    server: node,
    stderr: ['unexpected EOF'],
    container: { exitCode: 1 },
  },
  'a script with the line ends of Windows': {
    first: 'not-executable',
    rank: 'supported',
    not: ['image-lacks-program'],
    server: docker('acme/tool'),
    stderr: ["/usr/bin/env: 'bash\\r': No such file or directory"],
    container: { exitCode: 127 },
  },
  'a published port that is taken': {
    first: 'docker-flag-invalid',
    rank: 'proven',
    server: docker('-p', '80:8080', 'acme/tool'),
    stderr: refusedBy(
      'driver failed programming external connectivity on endpoint web (4f0c): Bind for 0.0.0.0:80 failed: port is already allocated.',
    ),
  },
  'npm warns of the version, and a variable is missing': {
    first: 'env-missing',
    not: ['runtime-version'],
    server: node,
    stderr: ["npm warn EBADENGINE   required: { node: '>=22' },", 'Error: API_KEY environment variable is required'],
    container: { exitCode: 1 },
  },

  // programs that are not in the image
  'bash -c calls a program that is not there': {
    first: 'image-lacks-program',
    rank: 'supported',
    server: { command: 'bash', args: ['-c', 'cd /tmp && uvx tool'], isolation: { image: 'docker.io/library/node:22' } },
    stderr: ['bash: line 1: uvx: command not found'],
    container: { exitCode: 127 },
    images: node22({ programs: ['/usr/local/bin/node', '/bin/bash'] }),
  },
  'bash in the image that MCPProxy has for it': {
    first: 'unknown-runner',
    title: 'MCPProxy runs bash in a bare Alpine image, which has none',
    server: { command: 'bash', args: ['-c', 'node x.mjs'] },
    stderr: refusedBy('failed to create task: exec: "bash": executable file not found in $PATH: unknown.'),
    container: 'never',
  },
  'the server itself starts ffmpeg': {
    first: 'image-lacks-tools',
    rank: 'supported',
    not: ['image-lacks-program'],
    server: node,
    stderr: ['Error: spawn ffmpeg ENOENT'],
    container: { exitCode: 1 },
    images: node22({ programs: ['/usr/local/bin/node'] }),
  },
  'a package without a program of its name': {
    first: 'executable-name-differs',
    not: ['image-lacks-program', 'image-lacks-tools'],
    server: { command: 'npx', args: ['-y', '@acme/tool'] },
    stderr: ['sh: 1: tool: not found'],
    container: { exitCode: 127 },
  },
  'a library that python misses': {
    first: 'image-lacks-tools',
    rank: 'suspected',
    server: { command: 'python', args: ['/srv/mcp/x.py'], isolation: { extra_args: ['-v', '/srv/mcp:/srv/mcp'] } },
    stderr: ['ImportError: libGL.so.1: cannot open shared object file: No such file or directory'],
    container: { exitCode: 1 },
  },

  // what a program in the container writes is not what docker says
  'a program of a known command without -t says what docker says about terminals': {
    first: 'server-crash',
    not: ['tty-flag'],
    server: node,
    stderr: ['the input device is not a TTY'],
    container: { exitCode: 1 },
  },
  'docker says it, and no container ran': {
    first: 'tty-flag',
    server: shell('docker run -it --rm acme/tool'),
    isolation: { enabled: false },
    stderr: ['the input device is not a TTY'],
  },
  'a program of a container that ran knows no image': {
    first: 'server-crash',
    not: ['image-unknown'],
    server: node,
    stderr: ['docker: Error response from daemon: manifest for foo:bar not found: manifest unknown: manifest unknown.'],
    container: { exitCode: 125 },
  },
  'the limit of file watchers is no full disk': {
    first: 'server-crash',
    not: ['disk-full'],
    server: node,
    stderr: [
      "Error: ENOSPC: System limit for number of file watchers reached, watch '/srv/mcp'",
      'inotify_add_watch failed: No space left on device',
    ],
    container: { exitCode: 1 },
  },
  'a full disk': {
    first: 'disk-full',
    server: node,
    stderr: ['Error: ENOSPC: no space left on device, write'],
    container: { exitCode: 1 },
  },

  // docker's arguments
  '-v and its path in one word of a docker command': {
    first: 'docker-flag-invalid',
    rank: 'proven',
    not: ['path-not-absolute'],
    server: docker('-v /srv/data:/data', 'acme/tool'),
    stderr: refusedBy(
      'create  /srv/data: " /srv/data" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    ),
  },
  '--memory and its value in one word': {
    first: 'docker-flag-invalid',
    rank: 'proven',
    server: { ...node, isolation: { extra_args: ['--memory 1g'] } },
    stderr: ['unknown flag: --memory 1g', '', "Run 'docker run --help' for more information"],
  },
  'a variable and -e in one word': {
    first: 'docker-flag-invalid',
    server: { ...node, isolation: { extra_args: ['-e DEMO_LEVEL=1'] } },
    stderr: ['Error: DEMO_LEVEL environment variable is required'],
    container: { exitCode: 1 },
  },
  'a path with a blank in it is no glued flag': {
    first: 'path-not-absolute',
    not: ['docker-flag-invalid'],
    server: docker('-v', '~/my data:/data', 'acme/tool'),
    stderr: refusedBy('create ~/my data: "~/my data" includes invalid characters for a local volume name, only …'),
  },
  '--restart against the --rm of MCPProxy': {
    first: 'docker-flag-invalid',
    rank: 'proven',
    server: { ...node, isolation: { extra_args: ['--restart', 'always'] } },
    stderr: ['docker: conflicting options: cannot specify both --restart and --rm'],
  },
  'one mount point twice': {
    first: 'docker-flag-invalid',
    server: { ...node, isolation: { extra_args: ['-v', '/srv/a:/data', '-v', '/srv/b:/data'] } },
    stderr: refusedBy('Duplicate mount point: /data'),
  },
  'an env file that is not there': {
    first: 'docker-flag-invalid',
    server: { ...node, isolation: { extra_args: ['--env-file', '/srv/none.env'] } },
    stderr: ['docker: open /srv/none.env: no such file or directory'],
  },
  'a device that the engine does not have': {
    first: 'docker-flag-invalid',
    server: { ...node, isolation: { extra_args: ['--device', '/dev/kvm'] } },
    stderr: refusedBy('error gathering device information while adding custom device "/dev/kvm": no such file or directory'),
    container: 'never',
  },
  'a refusal that names nothing of the arguments': {
    first: 'server-crash',
    rank: 'suspected',
    not: ['docker-flag-invalid'],
    server: node,
    stderr: refusedBy('something that nobody has seen yet'),
  },
  'the network of a container that is not there': {
    first: 'network-unknown',
    server: { ...node, isolation: { network_mode: 'container:vpn' } },
    stderr: refusedBy('No such container: vpn'),
  },
  'a memory-swap below the memory': {
    first: 'limit-invalid',
    server: { ...node, isolation: { extra_args: ['--memory-swap', '256m'] } },
    stderr: refusedBy('Minimum memoryswap limit should be larger than memory limit, see usage'),
  },
  'the image is swallowed by the last flag of a docker command': {
    first: 'docker-args-order',
    rank: 'proven',
    server: docker('-e', 'acme/tool'),
    stderr: ["docker: 'docker run' requires at least 1 argument", '', 'Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]'],
  },
  'a stray word in extra_args is taken for the image': {
    first: 'docker-args-order',
    rank: 'supported',
    server: { ...node, isolation: { extra_args: ['-e', 'LEVEL', 'high'] } },
    stderr: [
      "Unable to find image 'high:latest' locally",
      ...refusedBy("pull access denied for high, repository does not exist or may require 'docker login'"),
    ],
  },
  '-e NAME before the image is how a name is passed on': {
    first: 'registry-login',
    not: ['docker-args-order'],
    server: docker('-e', 'LEVEL', 'acme/tool', 'serve'),
    stderr: [
      "Unable to find image 'acme/tool:latest' locally",
      ...refusedBy("pull access denied for acme/tool, repository does not exist or may require 'docker login'"),
    ],
    images: { 'acme/tool': null },
  },
  'a value between -e NAME and the image': {
    first: 'docker-args-order',
    server: docker('-e', 'LEVEL', 'high', 'acme/tool'),
    stderr: [
      "Unable to find image 'high:latest' locally",
      ...refusedBy('Get "https://registry.test/v2/": dial tcp: lookup registry.test: no such host'),
    ],
    images: { high: null },
  },
  '-v after the image': {
    first: 'docker-args-order',
    server: docker('acme/tool', '-v', '/srv/data:/data'),
    container: { exitCode: 0 },
    images: application,
  },
  'flags of the server itself after the image': {
    first: 'server-crash',
    not: ['docker-args-order', 'entrypoint-args'],
    server: docker('acme/tool', '-v', '--transport', 'stdio'),
    container: { exitCode: 1 },
    images: application,
  },

  // images
  'words that take the place of what the image runs': {
    first: 'entrypoint-args',
    rank: 'supported',
    not: ['image-lacks-program'],
    server: docker('acme/node-tool', 'stdio'),
    stderr: ["Error: Cannot find module '/app/stdio'", 'Node.js v22.1.0'],
    container: { exitCode: 1 },
    images: stdioImage,
  },
  'a flag where nothing takes it': {
    first: 'entrypoint-args',
    server: docker('acme/plain', '--stdio'),
    stderr: refusedBy('failed to create task: exec: "--stdio": executable file not found in $PATH: unknown'),
    container: 'never',
    images: { 'acme/plain': { Config: { Cmd: ['/usr/bin/serve'] } } },
  },
  'uvx in a node image is a program that is not there': {
    first: 'image-lacks-program',
    not: ['entrypoint-args'],
    server: docker('node:22', 'uvx', 'tool'),
    stderr: ["Error: Cannot find module '/uvx'", 'Node.js v22.1.0'],
    container: { exitCode: 1 },
    images: { 'node:22': { Config: { Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node'] }, programs: ['/usr/local/bin/node'] } },
  },
  'a whole command handed to an image with a program of its own': {
    first: 'entrypoint-args',
    server: { command: 'npx', args: ['-y', 'tool'], isolation: { image: 'ghcr.io/astral-sh/uv:latest' } },
    stderr: ["error: unrecognized subcommand 'npx'", 'usage: uv [OPTIONS] <COMMAND>'],
    container: { exitCode: 2 },
    images: { 'ghcr.io/astral-sh/uv:latest': { Config: { Entrypoint: ['/uv'] } } },
  },
  'the image is here for another processor': {
    first: 'platform-missing',
    rank: 'supported',
    server: docker('--platform', 'linux/arm64/v8', 'acme/tool'),
    stderr: [
      "Unable to find image 'acme/tool:latest' locally",
      ...refusedBy('Get "https://registry.test/v2/": dial tcp: lookup registry.test: no such host'),
    ],
    images: { 'acme/tool': { Architecture: 'amd64' } },
  },
  'no manifest for this processor': {
    first: 'platform-missing',
    server: docker('acme/tool'),
    stderr: [
      "Unable to find image 'acme/tool:latest' locally",
      'docker: no matching manifest for linux/arm64/v8 in the manifest list entries',
    ],
    images: { 'acme/tool': null },
  },
  'the platform fits, and the registry is gone': {
    first: 'registry-unreachable',
    rank: 'supported',
    not: ['platform-missing'],
    server: docker('--platform', 'linux/amd64', 'acme/tool'),
    stderr: [
      "Unable to find image 'acme/tool:latest' locally",
      ...refusedBy('Get "https://registry.test/v2/": dial tcp: lookup registry.test: no such host'),
    ],
    images: { 'acme/tool': null },
  },
  'the image came after the failure': {
    first: 'registry-unreachable',
    rank: 'suspected',
    server: docker('acme/tool'),
    stderr: [
      "Unable to find image 'acme/tool:latest' locally",
      ...refusedBy('Get "https://registry.test/v2/": dial tcp: lookup registry.test: no such host'),
    ],
    images: { 'acme/tool': {} },
  },
  'a program of another processor, started by the entry script of the image': {
    first: 'foreign-architecture',
    rank: 'suspected',
    server: { command: '/srv/mcp/server' },
    stderr: ['/usr/local/bin/docker-entrypoint.sh: 11: exec: /srv/mcp/server: Exec format error'],
    container: { exitCode: 126 },
    not: ['server-crash'],
  },
  'an image for another processor': {
    first: 'foreign-architecture',
    rank: 'proven',
    server: docker('acme/tool'),
    stderr: [
      "WARNING: The requested image's platform (linux/arm64) does not match the detected host platform (linux/amd64/v3) and no specific platform was requested",
      'exec /app/tool: exec format error',
    ],
    container: { exitCode: 1 },
    images: { 'acme/tool': { Architecture: 'arm64' } },
  },
  'an emulated image that fails for another reason': {
    first: 'env-missing',
    not: ['foreign-architecture'],
    server: docker('acme/tool'),
    stderr: [
      "WARNING: The requested image's platform (linux/arm64) does not match the detected host platform (linux/amd64/v3) and no specific platform was requested",
      'Error: DEMO_TOKEN environment variable is required',
    ],
    container: { exitCode: 1 },
    images: { 'acme/tool': { Architecture: 'arm64' } },
  },
  'a script that may not be executed, read by node': {
    first: 'not-executable',
    server: {
      command: '/srv/mcp/start.sh',
      args: [],
      isolation: { image: 'docker.io/library/node:22', extra_args: ['-v', '/srv/mcp:/srv/mcp'] },
    },
    stderr: ['/srv/mcp/start.sh:2', 'exec node /srv/mcp/ok.mjs', '^^^^', "SyntaxError: Unexpected identifier 'node'", 'Node.js v22.1.0'],
    container: { exitCode: 1 },
  },
  'a mistake in the JavaScript of the server': {
    first: 'server-crash',
    not: ['not-executable'],
    server: node,
    stderr: ['/srv/mcp/server.mjs:2', 'conts x = 1', '^^^^', "SyntaxError: Unexpected identifier 'x'", 'Node.js v22.1.0'],
    container: { exitCode: 1 },
  },
  'a script without an interpreter line': {
    first: 'not-executable',
    not: ['foreign-architecture'],
    server: docker('--entrypoint', '/app/start.sh', 'acme/tool'),
    stderr: ['exec /app/start.sh: exec format error'],
    container: { exitCode: 1 },
    images: application,
  },
  'a mirror in front of a short name': {
    first: 'registry-prefix',
    server: { command: 'node', args: ['/srv/x.mjs'] },
    isolation: { registry: 'mirror.test/cache' },
    stderr: [
      "Unable to find image 'mirror.test/cache/library/node:22' locally",
      ...refusedBy('repository mirror.test/cache/library/node not found: name unknown'),
    ],
    images: { 'mirror.test/cache/library/node:22': null },
  },
  'a mirror that has the image, and not the tag': {
    first: 'image-unknown',
    not: ['registry-prefix'],
    server: { command: 'node', args: ['/srv/x.mjs'], isolation: { image: 'node:99' } },
    isolation: { registry: 'mirror.test/cache' },
    stderr: [
      "Unable to find image 'mirror.test/cache/library/node:99' locally",
      ...refusedBy('manifest for mirror.test/cache/library/node:99 not found: manifest unknown: manifest unknown'),
    ],
    images: { 'mirror.test/cache/library/node:99': null },
  },

  // files
  'cd into a folder of the host': {
    first: 'host-path-not-mounted',
    server: shell('cd /home/user/project && ./run'),
    stderr: ["sh: cd: line 0: can't cd to /home/user/project: No such file or directory"],
    container: { exitCode: 2 },
    host: { '/home/user/project': 'directory' },
  },
  'a file that the mounted folder does not have': {
    first: 'host-path-not-mounted',
    server: { ...node, args: ['/srv/mcp/sevrer.mjs'] },
    stderr: ["Error: Cannot find module '/srv/mcp/sevrer.mjs'", 'Node.js v22.1.0'],
    container: { exitCode: 1 },
    host: { '/srv/mcp': 'directory', '/srv/mcp/server.mjs': 'file', '/srv/mcp/sevrer.mjs': null },
    not: ['server-crash'],
  },
  'a database in a read-only mount, by its variable': {
    first: 'read-only-filesystem',
    rank: 'supported',
    server: { command: 'uvx', args: ['mem'], env: { DB: '/data/mem.sqlite' }, isolation: { extra_args: ['-v', '/srv/data:/data:ro'] } },
    stderr: ['sqlite3.OperationalError: attempt to write a readonly database'],
    container: { exitCode: 1 },
  },
  'a database in a writable mount': {
    first: 'server-crash',
    not: ['read-only-filesystem'],
    server: { command: 'uvx', args: ['mem', '/data/mem.sqlite'], isolation: { extra_args: ['-v', '/srv/data:/data'] } },
    stderr: ['sqlite3.OperationalError: unable to open database file'],
    container: { exitCode: 1 },
  },

  // network
  'a service of the host that refuses': {
    first: 'host-loopback-only',
    rank: 'suspected',
    server: { command: 'uvx', args: ['pg'], env: { PGHOST: 'host.docker.internal' } },
    stderr: ['Error: connect ECONNREFUSED 192.168.65.254:5432'],
    container: { exitCode: 1 },
  },
  'localhost over IPv6': {
    first: 'localhost-in-container',
    rank: 'supported',
    server: { command: 'uvx', args: ['pg', 'postgres://localhost/db'] },
    stderr: ['Error: connect ECONNREFUSED ::1:5432'],
    container: { exitCode: 1 },
  },
  'something on localhost that the configuration does not name': {
    first: 'localhost-in-container',
    rank: 'suspected',
    server: { command: 'uvx', args: ['browser'] },
    stderr: ['Error: connect ECONNREFUSED 127.0.0.1:9222'],
    container: { exitCode: 1 },
  },
  'what the server can do without': {
    first: 'server-crash',
    not: ['env-missing', 'localhost-in-container', 'host-path-not-mounted'],
    server: { command: 'uvx', args: ['tool', '--config', '/home/user/tool.toml'] },
    stderr: [
      'SENTRY_DSN environment variable not set, error reporting disabled',
      'cache: connect ECONNREFUSED 127.0.0.1:6379 (falling back to memory)',
      "ENOENT: no such file or directory, open '/home/user/tool.toml', using defaults",
      'panic: index out of range',
    ],
    container: { exitCode: 2 },
    host: { '/home/user/tool.toml': 'file' },
  },
  'a machine elsewhere that refuses': {
    first: 'server-crash',
    not: ['host-loopback-only', 'localhost-in-container'],
    server: { command: 'uvx', args: ['pg'] },
    stderr: ['Error: connect ECONNREFUSED 10.1.2.3:5432'],
    container: { exitCode: 1 },
  },
  'a variable that is set, but empty': {
    first: 'env-missing',
    title: 'The server needs API_KEY, which is set, but empty',
    server: { command: 'uvx', args: ['tool'], env: { API_KEY: '' } },
    stderr: ['Error: API_KEY environment variable is required'],
    container: { exitCode: 1 },
  },
  'a variable that a docker flag sets to nothing': {
    first: 'env-missing',
    title: 'The server needs API_KEY, which is set, but empty',
    server: docker('-e', 'API_KEY=', 'acme/tool'),
    stderr: ['Error: API_KEY environment variable is required'],
    container: { exitCode: 1 },
  },
  'a variable that nothing passes': {
    first: 'env-missing',
    title: 'The server needs API_KEY, and nothing passes it',
    server: { command: 'uvx', args: ['tool'], env: { OTHER: '' } },
    stderr: ['Error: API_KEY environment variable is required'],
    container: { exitCode: 1 },
  },
  'a python exception outweighs a connection that was optional': {
    first: 'env-missing',
    not: ['localhost-in-container'],
    server: { command: 'uvx', args: ['tool'] },
    stderr: [
      'metrics: ECONNREFUSED 127.0.0.1:9090, going on',
      'Traceback (most recent call last):',
      'File "/app/x.py", line 3, in <module>',
      "KeyError: 'DEMO_TOKEN'",
    ],
    container: { exitCode: 1 },
  },
  'the cause of a chain of python exceptions counts': {
    first: 'localhost-in-container',
    server: { command: 'uvx', args: ['tool', 'localhost:5432'] },
    stderr: [
      'Traceback (most recent call last):',
      'ConnectionRefusedError: [Errno 111] Connection refused',
      'During handling of the above exception, another exception occurred:',
      'Traceback (most recent call last):',
      'RuntimeError: startup failed',
    ],
    container: { exitCode: 1 },
  },

  // input
  'a shell line that ends with an ampersand': {
    first: 'stdin-lost',
    rank: 'supported',
    server: shell('node /app/server.js & wait'),
    container: { exitCode: 0 },
  },
  'a shell line with two commands': {
    first: 'server-crash',
    not: ['stdin-lost'],
    server: shell('cd /app && node server.js 2>&1'),
    container: { exitCode: 0 },
  },
  'an entry script of the image': {
    first: 'stdin-lost',
    rank: 'suspected',
    server: docker('acme/scripted'),
    container: { exitCode: 0 },
    images: { 'acme/scripted': { Config: { Entrypoint: ['/app/start.sh'] } } },
  },
  'an entry script that fails': {
    first: 'server-crash',
    not: ['stdin-lost'],
    server: docker('acme/scripted'),
    container: { exitCode: 1 },
    images: { 'acme/scripted': { Config: { Entrypoint: ['/app/start.sh'] } } },
  },

  // the word docker in a path
  'a path with docker in it, and what isolation would have mounted': {
    first: 'docker-in-path',
    rank: 'supported',
    server: { command: '/opt/docker-tools/run', args: [], isolation: { extra_args: ['-v', '/srv/data:/data'] } },
    stderr: ["Error: ENOENT: no such file or directory, open '/data/x.json'"],
  },
  'a path with docker in it, and a variable that is missing': {
    first: 'env-missing',
    server: { command: '/opt/docker-tools/run', args: [] },
    stderr: ['Error: DEMO_TOKEN environment variable is required'],
  },
}

test('a script below /tmp of the host, which the program itself misses', async () => {
  const failure: Failure = {
    server: { command: 'node', args: ['/tmp/work/server.mjs'] },
    stderr: ["Error: Cannot find module '/tmp/work/server.mjs'", '    at Module._load', 'Node.js v22.1.0'],
    container: { exitCode: 1 },
    host: { '/tmp/work/server.mjs': 'file' },
  }
  const [first] = await findingsOf(failure)
  assert.deepEqual([first?.code, first?.rank], ['host-path-not-mounted', 'proven'])
  const mounts = (f: Finding | undefined): unknown =>
    f?.remedies.map((r) => (r.kind === 'config-edit' ? [r.class, r.title, (r.edits[0]?.value as string[]).at(-1)] : r.kind))
  assert.deepEqual(mounts(first), [['safe', 'Mount the folder read-only at the same path', '/tmp/work:/tmp/work:ro']])
  // In /tmp itself: a mount there would hide the container's own.
  const flat = {
    ...failure,
    server: { command: 'node', args: ['/tmp/x.mjs'] },
    host: { '/tmp': 'directory', '/tmp/x.mjs': 'file' } as const,
  }
  const [alone] = await findingsOf({ ...flat, stderr: ["Error: Cannot find module '/tmp/x.mjs'"] })
  assert.deepEqual(mounts(alone), [['safe', 'Mount the file read-only at the same path', '/tmp/x.mjs:/tmp/x.mjs:ro']])
  // Near misses: the host has none either, another file, a file below a /tmp that every container has, no word of it.
  for (const change of [
    { host: { '/tmp/work/server.mjs': null } },
    { stderr: ["Error: Cannot find module '/tmp/other/server.mjs'"] },
    { ...flat, server: { command: 'node', args: ['-e', 'x', '/tmp'] }, stderr: ["Error: Cannot find module '/tmp/x.mjs'"] },
    { stderr: ['Error: no licence'] },
  ] satisfies Partial<Failure>[]) {
    const codes = (await findingsOf({ ...failure, ...change })).map((f) => f.code)
    assert.ok(!codes.includes('host-path-not-mounted'), JSON.stringify(change))
  }
})

test('a file that the host does not have either', async () => {
  const failure: Failure = {
    server: { command: 'node', args: ['/opt/nope.mjs'] },
    stderr: ["Error: Cannot find module '/opt/nope.mjs'"],
    container: { exitCode: 1 },
    host: { '/opt/nope.mjs': null },
  }
  const [first] = await findingsOf(failure)
  assert.deepEqual([first?.code, first?.rank], ['host-path-not-mounted', 'suspected'])
  assert.match(first?.title ?? '', /neither the container nor the host has/)
  assert.deepEqual(
    first?.remedies.map((r) => r.kind),
    ['instruction'],
  )
  // Where nobody could look at the host, nothing is said of it.
  const [unseen] = await findingsOf({ ...failure, host: {} })
  assert.doesNotMatch(`${unseen?.title} ${unseen?.detail}`, /neither|either/)
})

test('a crash cites the reason also when the stack is longer than its last words', async () => {
  const stack = Array.from({ length: 12 }, (_, i) => `    at step${i} (file:///app/x.js:${i}:1)`)
  const cited = async (stderr: string[]): Promise<string[]> =>
    ((await findingsOf({ server: node, stderr, container: { exitCode: 1 } })).find((f) => f.code === 'server-crash')?.cites ?? []).flatMap(
      (c) => (c.type === 'log' ? [c.text] : []),
    )
  const long = await cited(['TypeError: x is not a function', ...stack, 'Node.js v22.1.0'])
  assert.equal(long[0], 'TypeError: x is not a function')
  assert.equal(long.length, 8)
  const short = await cited(['TypeError: x is not a function', '    at f (file:///app/x.js:1:1)'])
  assert.deepEqual(short, ['TypeError: x is not a function', '    at f (file:///app/x.js:1:1)'])
  // Nothing in it looks like a reason: just the last words.
  assert.equal((await cited(stack))[0]?.trim().startsWith('at step4'), true)
})

for (const [name, { first, title, rank, not, ...failure }] of Object.entries(cases)) {
  test(name, async () => {
    const findings = await findingsOf(failure)
    const seen = findings.map((f) => `${f.code} ${f.rank}`).join(', ')
    assert.equal(findings[0]?.code, first, seen)
    if (rank) assert.equal(findings[0]?.rank, rank, seen)
    if (title !== undefined) assert.equal(findings[0]?.title, title)
    for (const code of not ?? []) assert.ok(!findings.some((f) => f.code === code), seen)
  })
}

test('a container that is stopped for another server of the same image', async () => {
  const trail: [string, Record<string, unknown>][] = [
    ['Killing matching Docker container', { upstream_id: 'bad', server: 'bad', container_id: 'be356a377045' }],
  ]
  const failure: Failure = {
    server: docker('acme/tool'),
    others: [{ name: 'bad', command: 'docker', args: ['run', '-it', '--rm', 'acme/tool'] }],
    outcome: 'connected',
    container: { exitCode: 137, signals: [15, 9] },
    main: trail,
  }
  const [first] = await findingsOf(failure)
  assert.deepEqual([first?.code, first?.rank], ['cleanup-by-image', 'proven'])
  // Nobody else has this image, or nothing says that MCPProxy did it.
  for (const change of [{ others: [] }, { main: [] }]) {
    const other = await findingsOf({ ...failure, ...change })
    assert.ok(!other.some((f) => f.code === 'cleanup-by-image'))
  }
})
