/**
 * A synthetic capture: made here and not recorded, for rules of which no recording exists. The lines of the logs
 * and the events have the form of real ones; the collectors read it as they read any capture.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { collectServers, collectShared } from '../../src/lib/evidence/collect.ts'
import type { Subject } from '../../src/lib/evidence/evidence.ts'
import { rules } from '../../src/lib/rules/index.ts'
import type { Finding, Outcome } from '../../src/lib/rules/rule.ts'
import { openCapture } from '../../src/lib/system/recorded.ts'
import { serverReport } from '../../src/lib/workflow/check.ts'

/** Second 0 of a synthetic capture. */
export const start = Date.parse('2026-11-23T10:00:00.000Z')
export const time = (second: number): string => new Date(start + second * 1000).toISOString()

export interface Synthetic {
  /** One entry of mcpServers; `enabled` and `quarantined` are added. */
  server: Record<string, unknown> & { name: string }
  others?: Record<string, unknown>[]
  /** The whole file as it is, in place of what `server` and `config` make. */
  configText?: string | Buffer
  /** Other keys of the configuration. */
  config?: Record<string, unknown>
  serverLog?: string[]
  mainLog?: string[]
  /** Engine events, oldest first. Absent: not recorded. */
  events?: unknown[]
  containers?: unknown[]
  /** What `docker image inspect` says, by reference; null: the engine has no such image. */
  images?: Record<string, Record<string, unknown> | null>
  info?: Record<string, unknown>
  /** In place of the default address. */
  endpoint?: Record<string, unknown>
  /** Parts of `GET /version`, or `{ error }` of an engine that cannot be asked. */
  engine?: Record<string, unknown>
  files?: Record<string, Record<string, unknown>>
  environment?: Record<string, unknown>
  /** The entry of this server in `GET /api/v1/servers`; absent: MCPProxy does not run. */
  status?: Record<string, unknown>
  /** Null: the API does not tell it. */
  pid?: number | null
  /** Null: nothing tells it. */
  version?: string | null
  platform?: string
  /** Seconds from the start to the recording. */
  recordedAt?: number
}

