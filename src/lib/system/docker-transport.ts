/**
 * How requests of dockerode reach the engine. dockerode builds them; sending is done here, because docker-modem
 * follows redirects to anywhere, reads answers without a bound, never gives up on a silent engine, opens ssh
 * connections without looking at the host's key, and takes over DOCKER_HOST of our own environment.
 */
import type Http from 'node:http'
import type { Agent, ClientRequestArgs, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'
import type { ResolvedEndpoint } from './docker-endpoint.ts'
import { engineFailure } from './engine-error.ts'
import { plainGet, type Address } from './plain-get.ts'

export interface Transport {
  /**
   * What a GET brings: JSON (null: nothing), or with `bytes` the body as it is, of at most so many bytes. Without dockerode, which takes
   * longer to load than most answers.
   */
  get(path: string, signal: AbortSignal): Promise<unknown>
  get(path: string, signal: AbortSignal, bytes: number): Promise<Buffer>
  /** A client whose calls end when the signal does. */
  client(signal: AbortSignal): Promise<Docker>
  /** A POST whose connection becomes a raw stream in both directions, as for attach. The signal ends only the asking. */
  hijack(path: string, signal: AbortSignal): Promise<Duplex>
  /** How far the engine's clock is ahead of ours, from the Date of its last answer; null: not known yet. */
  skewMs(): number | null
  /** What the engine said of itself in the heads of its last answer; null: no answer yet, or of something else. */
  engineHead(): EngineHead | null
  close(): void
}

/** `Server: Docker/28.2.2 (linux)` (podman: `Libpod/4.9.3 (linux)`) and `Api-Version: 1.50`, which every answer of an engine has. */
interface EngineHead {
  podman: boolean
  version: string
  apiVersion: string
}

/** What docker-modem 5 hands to `buildRequest`. */
interface Outgoing extends ClientRequestArgs {
  path: string
  method: string
}
interface Expected {
  isStream?: boolean
  statusCodes: Record<number, unknown>
}
type Callback = (error: Error | null, answer: unknown) => void
type Send = (options: Outgoing, expected: Expected, data: string | Buffer | undefined, callback: Callback) => void

/** Not JSON, although dockerode asks for no stream: bytes of a container's output. */
const isRaw = (path: string): boolean => /\/containers\/[^/]+\/logs\?/.test(path)

const largestAnswer = 64 * 1024 * 1024
const largestError = 64 * 1024

export function createTransport(endpoint: ResolvedEndpoint, env: Record<string, string | undefined>, maxBytes = largestAnswer): Transport {
  const { host } = endpoint
  if (host === null) throw engineFailure('misconfigured', endpoint.problem ?? 'The address of the engine is not known.')
  const secure = endpoint.tlsMaterial !== null || host.startsWith('https:')
  const where = place(host)
  const plain = secure || host.startsWith('ssh:') ? null : addressOf(where.connect)
  // Loaded when it is used.
  let client: { http: Pick<typeof Http, 'request'>; agent: Agent } | undefined
  const byHttp = (): NonNullable<typeof client> => {
    if (client) return client
    const http = process.getBuiltinModule(secure ? 'node:https' : 'node:http')
    const agent = host.startsWith('ssh:') ? sshAgent(new URL(host), env) : new http.Agent({ keepAlive: true, ...tlsOptions(endpoint) })
    return (client = { http, agent })
  }
  let skew: number | null = null
  let head: EngineHead | null = null
  const note = (headers: IncomingHttpHeaders): void => {
    const date = Date.parse(headers.date ?? '')
    if (!Number.isNaN(date)) skew = date + 500 - Date.now()
    head = headOf(headers) ?? head
  }
  const send =
    (signal: AbortSignal): Send =>
    (options, expected, data, callback) => {
      // `method` and `headers` come from docker-modem, the address from us.
      const { http, agent } = byHttp()
      const request = http.request({
        method: options.method,
        headers: options.headers,
        ...where.connect,
        ...(secure ? {} : withoutServername),
        path: where.base + options.path,
        agent,
      })
      let response: IncomingMessage | null = null
      const abort = (): void => {
        request.destroy(asError(signal.reason))
        response?.destroy(asError(signal.reason))
      }
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort, { once: true })
      request.on('error', (error) => callback(error, null))
      request.on('close', () => signal.removeEventListener('abort', abort))
      request.on('response', (answer) => {
        response = answer
        note(answer.headers)
        const fine = expected.statusCodes[answer.statusCode ?? 0] === true
        if (fine && expected.isStream === true) return callback(null, answer)
        const content = fine && isRaw(options.path) ? readBounded(answer, maxBytes, 'fail') : receive(answer, expected, maxBytes)
        content.then(
          (value) => callback(null, value),
          (error: unknown) => {
            answer.destroy()
            callback(asError(error), null)
          },
        )
      })
      request.end(data)
    }
  async function get(path: string, signal: AbortSignal): Promise<unknown>
  async function get(path: string, signal: AbortSignal, bytes: number): Promise<Buffer>
  async function get(path: string, signal: AbortSignal, bytes?: number): Promise<unknown> {
    if (plain === null) {
      const asked: Expected = { statusCodes: { 200: true }, ...(bytes === undefined ? {} : { isStream: true }) }
      const answer = await new Promise((resolve, reject) => {
        send(signal)({ method: 'GET', path, headers: {} }, asked, undefined, (error, value) => (error ? reject(error) : resolve(value)))
      })
      return bytes === undefined ? answer : readBounded(answer as IncomingMessage, bytes, 'fail')
    }
    const most = bytes ?? maxBytes
    const { status, headers, body } = await plainGet({
      ...plain,
      path: where.base + path,
      headers: {},
      signal,
      limit: ({ status }) => (status === 200 ? { bytes: most, beyond: tooLong(most) } : { bytes: largestError, beyond: 'cut' }),
    })
    note(Object.fromEntries(headers))
    return status === 200 && bytes !== undefined ? body : understood(status, status === 200, body)
  }
  return {
    get,
    client: async (signal) => {
      const { default: Dockerode } = await import('dockerode')
      const docker = withoutDockerHost(() => new Dockerode({ socketPath: '/', host: undefined }))
      const guarded = send(signal)
      const buildRequest: Send = (options, expected, data, callback) => {
        try {
          guarded(options, expected, data, callback)
        } catch (error) {
          callback(asError(error), null)
        }
      }
      Object.assign(docker.modem, { buildRequest })
      return docker
    },
    hijack: (path, signal) =>
      new Promise((resolve, reject) => {
        const headers = { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Length': '0' }
        const { http, agent } = byHttp()
        const request = http.request({ method: 'POST', headers, ...where.connect, path: where.base + path, agent })
        const abort = (): void => void request.destroy(asError(signal.reason))
        const answered = (): void => signal.removeEventListener('abort', abort)
        if (signal.aborted) abort()
        signal.addEventListener('abort', abort, { once: true })
        request.on('error', (error) => {
          answered()
          reject(error)
        })
        request.on('upgrade', (_, socket, head) => {
          answered()
          if (head.length > 0) socket.unshift(head)
          resolve(socket)
        })
        request.on('response', (answer) => {
          receive(answer, { statusCodes: {} }, maxBytes).then(
            () => reject(engineFailure('not-docker', 'The engine did not open a stream.')),
            (error: unknown) => reject(asError(error)),
          )
        })
        request.end()
      }),
    skewMs: () => skew,
    engineHead: () => head,
    close: () => client?.agent.destroy(),
  }
}

function headOf({ server, 'api-version': apiVersion }: IncomingHttpHeaders): EngineHead | null {
  const [, name, version] = /^(Docker|Libpod)\/([^\s(]+)/.exec(String(server)) ?? []
  return version !== undefined && typeof apiVersion === 'string' ? { podman: name === 'Libpod', version, apiVersion } : null
}

/** For TLS only. Otherwise Node builds large regular expressions to see whether the name of the host is an address. */
export const withoutServername = { servername: '' }

const asError = (value: unknown): Error => (value instanceof Error ? value : new Error(String(value)))

/** docker-modem's constructor parses DOCKER_HOST and reads DOCKER_CERT_PATH of this process, and throws where they are wrong. */
function withoutDockerHost<T>(make: () => T): T {
  const own = process.env['DOCKER_HOST']
  delete process.env['DOCKER_HOST']
  try {
    return make()
  } finally {
    if (own !== undefined) process.env['DOCKER_HOST'] = own
  }
}

async function receive(answer: IncomingMessage, expected: Expected, maxBytes: number): Promise<unknown> {
  const status = answer.statusCode ?? 0
  const fine = expected.statusCodes[status] === true
  const limit = fine ? maxBytes : largestError
  return understood(status, fine, await readBounded(answer, limit, fine ? 'fail' : 'cut'))
}

/** `fine`: the status is one that was expected. */
function understood(status: number, fine: boolean, body: Buffer): unknown {
  const content = body.toString('utf8')
  if (fine && content === '') return null
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch {
    if (fine) throw engineFailure('not-docker', 'What answers there speaks HTTP, but not as a Docker engine (no JSON).')
    json = null
  }
  if (fine) return json
  const message =
    typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string'
      ? json.message
      : content.slice(0, 200)
  // Go's net/http to a client without TLS: "Client sent an HTTP request to an HTTPS server."
  if (status === 400 && json === null && /HTTP request to an HTTPS server/i.test(content))
    throw engineFailure('misconfigured', 'The engine wants TLS.', status)
  // An engine's own answers carry {"message": …}; 404 or 405 of something else does not.
  const why = status === 401 || status === 403 ? 'denied' : status >= 500 ? 'server-error' : json === null ? 'not-docker' : 'failed'
  throw engineFailure(why, `The engine answered HTTP ${status}${message === '' ? '' : `: ${message}`}`, status)
}

/** `cut`: the beginning is enough. */
export async function readBounded(stream: AsyncIterable<Buffer | string>, limit: number, beyond: 'fail' | 'cut'): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    chunks.push(piece)
    length += piece.length
    if (length <= limit) continue
    if (beyond === 'fail') throw tooLong(limit)
    break
  }
  return Buffer.concat(chunks).subarray(0, limit)
}

