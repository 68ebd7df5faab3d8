/** A capture of one server that failed, from what decides: its entry, its last words, its container's life. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Finding } from '../../src/lib/rules/rule.ts'
import { openCapture } from '../../src/lib/system/recorded.ts'
import { check } from '../../src/lib/workflow/check.ts'

export interface Failure {
  /** The server's entry; `name` is added. */
  server: Record<string, unknown>
  others?: Record<string, unknown>[]
  isolation?: Record<string, unknown>
  stderr?: string[]
  /** `exited` unless said otherwise. */
  outcome?: 'exited' | 'no-answer' | 'connected'
  /** The container: its exit code, or `never` when it was created and removed without a start. None: docker refused. */
  container?: { exitCode: number; oom?: boolean; signals?: number[] } | 'never'
  /** Image reference → Config and Architecture of its inspect; null: not on this engine. */
  images?: Record<string, { Config?: object; Architecture?: string; programs?: string[] } | null>
  /** Paths of the host: `file`, `directory`, or null for none. */
  host?: Record<string, 'file' | 'directory' | null>
  engine?: Record<string, unknown>
  /** Further lines of main.log: message and fields. */
  main?: [string, Record<string, unknown>][]
}

const at = (ms: number): string => new Date(Date.UTC(2026, 10, 24, 8, 0, 0) + ms).toISOString()
const line = (ms: number, message: string, fields: object): string =>
  `${at(ms)} | INFO | x/y.go:1 | ${message} | ${JSON.stringify(fields)}\n`

/** The findings about the server "web", the cause first. */
export async function findingsOf(failure: Failure): Promise<Finding[]> {
  const root = mkdtempSync(path.join(tmpdir(), 'doctor-failure-'))
  const write = (name: string, content: string): void => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    writeFileSync(path.join(root, name), content)
  }
  const json = (name: string, value: unknown): void => write(name, JSON.stringify(value))
  try {
    const entry = { name: 'web', enabled: true, quarantined: false, ...failure.server }
    const others = (failure.others ?? []).map((o) => ({ enabled: true, quarantined: false, ...o }))
    const own = failure.server['command'] === 'docker'
    json('capture.json', {
      format: 'mcpproxy-doctor-capture/1',
      recordedAt: at(60_000),
      platform: 'linux',
      home: '/home/user',
      config: 'home/.mcpproxy/mcp_config.json',
      logs: 'home/logs',
      mcpproxy: { version: 'v0.60.0', running: false },
      docker: { host: 'unix:///var/run/docker.sock' },
    })
    const isolation = { enabled: true, ...failure.isolation }
    write('home/.mcpproxy/mcp_config.json', JSON.stringify({ docker_isolation: isolation, mcpServers: [entry, ...others] }, null, 2))
    write(
      'home/logs/main.log',
      line(0, 'Starting mcpproxy', { version: 'v0.60.0' }) + (failure.main ?? []).map(([m, f], i) => line(2000 + i, m, f)).join(''),
    )
    write('home/logs/server-web.log', serverLog(failure, own))
    const image = own ? imageOf(failure.server['args'] as string[]) : 'docker.io/library/node:22'
    write(
      'docker/events.ndjson',
      events(failure, own, image)
        .map((e) => `${JSON.stringify(e)}\n`)
        .join(''),
    )
    json('docker/version.json', { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' })
    json('docker/info.json', { Architecture: 'x86_64', OSType: 'linux', NCPU: 2, LoggingDriver: 'json-file', ...failure.engine })
    json('docker/containers.json', [])
    for (const [reference, value] of Object.entries(failure.images ?? {})) {
      const { programs, ...inspect } = value ?? {}
      json(
        `docker/images/${reference.replaceAll(/[^\w.-]+/g, '_')}.json`,
        value === null
          ? { error: 'no such image' }
          : { inspect: { Id: 'sha256:1', Architecture: 'amd64', Os: 'linux', ...inspect }, ...(programs ? { programs } : {}) },
      )
    }
    json(
      'host/files.json',
      Object.fromEntries(
        Object.entries(failure.host ?? {}).map(([name, type]) => [
          name,
          type ? { type, mode: '0755', uid: 0, gid: 0 } : { error: 'ENOENT' },
        ]),
      ),
    )
    json('host/environment.json', { user: { uid: 1000, gid: 1000, groups: ['docker'] }, env: { PATH: '/usr/bin' }, programs: {} })
    const report = await check(await openCapture(root), { servers: ['web'], all: false, timeoutMs: 30_000 })
    return report.servers[0]?.findings ?? []
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const imageOf = (args: string[]): string => args.find((a, i) => i > 0 && !a.startsWith('-')) ?? ''

function serverLog(f: Failure, own: boolean): string {
  const server = 'web'
  const outcome = f.outcome ?? 'exited'
  const error = outcome === 'exited' ? 'transport error: transport closed' : 'transport error: context deadline exceeded'
  return [
    line(1000, 'Starting connection attempt', { server, transport: 'stdio', command: f.server['command'], protocol: 'stdio' }),
    ...(own || f.server['isolation'] === false
      ? []
      : [
          line(1010, 'Docker isolation configured', {
            server,
            runtime_type: 'node',
            container_name: 'mcpproxy-web-ab12',
            container_command: f.server['command'],
          }),
        ]),
    ...(f.stderr ?? []).map((message, i) => line(1300 + i, 'stderr', { server, message })),
    ...(outcome === 'connected'
      ? [line(1900, 'MCP initialization completed successfully', { server, server_name: 'demo', server_version: '1' })]
      : [
          line(1900, 'MCP initialize JSON-RPC call failed', { server, error }),
          line(1901, 'stderr stream closed', { server }),
          line(1910, 'Connection failed', { server, transport: 'stdio', error }),
        ]),
  ].join('')
}

function events(f: Failure, own: boolean, image: string): object[] {
  if (!f.container) return []
  const attributes = own
    ? { name: 'clever_merkle', image }
    : { name: 'mcpproxy-web-ab12', image, 'com.mcpproxy.server': 'web', 'com.mcpproxy.managed': 'true' }
  const event = (ms: number, action: string, more: object = {}): object => {
    const time = Date.parse(at(ms))
    return {
      Type: 'container',
      Action: action,
      Actor: { ID: 'be356a377045aaaa', Attributes: { ...attributes, ...more } },
      time: time / 1000,
      timeNano: time * 1e6,
    }
  }
  if (f.container === 'never') return [event(1100, 'create'), event(1110, 'attach'), event(1200, 'destroy')]
  const { exitCode, oom, signals } = f.container
  return [
    event(1100, 'create'),
    event(1200, 'start'),
    ...(oom ? [event(1400, 'oom')] : []),
    ...(signals ?? []).map((signal, i) => event(1410 + i, 'kill', { signal: String(signal) })),
    event(1500, 'die', { exitCode: String(exitCode) }),
    event(1510, 'destroy'),
  ]
}
