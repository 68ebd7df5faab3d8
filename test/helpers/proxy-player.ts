/**
 * Plays MCPProxy and an engine from recorded answers, with a configuration and logs in a folder of its own. Servers come and go
 * as a function says; whole answers can be replaced by others, by silence, or by a cut connection.
 */
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import type net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { configFor, configReading } from '../../src/lib/evidence/collect-config.ts'
import { parseConfig, type ServerEntry } from '../../src/lib/formats/mcp-config.ts'
import { parseVersion, newestKnown, since, type Version } from '../../src/lib/mcpproxy/versions.ts'
import { packageRoot } from './package-root.ts'

const recorded = path.join(packageRoot(), 'test/captures/0.60.0-tty-flag')
const record = (name: string): unknown => JSON.parse(fs.readFileSync(path.join(recorded, name), 'utf8'))
const bodyOf = (name: string): { data: Record<string, unknown> } =>
  (record(`api/${name}.json`) as { body: { data: Record<string, unknown> } }).body

export type Played = { status: number; body: unknown } | 'hang' | 'cut'
/** True: it connects. Text: what it says on standard error before it ends. */
export type Works = (server: ServerEntry) => true | string

export interface PlayerOptions {
  config: unknown
  works: Works
  version?: string
  /** Replaces an answer; undefined: the usual one. */
  answer?: (method: string, url: string, player: ProxyPlayer) => Played | undefined
  /** Is the file watched (v0.52.0)? By version when not given. */
  watches?: boolean
  /** False: a reload alone starts no server anew. */
  rebuilds?: boolean
  /** Its clients keep the configuration of the start. */
  stale?: boolean
  /** An engine that nobody can ask. */
  noEngine?: boolean
}

const compared = (s: ServerEntry | undefined): string =>
  JSON.stringify([s?.url, s?.protocol, s?.command, s?.args, s?.env, s?.headers, s?.enabled, s?.quarantined])

interface State {
  connected: boolean
  enabled: boolean
  container: string | null
}

export class ProxyPlayer {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-player-'))
  readonly config = path.join(this.folder, 'mcp_config.json')
  readonly logs = path.join(this.folder, 'logs')
  readonly requests: string[] = []
  readonly states = new Map<string, State>()
  /** Texts of the configuration that were loaded, the newest last. */
  readonly loaded: string[] = []
  url = ''
  engine = ''
  private readonly options: PlayerOptions
  private readonly version: Version
  private readonly servers: http.Server[] = []
  private readonly sockets = new Set<net.Socket>()
  private timer: NodeJS.Timeout | undefined
  private count = 0

  constructor(options: PlayerOptions) {
    this.options = options
    this.version = parseVersion(options.version) ?? newestKnown
  }

