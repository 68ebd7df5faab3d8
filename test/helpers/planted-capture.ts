/** A capture with one secret in every place where one can be. */
import type { CaptureFile } from '../../src/lib/system/capture-files.ts'

export interface Canary {
  kind: string
  value: string
  /** The variable that holds it; null: it is recognised by its form alone, wherever it stands. */
  variable: string | null
}

const random = 'Zk3Xq9Lw7Rt2Vb8Nc5Md4Hs6Jf1Gp0Qy'
const hex = '3f9a1c7e5b2d8f604a6c9e1b7d3f5a80'
const jwt = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnkiLCJuIjoxfQ.dBjftJeZ4CVPmB92K27uhbUJU1p1rwW1gFWFOEjXk'
const shaped = (kind: string, value: string): Canary => ({ kind, value, variable: null })
const named = (variable: string, value: string): Canary => ({ kind: variable, value, variable })

// Put together here, so that nobody's scanner takes this file for a leak.
export const canaries: readonly Canary[] = [
  shaped('GitHub classic', `ghp_${random}1234`),
  shaped('GitHub app', `ghs_${random}5678`),
  shaped('GitHub fine-grained', `github_pat_11ABCDEFG0${random}`),
  shaped('GitLab', `glpat-${random.slice(0, 20)}`),
  shaped('OpenAI', `sk-proj-${random}`),
  shaped('Anthropic', `sk-ant-api03-${random}`),
  shaped('Slack bot', `xoxb-123456789012-${random.slice(0, 20)}`),
  shaped('Slack app', `xapp-1-A0123-${random.slice(0, 20)}`),
  shaped('AWS key id', `AKIA${'Q7Z4X2M9K1P5R8T3'}`),
  shaped('Google API', `AIza${random}abc`),
  shaped('Google OAuth', `ya29.${random}`),
  shaped('JWT', jwt),
  shaped('npm', `npm_${random}abcd`),
  shaped('PyPI', `pypi-AgEIcHlwaS5vcmc${random}`),
  shaped('Hugging Face', `hf_${random}`),
  shaped('Stripe', `sk_live_${random}`),
  shaped('SendGrid', `SG.${random.slice(0, 22)}.${random}`),
  shaped('Twilio', `SK${hex}`),
  shaped('DigitalOcean', `dop_v1_${hex}${hex}`),
  shaped('Telegram', `1234567890:AA${random}0`),
  shaped('Databricks', `dapi${hex}`),
  shaped('Linear', `lin_api_${random}`),
  shaped('Notion', `ntn_${random}`),
  shaped('Figma', `figd_${random}`),
  shaped('Shopify', `shpat_${hex}`),
  shaped('Grafana', `glsa_${random}_1a2b3c4d`),
  shaped('Vault', `hvs.${random}`),
  shaped('Docker Hub', `dckr_pat_${random.slice(0, 27)}`),
  shaped('Airtable', `pat${random.slice(0, 14)}.${hex}${hex}`),
  shaped('MCPProxy agent', `mcp_agt_${random}`),
  shaped('AWS secret key', `wJalrXUtnFEMI7K7MDENGbPxRfiCYzEXAMPLEKq9`),
  named('API_KEY', 'plain-looking-7431-value'),
  named('DB_PASSWORD', 'correct horse battery staple'),
  named('SMTP_PASSWORD', `it's "quoted" \\ and $dollared`),
  named('COOKIE', 'session=4f5e6d7c8b; theme=dark'),
  named('CLIENT_SECRET', 'a/b+c==d&e=f%20g'),
  named('PASSPHRASE_TOKEN', 'pässwörd-ünïcode-9'),
  named('SESSION_TOKEN', hex),
  named('DB_CONNECTION', 'Kv7tQp2mXz9w'),
  named('SIGNING_KEY', `<${random.slice(0, 16)}>&amp`),
  named('LICENSE', 'AAAA1-BBBB2-CCCC3-DDDD4-EEEE5'),
  named('PRIVATE_TOKEN', 'qwert8'),
]

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** How the value is written in free text: as it is, in quotes, in a URL, in base64. */
const spelledCanary = (value: string): string[] => [
  value,
  JSON.stringify(value),
  encodeURIComponent(value),
  base64(value),
  base64(`user:${value}`),
  base64(`xy${value}z`),
]