export async function subject(parts: Synthetic): Promise<Subject> {
  const root = mkdtempSync(join(tmpdir(), 'doctor-synthetic-'))
  const version = parts.version === undefined ? 'v0.60.0' : parts.version
  const write = (name: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  const json = (name: string, value: unknown): void => write(name, JSON.stringify(value, null, 1))
  try {
    const entry = { enabled: true, quarantined: false, ...parts.server }
    const config = { docker_isolation: { enabled: true }, ...parts.config, mcpServers: [entry, ...(parts.others ?? [])] }
    write('home/.mcpproxy/mcp_config.json', parts.configText ?? JSON.stringify(config, null, 1))
    json('capture.json', {
      format: 'mcpproxy-doctor-capture/1',
      recordedAt: time(parts.recordedAt ?? 600),
      platform: parts.platform ?? 'linux',
      home: '/home/user',
      config: 'home/.mcpproxy/mcp_config.json',
      logs: 'home/.local/state/mcpproxy/logs',
      mcpproxy: { ...(version === null ? {} : { version }), running: parts.status !== undefined },
      docker: parts.endpoint ?? { host: 'unix:///var/run/docker.sock' },
    })
    const logs = 'home/.local/state/mcpproxy/logs'
    const started = mainLine(-1, 'Starting mcpproxy', { ...(version === null ? {} : { version }), edition: 'personal' })
    write(`${logs}/main.log`, [started, ...(parts.mainLog ?? [])].join('\n') + '\n')
    if (parts.serverLog) write(`${logs}/server-${parts.server.name}.log`, parts.serverLog.join('\n') + '\n')
    json(
      'docker/version.json',
      parts.engine?.['error'] ? parts.engine : { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12', ...parts.engine },
    )
    json('docker/info.json', { Architecture: 'x86_64', OSType: 'linux', NCPU: 2, SecurityOptions: [], ...parts.info })
    json('docker/containers.json', parts.containers ?? [])
    if (parts.events) write('docker/events.ndjson', parts.events.map((e) => JSON.stringify(e)).join('\n'))
    for (const [reference, inspect] of Object.entries(parts.images ?? {}))
      json(
        `docker/images/${reference.replaceAll(/[^\w.-]+/g, '_')}.json`,
        inspect === null ? { image: reference, error: 'no such image' } : { image: reference, inspect },
      )
    json('host/files.json', parts.files ?? {})
    json('host/environment.json', {
      user: { uid: 1000, gid: 1000, groups: ['user', 'docker'] },
      programs: { docker: '/usr/bin/docker' },
      ...parts.environment,
      env: { HOME: '/home/user', PATH: '/usr/bin:/bin', ...(parts.environment?.['env'] as object | undefined) },
    })
    if (parts.status) {
      const answer = (name: string, path: string, data: unknown): void =>
        json(`api/${name}.json`, { request: { method: 'GET', path }, status: 200, body: { success: true, data } })
      answer('servers', '/api/v1/servers', { servers: [{ name: parts.server.name, enabled: true, quarantined: false, ...parts.status }] })
      answer('info', '/api/v1/info', { version: version ?? 'development', pid: parts.pid === undefined ? 4711 : parts.pid })
    }
    const shared = await collectShared(await openCapture(root), Date.now() + 30_000)
    const [only] = (await collectServers(shared, [parts.server.name])).subjects
    if (!only) throw new Error('no subject')
    return only
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** What the rule with this code says. */
export async function outcome(code: string, parts: Synthetic): Promise<Outcome> {
  const rule = rules.find((r) => r.code === code)
  if (!rule) throw new Error(`There is no rule ${code}.`)
  return rule.run(await subject(parts))
}

/** The finding of the rule with this code, also when another one stands first; null: clear or undetermined. */
export async function finding(code: string, parts: Synthetic): Promise<Finding | null> {
  const result = await outcome(code, parts)
  return result.type === 'found' ? result.finding : null
}

/** All codes of the report, in order. */
export async function codes(parts: Synthetic): Promise<string[]> {
  return serverReport(await subject(parts)).findings.map((f) => f.code)
}

const line = (second: number, level: string, place: string, message: string, fields: Record<string, unknown>): string =>
  `${time(second)} | ${level} | ${place} | ${message} | ${JSON.stringify(fields)}`
export const mainLine = (second: number, message: string, fields: Record<string, unknown>, level = 'INFO'): string =>
  line(second, level, 'x/main.go:1', message, fields)

export interface AttemptLines {
  name?: string
  at?: number
  command?: string
  /** Name of the container; null: not isolated. */
  container?: string | null
  runtime?: string
  /** Second after the start of the attempt, and the line. */
  stderr?: [number, string][]
  /** `exited` and `no-answer` at this second after the start. */
  end?: ['exited' | 'no-answer' | 'connected', number]
}

/** The lines of one attempt in the per-server log, as v0.60.0 writes them. */
export function attempt(a: AttemptLines): string[] {
  const server = a.name ?? 'web'
  const at = a.at ?? 0
  const container = a.container === undefined ? `mcpproxy-${server}-ab12` : a.container
  const [end, after] = a.end ?? ['exited', 2]
  const timed: [number, string][] = [
    [
      0,
      line(at, 'INFO', 'managed/client.go:310', 'Starting connection attempt', {
        server,
        transport: 'stdio',
        url: '',
        command: a.command ?? 'npx',
        protocol: 'stdio',
      }),
    ],
  ]
  if (container !== null)
    timed.push([
      0.01,
      line(at + 0.01, 'INFO', 'core/connection_stdio.go:150', 'Docker isolation configured', {
        server,
        runtime_type: a.runtime ?? 'npx',
        container_name: container,
        container_command: a.command ?? 'npx',
      }),
    ])
  for (const [second, message] of a.stderr ?? [])
    timed.push([second, line(at + second, 'INFO', 'core/monitoring.go:54', 'stderr', { server, message })])
  const failed = (error: string): [number, string] => [
    after,
    line(at + after, 'ERROR', 'core/connection_stdio.go:270', 'MCP initialize JSON-RPC call failed', { server, error }),
  ]
  const failure = (second: number, error: string): [number, string] => [
    second,
    line(at + second, 'ERROR', 'managed/client.go:310', 'Connection failed', { server, transport: 'stdio', error }),
  ]
  const prefix = 'stdio transport (command="/usr/bin/docker", docker_isolation=true): '
  if (end === 'exited')
    timed.push(
      failed('transport error: transport closed'),
      failure(
        after + 0.01,
        `${prefix}server process exited before completing the MCP initialize handshake: transport error: transport closed`,
      ),
    )
  else if (end === 'no-answer')
    timed.push(
      failed('transport error: context deadline exceeded'),
      failure(after + 0.01, `${prefix}server did not respond to MCP initialize within 30s: transport error: context deadline exceeded`),
    )
  else
    timed.push([
      after,
      line(at + after, 'INFO', 'managed/client.go:310', 'Successfully connected and initialized', {
        server,
        transport: 'stdio',
        server_name: 'demo',
        server_version: '1.0.0',
        protocol_version: '2025-11-25',
      }),
    ])
  return timed.sort((x, y) => x[0] - y[0]).map(([, text]) => text)
}

export interface Life {
  id?: string
  name?: string
  server?: string
  image?: string
  at?: number
  /** Second and action, with further attributes: `[3, 'kill', { signal: '9' }]`. */
  then: [number, string, Record<string, string>?][]
  pid?: number
  instance?: string
  labels?: boolean
}

/** The engine's events about one container. */
export function life(l: Life): unknown[] {
  const attributes = {
    name: l.name ?? `mcpproxy-${l.server ?? 'web'}-ab12`,
    image: l.image ?? 'docker.io/library/node:22',
    ...(l.labels === false
      ? {}
      : {
          'com.mcpproxy.managed': 'true',
          'com.mcpproxy.server': l.server ?? 'web',
          'com.mcpproxy.created': String(l.pid ?? 4711),
          'com.mcpproxy.instance': l.instance ?? 'aaaa',
        }),
  }
  return l.then.map(([second, action, more]) =>
    event((l.at ?? 0) + second, 'container', action, l.id ?? `id-${attributes.name}`, { ...attributes, ...more }),
  )
}

/** One container for each of so many servers, the first of `web`, each `apart` seconds after the one before. */
export const startedTogether = (count: number, apart: number): unknown[] =>
  Array.from({ length: count }, (_, i) =>
    life({
      id: `c${i}`,
      server: i === 0 ? 'web' : `s${i}`,
      at: i * apart,
      then: [
        [0.1, 'create'],
        [0.2, 'start'],
      ],
    }),
  ).flat()

export const event = (second: number, type: string, action: string, id: string, attributes: Record<string, string>): unknown => ({
  Type: type,
  Action: action,
  Actor: { ID: id, Attributes: attributes },
  time: Math.floor((start + second * 1000) / 1000),
  timeNano: (start + second * 1000) * 1e6,
})

/** One container of `GET /containers/json`. */
export const container = (o: {
  name?: string
  server?: string
  image?: string
  pid?: number
  instance?: string
  created?: number
  labels?: boolean
  state?: string
}): unknown => ({
  Id: `id-${o.name ?? 'x'}`,
  Names: [`/${o.name ?? `mcpproxy-${o.server ?? 'web'}-ab12`}`],
  Image: o.image ?? 'docker.io/library/node:22',
  ImageID: 'sha256:1',
  Command: 'npx x',
  Created: Math.floor(start / 1000 + (o.created ?? 0)),
  State: o.state ?? 'running',
  Status: 'Up 6 seconds',
  Labels:
    o.labels === false
      ? {}
      : {
          'com.mcpproxy.managed': 'true',
          'com.mcpproxy.server': o.server ?? 'web',
          'com.mcpproxy.created': String(o.pid ?? 4711),
          'com.mcpproxy.instance': o.instance ?? 'aaaa',
        },
})

/** "Docker isolation setup completed" in main.log. */
export const setupLine = (
  second: number,
  o: { name?: string; container?: string; runtime?: string; runArgs: string[]; command: string[] },
): string =>
  mainLine(second, 'Docker isolation setup completed', {
    upstream_id: o.name ?? 'web',
    upstream_name: o.name ?? 'web',
    server: o.name ?? 'web',
    runtime_type: o.runtime ?? 'npx',
    container_name: o.container ?? `mcpproxy-${o.name ?? 'web'}-ab12`,
    container_command: o.command[0],
    container_args: o.command.slice(1),
    docker_run_args: o.runArgs,
  })
