/** A report with one of everything, for the renderers. */
import type { Finding } from '../../src/lib/rules/rule.ts'
import type { Report, ServerReport, Step } from '../../src/lib/report/report.ts'

export const sampleHome = '/home/user'
export const sampleConfigPath = '/home/user/.mcpproxy/mcp_config.json'
export const sampleConfig = `{
  "listen": "127.0.0.1:8080",
  "mcpServers": [
    {
      "name": "everything",
      "command": "docker",
      "enabled": true,
      "env": { "API_TOKEN": "ghp_0123456789abcdef0123456789abcdef0123" },
      "args": ["run", "-it", "--rm", "mcp/everything"]
    },
    {
      "name": "日本語",
      "command": "uvx",
      "args": ["mcp-server-time"]
    }
  ]
}
`

const step = (name: Step['step'], outcome: Step['outcome'], summary: string): Step => ({ step: name, outcome, summary })

export const ttyFlag: Finding = {
  code: 'tty-flag',
  severity: 'error',
  rank: 'proven',
  server: 'everything',
  title: 'The Docker arguments ask for a terminal (-t), but MCPProxy talks over pipes.',
  detail: 'docker was told to use a terminal and has a pipe.\nIt says so itself, before any container exists.',
  facts: { flag: '-it', index: 1 },
  cites: [
    {
      type: 'config',
      file: sampleConfigPath,
      pointer: '/mcpServers/0/args/1',
      line: 9,
      column: 23,
      length: 5,
      excerpt: '      "args": ["run", "-it", "--rm", "mcp/everything"]',
    },
    {
      type: 'log',
      file: '/home/user/.local/state/mcpproxy/logs/server-everything.log',
      line: 7,
      at: '2026-11-23T16:14:09.123Z',
      text: 'the input device is not a TTY',
    },
    {
      type: 'log',
      file: '/home/user/.local/state/mcpproxy/logs/main.log',
      line: null,
      at: '2026-11-22T09:00:00.000Z',
      text: '\u001b[31mfailed\u001b[0m to\rconnect \u202Egnihtyreve\u202C',
    },
    { type: 'event', at: '2026-11-23T16:14:10.000Z', container: 'mcpproxy-everything-ab12', text: 'created, never started, removed' },
    { type: 'event', at: '2026-11-23T16:14:12.000Z', container: 'mcpproxy-everything-cd34', text: 'created, never started, removed' },
    { type: 'api', endpoint: '/api/v1/servers', field: 'last_error', text: 'stdio exited before initialize' },
    { type: 'engine', what: 'version', text: '20.10.24, API 1.41' },
    { type: 'host', path: '/var/run/docker.sock', text: 'a socket, mode 660' },
  ],
  ruledOut: ['Docker-in-Docker (isolation does not wrap a docker command)', 'engine (answers, 20.10.24)'],
  remedies: [
    {
      kind: 'config-edit',
      title: 'Take -t out',
      because: 'the protocol needs no terminal',
      class: 'safe',
      edits: [{ path: ['mcpServers', 0, 'args', 1], value: '-i' }],
    },
    { kind: 'command', title: 'Or try it by hand', argv: ['docker', 'run', '-i', '--rm', '-e', "GREETING=it's me", 'mcp/everything'] },
    { kind: 'reload', title: 'Restart the server' },
  ],
}

const everything: ServerReport = {
  server: 'everything',
  verdict: 'problem',
  summary: ttyFlag.title,
  findings: [
    ttyFlag,
    {
      code: 'key-without-effect',
      severity: 'warning',
      rank: 'suspected',
      server: 'everything',
      title: 'The configuration sets keys that MCPProxy ignores',
      detail: 'timeout has never been read.',
      facts: {},
      ruledOut: [],
      cites: [
        {
          type: 'config',
          file: sampleConfigPath,
          pointer: '/listen',
          line: 2,
          column: 3,
          length: 8,
          excerpt: '  "listen": "127.0.0.1:8080",',
        },
      ],
      remedies: [{ kind: 'instruction', title: 'Remove them.' }],
    },
  ],
  steps: [
    step('isolation', 'not-applicable', 'runs its own docker command; MCPProxy does not wrap it'),
    step('container', 'ok', 'never created: docker refused before it asked the engine'),
    step('logs', 'problem', '"the input device is not a TTY", 5 times since 16:14:09'),
    step('args', 'problem', '-it'),
    step('replay', 'unknown', 'could not be run'),
    step('fix', 'proposed', 'one safe change'),
    step('reload', 'not-run', 'after the fix'),
  ],
  undetermined: [],
  replays: [],
  replayed: null,
  rules: { looked: 60, couldNot: 0 },
}

const engineError = { kind: 'timed-out', message: 'The engine did not answer at unix:///var/run/docker.sock within 5 s.' } as const

export const undecided: ServerReport = {
  server: 'files',
  verdict: 'undetermined',
  summary: 'could not tell why it does not start',
  findings: [],
  steps: [step('isolation', 'ok', 'isolated'), step('container', 'unknown', engineError.message)],
  undetermined: [
    { code: 'image-lacks-program', source: 'image', error: engineError },
    { code: 'memory-limit-reached', source: 'events', error: engineError },
    { code: 'image-missing', source: 'image', error: engineError },
    {
      code: 'wrong-user',
      source: 'environment',
      error: { kind: 'not-recorded', message: 'The capture does not hold the process of MCPProxy.' },
    },
  ],
  replays: [],
  replayed: null,
  rules: { looked: 41, couldNot: 4 },
}

export const healthy: ServerReport = {
  server: '日本語',
  verdict: 'healthy',
  summary: 'connected, 2 tools, container up 4 min',
  findings: [],
  steps: everything.steps.map((s) => ({ ...s, outcome: 'ok' })),
  undetermined: [],
  replays: [],
  replayed: null,
  rules: { looked: 64, couldNot: 0 },
}

export const sampleReport: Report = {
  schemaVersion: 1,
  verdict: 'problem',
  recordedAt: null,
  checkedAt: '2026-11-23T16:15:00.000Z',
  mcpproxy: { version: 'v0.60.0', running: true, config: sampleConfigPath },
  engine: { host: 'unix:///var/run/docker.sock', version: '20.10.24', reachable: true },
  servers: [everything],
  findings: [],
}

export const severalServers: Report = { ...sampleReport, servers: [everything, healthy, undecided] }
export const only = (server: ServerReport): Report => ({ ...sampleReport, verdict: server.verdict, servers: [server] })
