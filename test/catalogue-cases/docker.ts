/** Causes between MCPProxy, docker, the engine and the image. */
import { attempt, container, life } from '../helpers/synthetic.ts'
import { daemon, directory, failed, file, flags, hung, node, npx, only, own, refused, works, type Cases } from './case.ts'

const unreachable = (why: string): Record<string, unknown> => ({ error: { kind: 'unreachable', why, message: 'Nothing answers.' } })
const image = (reference: string, config: object, more: object = {}): { images: Record<string, Record<string, unknown>> } => ({
  images: { [reference]: { Architecture: 'amd64', Os: 'linux', Config: config, ...more } },
})
const node22 = 'docker.io/library/node:22'

const other = (name: string): Record<string, unknown> => ({ name, enabled: true, command: 'npx', args: ['-y', name] })

export const dockerCases: Cases = {
  'tty-flag': { near: failed(own('acme/tool', '-t', 'stdio'), ['error: unknown option -t']) },
  'stdin-closed': { near: failed(own('acme/tool'), [], { exit: 0 }) },
  'stdin-lost': {
    found: failed({ command: 'sh', args: ['-c', 'node /app/server.js & wait'] }, [], { exit: 0 }),
    near: failed({ command: 'sh', args: ['-c', 'cd /app && node server.js 2>&1'] }, [], { exit: 0 }),
  },
  'docker-in-docker': { near: failed(npx, ["FileNotFoundError: [Errno 2] No such file or directory: 'docker-compose.yml'"]) },
  'proxy-in-container': {
    found: refused(node, '/bin/sh: 1: docker: not found', { files: { '/.dockerenv': file }, environment: { programs: { docker: null } } }),
    near: refused(node, '/bin/sh: 1: docker: not found', { environment: { programs: { docker: null } } }),
  },
  'docker-args-order': { near: failed(own('acme/tool', '--transport', 'stdio'), ['error: bad argument']) },
  'docker-flag-invalid': { near: failed(npx, ['unknown flag: --stdio']) },
  'log-driver-options': { near: refused(npx, daemon('network mcp-net not found.')) },
  'docker-cli-missing': { near: failed({ command: 'sh', args: ['-c', 'docker ps'] }, ['sh: docker: not found'], { exit: 127 }) },
  'host-command-missing': {
    found: {
      ...only({ command: 'uvx', args: ['a'], isolation: { enabled: false } }, { environment: { programs: { uvx: null } } }),
      serverLog: attempt({ container: null, command: 'uvx', stderr: [[0.1, '/bin/bash: line 1: uvx: command not found']] }),
    },
    near: {
      ...only({ command: 'uvx', args: ['a'], isolation: { enabled: false } }, { environment: { programs: { uvx: '/usr/bin/uvx' } } }),
      serverLog: attempt({ container: null, command: 'uvx', stderr: [[0.1, 'sh: 1: git: not found']] }),
    },
  },
  'engine-down': {
    near: works(npx, ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?']),
  },
  'engine-unresponsive': { near: hung(own('--quiet', '--pull', 'always', 'acme/tool'), [], { events: [] }) },
  'docker-endpoint-invalid': {
    near: refused(npx, 'docker: Cannot connect to the Docker daemon at unix:///run/x.sock. Is the docker daemon running?', {
      engine: unreachable('missing'),
    }),
  },
  'wrong-engine': {
    near: refused(npx, 'docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?', {
      engine: unreachable('missing'),
    }),
  },
  'socket-permission': { near: failed(npx, ["Error: EACCES: permission denied, open '/data/docker.json'"]) },
  'podman-engine': {
    found: only(npx, { engine: { Version: '4.3.1', Components: [{ Name: 'Podman Engine', Version: '4.3.1' }] } }),
    near: only(npx, { engine: { Components: [{ Name: 'Engine', Version: '20.10.24' }] } }),
  },
  'snap-docker': {
    found: refused(npx, 'required permitted capability cap_dac_override not found in current capabilities', {
      environment: { programs: { docker: '/snap/bin/docker' } },
    }),
    near: works(npx, ['snap-confine is ready'], { environment: { programs: { docker: '/snap/bin/docker' } } }),
  },
  'api-version': { near: refused(npx, daemon('client version string is odd')) },
  'docker-plugin-missing': {
    found: refused({ command: 'docker', args: ['mcp', 'gateway', 'run'] }, 'docker: unknown command: docker mcp'),
    near: refused({ command: 'docker', args: ['acme/tool'] }, "docker: 'acme/tool' is not a docker command."),
  },
  'init-helper-broken': {
    found: failed(flags('--init'), [
      "/sbin/docker-init: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /sbin/docker-init)",
    ]),
    near: failed(flags('--init'), ["Error: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /app/addon.node)"]),
  },
  'pull-rate-limit': { near: failed(npx, ['npm error 429 Too Many Requests']) },
  'registry-login': {
    near: refused(own('run', 'acme/tool'), daemon("pull access denied for run, repository does not exist or may require 'docker login'")),
  },
  'credential-helper-missing': { near: failed(npx, ['Error: error getting credentials for the database']) },
  'platform-missing': { near: failed(npx, ['no matching version for linux/arm64 in optionalDependencies, skipping']) },
  'foreign-architecture': {
    near: failed(
      { command: '/srv/mcp/run.sh', args: [] },
      ['/srv/mcp/run.sh: exec format error'],
      image('docker.io/library/alpine:3.18', {}),
    ),
  },
  'disk-full': { near: failed(npx, ['Error: ENOSPC: System limit for number of file watchers reached']) },
  'registry-prefix': {
    found: refused(npx, daemon('repository mirror.test/cache/library/node not found: name unknown'), {
      config: { docker_isolation: { enabled: true, registry: 'mirror.test/cache' } },
    }),
    near: refused(npx, daemon('manifest for mirror.test/cache/library/node:22 not found: manifest unknown'), {
      config: { docker_isolation: { enabled: true, registry: 'mirror.test/cache' } },
    }),
  },
  'image-unknown': { near: failed(npx, ['Error: manifest unknown to this tool, using the default']) },
  'registry-unreachable': {
    near: failed(npx, ['npm error network request to https://registry.test/v2/x failed, reason: connect ECONNREFUSED 192.0.2.1:443']),
  },
  'pull-in-handshake': { near: refused(own('run', 'acme/tool'), "Unable to find image 'run:latest' locally", { images: { run: null } }) },
  'image-lacks-program': { near: failed(npx, ['Error: spawn ffmpeg ENOENT'], image(node22, { Env: ['PATH=/usr/local/bin'] })) },
  'image-lacks-tools': {
    found: failed(node, ['Error: spawn ffmpeg ENOENT']),
    near: failed(npx, ['sh: 1: some-mcp: not found'], { exit: 127 }),
  },
  'runtime-version': {
    found: failed(npx, ['ReferenceError: File is not defined']),
    near: failed({ command: 'uvx', args: ['nosuch'] }, [
      '× No solution found when resolving tool dependencies:',
      '╰─▶ Because nosuch was not found in the package registry and you require nosuch, …',
    ]),
  },
  'host-packages-missing': {
    found: failed({ command: 'python3', args: ['/srv/mcp/x.py'], isolation: { extra_args: ['-v', '/srv/mcp:/srv/mcp'] } }, [
      "ModuleNotFoundError: No module named 'requests'",
    ]),
    near: works({ command: 'python3', args: ['/srv/mcp/x.py'], isolation: { enabled: false } }, [
      "No module named 'uvloop', falling back to asyncio",
    ]),
  },
  'entrypoint-args': {
    found: failed(
      own('acme/node-tool', 'stdio'),
      ["Error: Cannot find module '/app/stdio'", 'Node.js v22.1.0'],
      image('acme/node-tool', { Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node', 'dist/index.js'] }),
    ),
    near: failed(
      own('acme/node-tool', 'node', 'dist/index.js'),
      ['Error: API_KEY is required'],
      image('acme/node-tool', { Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node', 'dist/index.js'] }),
    ),
  },
  'not-executable': { near: failed(npx, ["Error: EACCES: permission denied, open '/data/x.sh'"]) },
  'working-dir-not-mounted': {
    near: only({ ...npx, isolation: { working_dir: '/srv/p', extra_args: ['-v', '/srv/p:/srv/p'] } }, { files: { '/srv/p': directory } }),
  },
  'bind-source-wrong': {
    near: failed(flags('-v', '/srv/data:/data'), ['Error: EISDIR: illegal operation on a directory, read'], {
      files: { '/srv/data': directory },
    }),
  },
  'path-not-shared': {
    found: refused(
      flags('-v', '/opt/x:/x'),
      daemon('Mounts denied: The path /opt/x is not shared from the host and is not known to Docker.'),
    ),
    near: works(npx, ['warning: the folder /x is not shared from the host with the other users']),
  },
  'path-not-absolute': { near: only(flags('-v', 'my-volume:/data')) },
  'selinux-label': {
    found: failed(flags('-v', '/home/user/notes:/data'), ["Error: EACCES: permission denied, open '/data/notes.json'"], {
      info: { SecurityOptions: ['name=selinux'] },
      ...image(node22, { User: '' }),
    }),
    near: failed(
      flags('-v', '/home/user/notes:/data'),
      ["Error: EACCES: permission denied, open '/data/notes.json'"],
      image(node22, { User: '' }),
    ),
  },
  'cache-not-writable': { near: failed(npx, ["Error: EACCES: permission denied, open '/data/notes.json'"]) },
  'read-only-filesystem': { near: works(npx, ['EROFS: read-only file system, the cache is kept in memory']) },
  'network-unknown': { near: failed(npx, ['Error: network mcp-net not found in the settings']) },
  'limit-invalid': { near: only(flags('--memory', '2g', '--cpus', '1.5')) },
  'cgroup-limits-missing': {
    found: refused(npx, daemon('failed to create task: opening file `cpu.max` for writing: Permission denied: unknown')),
    near: works(npx, [
      'WARNING: Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
    ]),
  },
  'pids-limit-low': { near: hung(flags('--pids-limit', '200')) },
  'memory-limit-reached': { near: failed(npx, ['command failed with signal SIGKILL'], { exit: 137 }) },
  'memory-overcommitted': {
    found: only(npx, { others: [other('a'), other('b')], info: { MemTotal: 1024 * 1024 * 1024 } }),
    near: only(npx, { others: [other('a'), { ...other('b'), enabled: false }], info: { MemTotal: 1024 * 1024 * 1024 } }),
  },
  'js-heap-limit': { near: failed(npx, ['RangeError: Invalid string length']) },
  'killed-from-outside': { near: hung(npx) },
  'orphan-containers': { near: works(npx, [], { pid: 4711 }) },
  'container-death-unnoticed': { near: works(npx) },
  'container-paused': {
    near: hung(npx, [], {
      events: life({
        then: [
          [0.1, 'create'],
          [0.3, 'start'],
          [1, 'pause'],
          [2, 'unpause'],
          [30.1, 'kill', { signal: '15' }],
          [30.4, 'die', { exitCode: '143' }],
        ],
      }),
      containers: [container({ server: 'api', state: 'paused' })],
    }),
  },
}