const tooLong = (limit: number): Error =>
  engineFailure('failed', `The engine's answer is longer than ${Math.round(limit / 1024 ** 2)} MiB.`)

/** For a plain connection; `host`: of the header of that name, as Node writes it. */
export function addressOf({ socketPath, host, port }: ClientRequestArgs): { address: Address; host: string } {
  const name = host ?? ''
  if (socketPath != null) return { address: { socketPath }, host: name }
  const bracketed = name.includes(':') ? `[${name}]` : name
  return { address: { host: name, port: Number(port) }, host: Number(port) === 80 ? bracketed : `${bracketed}:${port}` }
}

function place(host: string): { connect: ClientRequestArgs; base: string } {
  const path = /^(?:unix|npipe):\/\/(.*)$/s.exec(host)?.[1]
  // npipe:////./pipe/docker_engine is //./pipe/docker_engine for node. docker 28 sends this Host over sockets.
  if (path !== undefined) return { connect: { socketPath: path, host: 'api.moby.localhost' }, base: '' }
  if (host.startsWith('ssh:')) return { connect: { host: 'docker.example.com' }, base: '' }
  if (!URL.canParse(host.replace(/^tcp:/, 'http:'))) throw engineFailure('misconfigured', `The address ${host} cannot be read.`)
  const url = new URL(host.replace(/^tcp:/, 'http:'))
  return {
    connect: { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 80 : Number(url.port) },
    base: url.pathname.replace(/\/$/, ''),
  }
}

