/** A capture with one secret in every place where one can be. */
import { createHash } from 'node:crypto'
import type { CaptureFile } from '../../src/lib/system/capture-files.ts'

export interface Canary {
  kind: string
  value: string
  /** The variable that holds it; null: it is recognised by its form alone, wherever it stands. */
  variable: string | null
}

/** Parts of a value that are drawn by lot, here from the name of a place, so that they are the same each time. */
interface Lot {
  random: string
  hex: string
}

function lotOf(place: string): Lot {
  const bytes = [0, 1].map((n) => createHash('sha512').update(`${n} ${place}`).digest())
  const letters = (bytes[0]?.toString('base64') ?? '').replace(/[^A-Za-z0-9]/g, '')
  // Letters of both cases and digits near the beginning, as a token that is drawn by lot has them.
  const n = bytes[1]?.[0] ?? 0
  return { random: `${'ZKXQ'[n % 4]}${'kxqz'[n % 3]}${n % 10}${letters}`.slice(0, 32), hex: (bytes[1]?.toString('hex') ?? '').slice(0, 32) }
}

type Kind = [kind: string, variable: string | null, value: (lot: Lot) => string]
const shaped = (kind: string, value: (lot: Lot) => string): Kind => [kind, null, value]
const named = (variable: string, value: (lot: Lot) => string): Kind => [variable, variable, value]

// Put together here, so that nobody's scanner takes this file for a leak.
const kinds: readonly Kind[] = [
  shaped('GitHub classic', ({ random }) => `ghp_${random}1234`),
  shaped('GitHub app', ({ random }) => `ghs_${random}5678`),
  shaped('GitHub fine-grained', ({ random }) => `github_pat_11ABCDEFG0${random}`),
  shaped('GitLab', ({ random }) => `glpat-${random.slice(0, 20)}`),
  shaped('OpenAI', ({ random }) => `sk-proj-${random}`),
  shaped('Anthropic', ({ random }) => `sk-ant-api03-${random}`),
  shaped('Slack bot', ({ random }) => `xoxb-123456789012-${random.slice(0, 20)}`),
  shaped('Slack app', ({ random }) => `xapp-1-A0123-${random.slice(0, 20)}`),
  shaped('AWS key id', ({ random }) => `AKIA${random.slice(6, 22).toUpperCase()}`),
  shaped('Google API', ({ random }) => `AIza${random}abc`),
  shaped('Google OAuth', ({ random }) => `ya29.${random}`),
  shaped('JWT', ({ random, hex }) => `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ${random}.${hex}`),
  shaped('npm', ({ random }) => `npm_${random}abcd`),
  shaped('PyPI', ({ random }) => `pypi-AgEIcHlwaS5vcmc${random}`),
  shaped('Hugging Face', ({ random }) => `hf_${random}`),
  shaped('Stripe', ({ random }) => `sk_live_${random}`),
  shaped('SendGrid', ({ random }) => `SG.${random.slice(0, 22)}.${random}`),
  shaped('Twilio', ({ hex }) => `SK${hex}`),
  shaped('DigitalOcean', ({ hex }) => `dop_v1_${hex}${hex}`),
  shaped('Telegram', ({ random }) => `1234567890:AA${random}0`),
  shaped('Databricks', ({ hex }) => `dapi${hex}`),
  shaped('Linear', ({ random }) => `lin_api_${random}`),
  shaped('Notion', ({ random }) => `ntn_${random}`),
  shaped('Figma', ({ random }) => `figd_${random}`),
  shaped('Shopify', ({ hex }) => `shpat_${hex}`),
  shaped('Grafana', ({ random }) => `glsa_${random}_1a2b3c4d`),
  shaped('Vault', ({ random }) => `hvs.${random}`),
  shaped('Docker Hub', ({ random }) => `dckr_pat_${random.slice(0, 27)}`),
  shaped('Airtable', ({ random, hex }) => `pat${random.slice(0, 14)}.${hex}${hex}`),
  shaped('MCPProxy agent', ({ random }) => `mcp_agt_${random}`),
  shaped('AWS secret key', ({ random }) => `wJalrXUt${random}`),
  named('API_KEY', ({ hex }) => `plain-looking-${hex.slice(0, 6)}-value`),
  named('DB_PASSWORD', ({ hex }) => `correct horse battery ${hex.slice(0, 6)}`),
  named('SMTP_PASSWORD', ({ hex }) => `it's "quoted ${hex.slice(0, 6)}" \\ and $dollared`),
  named('COOKIE', ({ hex }) => `session=${hex.slice(0, 10)}; theme=dark`),
  named('CLIENT_SECRET', ({ hex }) => `a/b+${hex.slice(0, 8)}==d&e=f%20g`),
  named('PASSPHRASE_TOKEN', ({ hex }) => `pässwörd-${hex.slice(0, 4)}-ünïcode-9`),
  named('SESSION_TOKEN', ({ hex }) => hex),
  named('DB_CONNECTION', ({ random }) => `Kv7${random.slice(8, 17)}`),
  named('SIGNING_KEY', ({ random }) => `<${random.slice(0, 16)}>&amp`),
  named('LICENSE', ({ hex }) => `${hex.slice(0, 4).toUpperCase()}1-BBBB2-${hex.slice(4, 8).toUpperCase()}3-DDDD4-EEEE5`),
  named('PRIVATE_TOKEN', ({ hex }) => `qwe${hex.slice(0, 4)}8`),
  named('ADMIN_PASSWORD', ({ hex }) => `sun${[...hex.slice(0, 5)].map((c) => 'ghijklmnopqrstuv'[Number.parseInt(c, 16)]).join('')}`),
]

/** The value of the n-th kind in this place. */
export const canaryAt = (n: number, place: string): string => {
  const [kind, , value] = kinds[n] as Kind
  return value(lotOf(`${kind} ${place}`))
}

export const canaries: readonly Canary[] = kinds.map(([kind, variable], n) => ({ kind, variable, value: canaryAt(n, 'everywhere') }))

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** How the value is written in free text: as it is, in quotes, in a URL, in base64. */
export const spelledCanary = (value: string): string[] => [
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
