/** Causes that lie in the configuration file. */
import { attempt, container, life, mainLine, setupLine, time, type Synthetic } from '../helpers/synthetic.ts'
import { directory, failed, flags, node, npx, only, own, written, works, type Cases } from './case.ts'

const entry = (more: object): object => ({ name: 'web', enabled: true, quarantined: false, command: 'npx', args: ['-y', 'a'], ...more })
const text = (...servers: object[]): string => JSON.stringify({ mcpServers: servers })
const run = (...e: string[]): string =>
  setupLine(0, {
    runArgs: ['run', '--rm', '-i', ...e.flatMap((x) => ['-e', x]), 'docker.io/library/node:22'],
    command: ['npx', '-y', 'some-mcp'],
  })

/** It worked at second 0, and does not at second 480; the image was built at this second. */
const since = (reference: string, built: number): Synthetic => ({
  ...only(own(reference)),
  serverLog: [
    ...attempt({ container: null, command: 'docker', end: ['connected', 2] }),
    ...attempt({ at: 480, container: null, command: 'docker' }),
  ],
  images: { [reference]: { Created: time(built), Config: {}, RepoDigests: ['acme/mcp@sha256:aa'] } },
})

export const configCases: Cases = {
  'config-syntax': {
    found: written('{ "mcpServers": [ ], // none\n }'),
    near: written('{ "mcpServers": [{ "name": "web", "command": "npx", "args": ["-y", "a//b"], "enabled": true }] }'),
  },
  'config-shape': {
    found: written('{ "mcpServers": { "web": { "command": "npx" } } }'),
    near: only(npx, { config: { unheard_of: 1, docker_isolation: null } }),
  },
  'config-encoding': {
    found: { server: { name: 'web' }, configText: Buffer.from(text(entry({ env: { NAME: 'J\u00fcrgen' } })), 'latin1') },
    near: { server: { name: 'web' }, configText: Buffer.from(text(entry({ env: { NAME: 'J\u00fcrgen' } })), 'utf8') },
  },
  'duplicate-keys': {
    found: written('{ "mcpServers": [{ "name": "web", "command": "npx", "enabled": false, "enabled": true, "args": ["a"] }] }'),
    near: written('{ "mcpServers": [{ "name": "web", "command": "npx", "enabled": true, "args": ["a"], "env": { "Enabled": "x" } }] }'),
  },
  'duplicate-name': {
    found: written(text(entry({}), entry({ args: ['-y', 'b'] }))),
    near: written(text(entry({}), entry({ name: 'Web', args: ['-y', 'b'] }))),
  },
  'duplicate-server': {
    found: written(text(entry({}), entry({ name: 'copy' }))),
    near: written(text(entry({}), entry({ name: 'copy', env: { REGION: 'eu' } }))),
  },
  'key-without-effect': {
    found: only({ ...npx, isolation: { memory_limit: '2g' } }),
    near: only({ ...npx, isolation: { extra_args: ['--memory', '2g'] } }, { config: { x_own_notes: true } }),
  },
  'global-isolation-off': {
    found: failed({ ...npx, isolation: { enabled: true } }, [], { config: { docker_isolation: { enabled: false } } }),
    near: only({ ...npx, isolation: { enabled: false } }, { config: { docker_isolation: { enabled: false } } }),
  },
  'mode-without-enabled': {
    found: only(npx, { config: { docker_isolation: { mode: 'docker', enabled: false } } }),
    near: only(npx, { config: { docker_isolation: { mode: 'docker', enabled: false } }, version: 'v0.45.0' }),
  },
  'isolation-mode-ineffective': {
    found: only({ ...npx, isolation: { mode: 'none' } }),
    near: only({ ...npx, isolation: { mode: 'docker' } }),
  },
  'isolation-block-dropped': {
    found: only({ ...npx, isolation: { image: 'node:20' } }, { version: 'v0.12.0' }),
    near: only({ ...npx, isolation: { image: 'node:20' } }, { version: 'v0.13.1' }),
  },
  'docker-in-path': {
    found: only({ command: '/opt/docker-tools/run', args: [] }),
    near: only({ command: 'npx', args: ['-y', 'docker-tools'] }),
  },
  'command-line-in-command': {
    found: failed({ command: 'npx -y some-mcp', args: [] }, ['sh: npx -y some-mcp: not found'], { exit: 127 }),
    near: only({ command: '/opt/My Tools/server', args: [] }, { files: { '/opt/My Tools/server': { ...directory, type: 'file' } } }),
  },
  'command-incomplete': {
    found: only({ command: 'uvx', args: [] }),
    near: only({ command: 'npx', args: ['--package=a', 'b'] }),
  },
  'placeholder-unresolved': {
    found: only({ ...npx, env: { TOKEN: '${input:token}' } }),
    near: only({ ...npx, env: { TOKEN: '${env:TOKEN}', PRICE: '$5' } }),
  },
  'secrets-in-log': {
    found: only(npx, { mainLog: [run('DEMO_API_KEY=correct-horse')] }),
    near: only(npx, { mainLog: [run('NODE_ENV=production', 'API_KEY=${keyring:demo}')] }),
  },
  'server-disabled': {
    near: only(
      { ...npx, enabled: true },
      { mainLog: [mainLine(1, 'Server is disabled, removing from active connections', { server: 'api' })] },
    ),
  },
  'server-quarantined': {
    near: works(npx, [], { mainLog: [mainLine(1, 'Skipping quarantined client', { id: 'api', name: 'api' })] }),
  },
  'working-dir-missing': {
    found: only({ ...npx, working_dir: '/srv/gone' }, { files: { '/srv/gone': { error: 'ENOENT' } } }),
    near: only({ ...npx, working_dir: '/srv/here' }, { files: { '/srv/here': directory } }),
  },
  'config-file-mismatch': {
    near: works(npx, [], {
      mainLog: [mainLine(0, 'ConfigService initialized', { config_path: '/home/user/.mcpproxy/mcp_config.json', version: 0 })],
    }),
  },
  'names-collide': {
    found: only(npx, { others: [{ name: 'web-api', enabled: true, command: 'npx', args: ['-y', 'b'] }] }),
    near: only(npx, { others: [{ name: 'webapi', enabled: true, command: 'npx', args: ['-y', 'b'] }] }),
  },
  'stale-default-images': {
    found: only(
      { command: 'uvx', args: ['a'] },
      { config: { docker_isolation: { enabled: true, default_images: { uvx: 'python:3.11' } } } },
    ),
    near: only(
      { command: 'python', args: ['-m', 'a'] },
      { config: { docker_isolation: { enabled: true, default_images: { python: 'python:3.11' } } } },
    ),
  },
  'unknown-runner': {
    found: only({ command: 'bunx', args: ['a'] }),
    near: only({ command: 'bunx', args: ['a'], isolation: { image: 'oven/bun:1' } }),
  },
  'pipx-becomes-pip': {
    found: only({ command: 'pipx', args: ['run', 'a'] }),
    near: only({ command: 'pipx', args: ['run', 'a'], isolation: { enabled: false } }),
  },
  'network-repeated': {
    found: only(flags('--network', 'none')),
    near: only({ ...npx, isolation: { network_mode: 'none' } }),
  },
  'not-restarted': {
    near: works(node, [], {
      mainLog: [
        setupLine(0, {
          runtime: 'node',
          container: 'mcpproxy-web-ab12',
          runArgs: [
            ...['run', '--rm', '-i', '--name', 'mcpproxy-web-ab12', '--label', 'com.mcpproxy.managed=true'],
            ...['--label', 'com.mcpproxy.instance=aaaa', '--label', 'com.mcpproxy.server=web', '--label', 'com.mcpproxy.created=4711'],
            ...['--log-opt', 'max-size=100m', '--log-opt', 'max-file=3', '--network', 'bridge', '--memory', '512m', '--cpus', '1.0'],
            ...['-v', 'mcpproxy-npm-cache:/root/.npm', '-v', '/srv/mcp:/srv/mcp:ro', 'docker.io/library/node:22'],
          ],
          command: ['node', '/srv/mcp/x.mjs'],
        }),
      ],
    }),
  },
  'cleanup-by-image': {
    near: only(own('mcp/everything'), {
      events: life({
        labels: false,
        image: 'mcp/everything',
        then: [
          [1, 'start'],
          [9, 'kill', { signal: '15' }],
          [9.1, 'die', { exitCode: '143' }],
        ],
      }),
      others: [{ name: 'api', enabled: true, ...own('mcp/fetch') }],
    }),
  },
  'container-name-taken': {
    near: only(own('--name', 'mine', 'mcp/everything'), { containers: [container({ name: 'mine-2', labels: false })] }),
  },
  'latest-moved': {
    found: since('acme/mcp', 300),
    near: since('acme/mcp', -9000),
  },
}