  async start(): Promise<this> {
    fs.mkdirSync(this.logs)
    const { config } = this.options
    fs.writeFileSync(this.config, typeof config === 'string' ? config : `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
    this.url = `http://127.0.0.1:${await this.listen((q, a) => this.api(q, a))}`
    const socket = path.join(this.folder, 'engine.sock')
    this.engine = `unix://${socket}`
    if (this.options.noEngine !== true) await this.listen((q, a) => this.docker(q.url ?? '', a), socket)
    this.main('INFO', 'Starting mcpproxy', { version: this.version.text })
    this.load()
    for (const server of this.entries()) if (server.enabled === true) this.connect(server)
    const watches = this.options.watches ?? since(this.version, 'hotReload')
    if (watches) this.timer = setInterval(() => this.look(), 20)
    return this
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    for (const socket of this.sockets) socket.destroy()
    for (const server of this.servers) server.close()
    for (const server of this.servers) if (server.listening) await once(server, 'close')
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  /** The daemon is gone, its files stay. */
  die(): void {
    const [api] = this.servers
    api?.close()
    for (const socket of this.sockets) socket.destroy()
  }

  get flags(): string[] {
    return ['--config', this.config, '--log-dir', this.logs, '--data-dir', this.folder, '--api', this.url, '--docker-host', this.engine]
  }
  text(): string {
    return fs.readFileSync(this.config, 'utf8')
  }
  backups(): string[] {
    return fs.readdirSync(this.folder).filter((n) => n.includes('.doctor-'))
  }

  // ---- MCPProxy -------------------------------------------------------------------

  private reading = (text = this.loaded.at(-1)) =>
    configReading(parseConfig(this.config, Buffer.from(text ?? '')), { trackedPath: null, otherPaths: [], mtimeMs: null })
  private entries = (): ServerEntry[] => this.reading().servers

  private look(): void {
    const text = this.text()
    if (text === this.loaded.at(-1) || this.seen === text) return
    this.seen = text
    this.main('INFO', 'Config file changed on disk, hot-reloading', { path: this.config })
    const { problems } = parseConfig(this.config, Buffer.from(text))
    if (problems.some((p) => p.kind === 'syntax' || p.kind === 'shape'))
      return this.main('WARN', 'Config hot-reload failed; keeping previous configuration', {
        path: this.config,
        error: 'invalid character',
      })
    const before = new Map(this.entries().map((s) => [s.name, s]))
    this.load()
    this.main('INFO', 'Configuration reload completed', { path: this.config, version: this.loaded.length })
    if (this.options.rebuilds === false) return
    // As the real one: only some fields are compared, isolation is not.
    for (const server of this.entries().filter((s) => s.enabled === true && compared(s) !== compared(before.get(s.name)))) {
      this.main('INFO', 'Server configuration changed, disconnecting existing client', { id: server.name, name: server.name })
      this.connect(server)
    }
  }
  private seen = ''

  private load(): void {
    this.loaded.push(this.text())
    for (const s of this.entries()) {
      const state = this.states.get(s.name)
      this.states.set(
        s.name,
        state ? { ...state, enabled: s.enabled === true } : { connected: false, enabled: s.enabled === true, container: null },
      )
    }
  }

  restart(name: string): void {
    // A restart reads the entry from the file (v0.33.1).
    if (since(this.version, 'restartReadsFile') && this.text() !== this.loaded.at(-1)) this.load()
    const server = this.entries().find((s) => s.name === name)
    if (!server) return
    this.main('INFO', 'Request to restart server', { server: name })
    this.main('INFO', 'Removing existing client to recreate with fresh secret resolution', { server: name })
    this.main('INFO', 'Creating new client with fresh secret resolution', { server: name })
    this.connect(server)
  }

  private connect(server: ServerEntry): void {
    const fields = { server: server.name }
    const plan = configFor(this.reading(this.options.stale === true ? this.loaded[0] : undefined), server.name, this.version)
    // As the real one: every container whose name begins alike goes.
    for (const [name, state] of this.states)
      if (state.container?.startsWith(`mcpproxy-${server.name}-`)) this.states.set(name, { ...state, container: null })
    this.own(server.name, 'INFO', 'Starting connection attempt', { ...fields, command: server.command })
    this.main('INFO', 'Connecting to upstream MCP server', { ...fields, command: server.command })
    const id = (++this.count).toString(36).padStart(4, '0')
    const container = plan.expected ? (plan.expected.kind === 'isolated' ? `mcpproxy-${server.name}-${id}` : `quirky_${id}`) : null
    if (plan.expected?.kind === 'isolated') {
      const args = plan.expected.runArgs.map((a) => a.replace(/-xxxx$/, `-${id}`))
      const [command = '', ...rest] = plan.expected.command
      const setup = { runtime_type: plan.expected.runtimeType, container_name: container, container_command: command }
      this.own(server.name, 'INFO', 'Docker isolation configured', { ...fields, ...setup })
      this.main('INFO', 'Docker isolation setup completed', { ...fields, ...setup, container_args: rest, docker_run_args: args })
    }
    const outcome = this.options.works(server)
    const connected = outcome === true
    if (connected) {
      this.own(server.name, 'INFO', 'Successfully connected and initialized', fields)
      this.main('INFO', 'Successfully established managed connection', fields)
    } else {
      this.own(server.name, 'INFO', 'stderr', { ...fields, message: outcome })
      this.own(server.name, 'INFO', 'stderr stream closed', fields)
      this.own(server.name, 'ERROR', 'Connection failed', {
        ...fields,
        error: 'server process exited before completing the MCP initialize handshake: transport error: transport closed',
      })
      this.main('ERROR', 'Connection error', { ...fields, error: 'transport closed' })
    }
    this.states.set(server.name, { connected, enabled: true, container: connected ? container : null })
  }

  private line = (level: string, message: string, fields: unknown): string =>
    `${new Date().toISOString()} | ${level} | played/player.go:1 | ${message} | ${JSON.stringify(fields)}\n`
  private main(level: string, message: string, fields: unknown): void {
    fs.appendFileSync(path.join(this.logs, 'main.log'), this.line(level, message, fields))
  }
  private own(server: string, level: string, message: string, fields: unknown): void {
    fs.appendFileSync(path.join(this.logs, `server-${server}.log`), this.line(level, message, fields))
  }

  private api(request: http.IncomingMessage, answer: http.ServerResponse): void {
    const url = request.url ?? ''
    this.requests.push(`${request.method} ${url}`)
    const played = this.options.answer?.(request.method ?? '', url, this) ?? this.usual(request.method ?? '', url)
    if (played === 'hang') return
    if (played === 'cut') return void request.socket.destroy()
    answer.writeHead(played.status, { 'content-type': 'application/json' }).end(JSON.stringify(played.body))
  }

  private usual(method: string, url: string): Played {
    const good = (data: unknown): Played => ({ status: 200, body: { success: true, data } })
    if (url === '/api/v1/info') return good({ ...bodyOf('info').data, version: this.version.text, pid: process.pid })
    if (url === '/api/v1/config') return good({ config: JSON.parse(this.loaded.at(-1) ?? '{}') as unknown, config_path: this.config })
    if (url === '/api/v1/servers') {
      const [like] = bodyOf('servers').data['servers'] as Record<string, unknown>[]
      const servers = this.entries().map((s) => {
        const state = this.states.get(s.name)
        return {
          ...like,
          id: s.name,
          name: s.name,
          enabled: state?.enabled,
          quarantined: s.quarantined ?? false,
          connected: state?.connected,
          connecting: false,
        }
      })
      return good({ servers })
    }
    const [, name = '', what = ''] = /^\/api\/v1\/servers\/([^/]+)\/(\w+)$/.exec(url) ?? []
    const server = decodeURIComponent(name)
    if (method === 'GET' && what === 'tools') return good({ server_name: server, tools: [{ name: 'noop' }], count: 1 })
    if (method === 'POST' && what === 'restart') {
      this.restart(server)
      return good({ server, action: 'restart', success: true })
    }
    return { status: 404, body: '404 page not found' }
  }

  // ---- the engine -----------------------------------------------------------------

  private docker(url: string, answer: http.ServerResponse): void {
    const target = url.replace(/^\/v[\d.]+/, '').replace(/\?.*$/, '')
    const send = (value: unknown): void => void answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (target === '/_ping') return void answer.writeHead(200, { 'content-type': 'text/plain' }).end('OK')
    if (target === '/version') return send(record('docker/version.json'))
    if (target === '/info') return send(record('docker/info.json'))
    if (target === '/images/json') return send([])
    if (target === '/networks') return send([{ Name: 'bridge' }, { Name: 'none' }, { Name: 'host' }])
    if (target === '/events') return void answer.writeHead(200).end('')
    if (target === '/containers/json')
      return send([...this.states].flatMap(([name, s]) => (s.container === null ? [] : [this.container(name, s.container)])))
    answer.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"No such image"}')
  }

  private container(server: string, name: string): unknown {
    const config = configFor(this.reading(), server, this.version)
    const labels = name.startsWith('mcpproxy-') ? { 'com.mcpproxy.managed': 'true', 'com.mcpproxy.server': server } : {}
    return {
      Id: `${name}-id`,
      Names: [`/${name}`],
      Image: config.expected?.run.image ?? 'image',
      ImageID: 'sha256:1',
      Command: 'node',
      Created: Math.floor(Date.now() / 1000),
      State: 'running',
      Status: 'Up 1 second',
      Labels: labels,
    }
  }

  private async listen(handler: http.RequestListener, socket?: string): Promise<number> {
    const server = http.createServer(handler)
    server.on('connection', (s: net.Socket) => this.sockets.add(s))
    this.servers.push(server)
    if (socket === undefined) server.listen(0, '127.0.0.1')
    else server.listen(socket)
    await once(server, 'listening')
    return socket === undefined ? (server.address() as net.AddressInfo).port : 0
  }
}