export function plantedCapture({ value, variable }: Canary): CaptureFile[] {
  const name = variable ?? 'PLAIN_SETTING'
  const pair = `${name}=${value}`
  const logs = 'home/.local/state/mcpproxy/logs'
  const line = (second: number, message: string, fields: object): string =>
    `2026-11-23T16:10:${String(second).padStart(2, '0')}.000Z | INFO | core/connection.go:10 | ${message} | ${JSON.stringify(fields)}`
  const server = { server: 'web', upstream_name: 'web' }
  const runArgs = ['run', '--rm', '-i', '--name', 'mcpproxy-web-a1b2', '--label', `com.example.note=${value}`, '-e', pair, 'node:22']
  const config = {
    listen: '127.0.0.1:8080',
    api_key: value,
    docker_isolation: { enabled: true },
    mcpServers: [
      {
        name: 'web',
        command: 'npx',
        args: ['-y', 'web-mcp', '--token', value, `--api-key=${value}`],
        env: { [name]: value },
        headers: { Authorization: `Bearer ${value}` },
        enabled: true,
      },
      {
        name: 'far',
        url: `https://user:${encodeURIComponent(value)}@example.com/mcp?api_key=${encodeURIComponent(value)}`,
        enabled: false,
      },
    ],
  }
  const [raw, ...spelled] = spelledCanary(value)
  const inspect = {
    Id: 'c0ffee',
    Name: '/mcpproxy-web-a1b2',
    Config: {
      Env: [pair, 'PATH=/usr/bin'],
      Labels: { 'com.mcpproxy.server': 'web', 'com.example.token': value },
      Cmd: ['npx', '--token', value],
    },
  }
  const json = (name: string, content: unknown): CaptureFile => ({ name, bytes: Buffer.from(JSON.stringify(content, null, 1)) })
  return [
    json('capture.json', {
      format: 'mcpproxy-doctor-capture/1',
      recordedAt: '2026-11-23T16:15:00.000Z',
      platform: 'linux',
      home: '/home/user',
      config: 'home/.mcpproxy/mcp_config.json',
      logs,
      mcpproxy: { version: 'v0.60.0', running: true, listen: 'http://127.0.0.1:8080' },
      docker: { host: 'unix:///var/run/docker.sock' },
    }),
    json('home/.mcpproxy/mcp_config.json', config),
    {
      name: `${logs}/main.log`,
      bytes: Buffer.from(
        [
          line(1, 'Starting mcpproxy', { version: 'v0.60.0' }),
          line(2, 'Docker isolation setup completed', { ...server, container_name: 'mcpproxy-web-a1b2', docker_run_args: runArgs }),
          line(3, `running docker run -e ${name}='${value.replaceAll("'", `'\\''`)}'`, server),
        ].join('\n') + '\n',
      ),
    },
    {
      name: `${logs}/server-web.log`,
      bytes: Buffer.from(
        [
          line(4, 'Starting connection attempt', server),
          line(5, 'stderr', { ...server, message: `value ${raw ?? ''} end` }),
          ...spelled.map((text) => line(6, 'stderr', { ...server, message: `spelled ${text} end` })),
        ].join('\n') + '\n',
      ),
    },
    json('api/config.json', { request: { path: '/api/v1/config' }, status: 200, body: { success: true, data: { config } } }),
    json('api/servers.json', {
      request: { path: '/api/v1/servers' },
      status: 200,
      body: { success: true, data: { servers: [{ name: 'web', connected: false, last_error: `refused: ${value}` }] } },
    }),
    json('docker/containers.json', [{ Id: 'c0ffee', Names: ['/mcpproxy-web-a1b2'], Labels: inspect.Config.Labels, State: 'running' }]),
    json('docker/inspect-at-die.json', [inspect]),
    json('docker/version.json', { Version: '20.10.24' }),
    {
      name: 'docker/events.ndjson',
      bytes: Buffer.from(
        `${JSON.stringify({ Type: 'container', Action: `exec_create: sh -c 'echo ${value}'`, Actor: { ID: 'c0ffee', Attributes: { 'com.example.token': value, image: 'node:22' } }, time: 1795450200 })}\n`,
      ),
    },
    json('docker/images/node_22.json', {
      image: 'node:22',
      inspect: { Id: 'sha256:1', Config: { Env: [pair], Labels: { 'org.example.token': value } } },
      programs: ['/usr/bin/npx'],
    }),
    json('host/environment.json', {
      user: null,
      env: { DOCKER_HOST: `tcp://user:${encodeURIComponent(value)}@10.0.0.1:2376` },
      programs: {},
    }),
  ]
}