const tlsOptions = ({ tlsMaterial }: ResolvedEndpoint): object =>
  tlsMaterial === null
    ? // Said, because NODE_TLS_REJECT_UNAUTHORIZED=0 would change what is understood.
      { rejectUnauthorized: true }
    : {
        ...(tlsMaterial.ca === null ? {} : { ca: tlsMaterial.ca }),
        ...(tlsMaterial.cert === null || tlsMaterial.key === null ? {} : { cert: tlsMaterial.cert, key: tlsMaterial.key }),
        rejectUnauthorized: tlsMaterial.verify,
      }

/**
 * As the docker command does it (cli/connhelper): `ssh -T -l user -p port -- host docker system dial-stdio`, so that
 * ~/.ssh/config, the agent and known_hosts count. BatchMode: never ask for a password.
 */
function sshAgent(url: URL, env: Record<string, string | undefined>): Agent {
  const { Agent } = process.getBuiltinModule('node:http')
  const { spawn } = process.getBuiltinModule('node:child_process')
  const { Duplex } = process.getBuiltinModule('node:stream')
  const socket = decodeURIComponent(url.pathname).replace(/^\/$/, '')
  if (/[^\w./-]/.test(socket))
    throw engineFailure('misconfigured', 'The path in the ssh:// address has characters that a shell would read.')
  const args = [
    ...['-o', 'ConnectTimeout=5', '-o', 'BatchMode=yes', '-T'],
    ...(url.username === '' ? [] : ['-l', decodeURIComponent(url.username)]),
    ...(url.port === '' ? [] : ['-p', url.port]),
    ...['--', url.hostname.replace(/^\[|\]$/g, ''), 'docker'],
    ...(socket === '' ? [] : ['--host', `unix://${socket}`]),
    ...['system', 'dial-stdio'],
  ]
  const children = new Set<ReturnType<typeof spawn>>()
  const connect = (): InstanceType<typeof Duplex> => {
    const child = spawn('ssh', args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    children.add(child)
    // Ends only when ssh has: its exit code says why, and comes after the end of its output.
    const duplex = new Duplex({
      read: () => void child.stdout.resume(),
      write: (chunk, _, done) => void child.stdin.write(chunk, () => done()),
      final: (done) => void child.stdin.end(() => done()),
    })
    let said = ''
    child.stdin.on('error', () => {})
    child.stdout.on('data', (chunk: Buffer) => {
      if (!duplex.push(chunk)) child.stdout.pause()
    })
    child.stderr.on('data', (chunk: Buffer) => (said = said.length < 2000 ? said + chunk.toString('utf8') : said))
    child.on('error', (error: NodeJS.ErrnoException) =>
      duplex.destroy(
        error.code === 'ENOENT' ? engineFailure('misconfigured', 'The address is ssh://, but there is no ssh program here.') : error,
      ),
    )
    child.on('close', (code) => {
      children.delete(child)
      if (code === 0) duplex.push(null)
      // 255 is ssh's own failure, 127 "docker: command not found" over there.
      else
        duplex.destroy(
          engineFailure(code === 127 ? 'misconfigured' : 'failed', `ssh to the engine ended with ${code ?? 'a signal'}: ${said}`),
        )
    })
    duplex.on('close', () => child.kill())
    return duplex
  }
  const agent = new Agent()
  return Object.assign(agent, {
    createConnection: connect,
    destroy: () => {
      for (const child of children) child.kill()
    },
  })
}
