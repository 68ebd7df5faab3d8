/** MCPProxy's REST API: over its socket, or over TCP with the key once it is clear who listens there. */
import type { Agent, ClientRequestArgs, IncomingMessage } from 'node:http'
import path from 'node:path'
import { codeOf } from '../errors.ts'
import { addressOf, withoutServername } from './docker-transport.ts'
import { plainGet } from './plain-get.ts'
import { notObserved, observed, type ApiAnswer, type Files, type Observed, type ProxyApi, type SourceError } from './system.ts'

export interface ProxyApiOptions {
  files: Files
  platform: string
  /** Ours; null: this system knows no such numbers. */
  uid: number | null
  /** Where to ask, the likeliest first; `unix:///…`, `npipe:////./pipe/…`, `http(s)://host:port`. */
  places(): Promise<string[]>
  /** For TCP only. */
  key(): Promise<string | null>
  /** MCPProxy's own CA, for https on this machine; null: those of the system. */
  ca?(): Promise<Buffer | null>
  /** Users that may listen for it: ourselves, root, the owner of its configuration. Null as above. */
  users(): Promise<number[] | null>
  deadline: number
  limitMs?: number
  maxBytes?: number
}

interface Place {
  address: string
  connect: ClientRequestArgs
  secure: boolean
  /** For what is more than a plain GET. */
  agent(): Agent
  /** The key is sent there. */
  key: string | null
  /** What it said when it was asked who it is; null: not yet. */
  greeting: ApiAnswer | null
}

/** Of MCPProxy itself: whether it is one, and which. */
const identity = '/api/v1/info'

const loopback = /^(127\.[\d.]+|localhost|::1)$/
type Failure = { ok: false; error: SourceError }

/** `send` is for the few calls that change something; `limitMs` because a restart answers after up to 11 s. */
export interface LiveProxyApi extends ProxyApi {
  send(method: 'POST' | 'PATCH', path: string, body: unknown, limitMs?: number): Promise<Observed<ApiAnswer>>
  close(): void
}

export function createProxyApi(options: ProxyApiOptions): LiveProxyApi {
  const agents = new Set<Agent>()
  let found: Promise<Observed<Place>> | null = null
  let known = false
  const find = (): Promise<Observed<Place>> =>
    (found ??= findPlace(options, agents).finally(() => {
      known = true
    }))
  const call = async (method: string, target: string, body: unknown, limitMs: number): Promise<Observed<ApiAnswer>> => {
    // Who asked before it was found is answered with what it said just then.
    const early = !known
    const place = await find()
    if (!place.ok) return place
    const { greeting } = place.value
    if (early && method === 'GET' && target === identity && greeting !== null && greeting.status !== 401) return observed(greeting)
    return request(options, place.value, { method, path: target, body, key: place.value.key, limitMs })
  }
  return {
    get: (target) => call('GET', target, undefined, options.limitMs ?? 3000),
    send: (method, target, body, limitMs) => call(method, target, body, limitMs ?? options.limitMs ?? 3000),
    address: async () => {
      const place = await find()
      return place.ok ? place.value.address : ((await options.places())[0] ?? null)
    },
    close: () => {
      for (const agent of agents) agent.destroy()
    },
  }
}

/** The first place at which a MCPProxy answers. */
async function findPlace(options: ProxyApiOptions, agents: Set<Agent>): Promise<Observed<Place>> {
  const failures: Failure[] = []
  for (const address of await options.places()) {
    const place = await describePlace(options, address, agents)
    if (!place.ok) {
      failures.push(place)
      continue
    }
    const answer = await identify(options, place.value)
    if (answer.ok) return answer
    failures.push(answer)
  }
  if (failures.length === 0) return notObserved('unreachable', 'There is no address at which MCPProxy could be asked.')
  // A silent or forbidden one may well be MCPProxy; "nothing there" is said only when it holds for every place.
  const worst =
    failures.find((f) => f.error.kind === 'timed-out') ??
    failures.find((f) => f.error.kind === 'denied') ??
    failures.find((f) => f.error.kind === 'failed')
  return notObserved(worst?.error.kind ?? 'unreachable', failures.map((f) => f.error.message).join(' '))
}

async function describePlace(options: ProxyApiOptions, address: string, agents: Set<Agent>): Promise<Observed<Place>> {
  const socketPath = /^(?:unix|npipe):\/\/(.*)$/s.exec(address)?.[1]
  const url = socketPath === undefined && /^https?:\/\//.test(address) && URL.canParse(address) ? new URL(address) : null
  if (socketPath === undefined && url === null) return notObserved('failed', `The address ${withoutSecrets(address)} cannot be used.`)
  const secure = url?.protocol === 'https:'
  const host = (url?.hostname ?? '').replace(/^\[|\]$/g, '')
  const ca = secure && loopback.test(host) ? await options.ca?.() : null
  let made: Agent | undefined
  const agent = (): Agent => {
    const { Agent } = process.getBuiltinModule(secure ? 'node:https' : 'node:http')
    // Said, because NODE_TLS_REJECT_UNAUTHORIZED=0 would change what is understood.
    made ??= new Agent({ keepAlive: true, rejectUnauthorized: true, ...(ca == null ? {} : { ca }) })
    agents.add(made)
    return made
  }
  if (socketPath !== undefined)
    return observed({ address, connect: { socketPath, host: 'localhost' }, secure: false, agent, key: null, greeting: null })
  const port = Number(url?.port || (secure ? 443 : 80))
  return observed({ address: `${url?.protocol}//${url?.host}`, connect: { host, port }, secure, agent, key: null, greeting: null })
}

/** Asks without a key first: a stranger on that port must not get it. */
async function identify(options: ProxyApiOptions, place: Place): Promise<Observed<Place>> {
  const answer = await request(options, place, {
    method: 'GET',
    path: identity,
    body: undefined,
    key: null,
    limitMs: options.limitMs ?? 3000,
  })
  if (!answer.ok) return answer
  if (!isMcpProxy(answer.value)) return stranger(place.address, `HTTP ${answer.value.status}`)
  const greeted = { ...place, greeting: answer.value }
  if (answer.value.status !== 401) return observed(greeted)
  // A daemon asks for no key over its socket; whatever does is not the one meant.
  if (place.connect.socketPath !== undefined)
    return notObserved('denied', `${place.address} wants an API key, which is not sent over a socket.`)
  const key = await options.key()
  if (key === null) return observed(greeted)
  const foreigner = await foreignListener(options, place)
  if (foreigner !== null)
    return notObserved('denied', `${place.address} is served by another user (uid ${foreigner}): the API key is not sent there.`)
  return observed({ ...greeted, key })
}

/** Whether a MCPProxy runs elsewhere, nobody could look. */
const stranger = (address: string, how: string): Failure =>
  notObserved(
    'failed',
    `Something answers at ${address}, but it is not MCPProxy (${how}). If MCPProxy listens elsewhere, name that address with --api; if it is to listen there, end what took its place.`,
  )

/** 401 {"success":false,"error":"Invalid or missing API key","request_id":"…"}; over a socket 200 {"success":true,"data":{"version":…}}. */
function isMcpProxy({ status, body }: ApiAnswer): boolean {
  if (typeof body !== 'object' || body === null || !('success' in body)) return false
  if (status === 401)
    return (
      body.success === false &&
      'error' in body &&
      typeof body.error === 'string' &&
      ('request_id' in body || body.error.includes('API key'))
    )
  const data = 'data' in body ? body.data : null
  return status === 200 && body.success === true && typeof data === 'object' && data !== null && 'version' in data
}

/**
 * On a shared machine anybody may take the port while MCPProxy is down, and imitate its 401. Linux says who listens:
 * "  sl  local_address rem_address   st … uid": `0100007F:1F90 00000000:0000 0A … 1000`, 0A being LISTEN.
 * Null: nobody else, or not known (a forwarded port has no listener here).
 */
async function foreignListener(options: ProxyApiOptions, place: Place): Promise<number | null> {
  const { host, port } = place.connect
  if (options.platform !== 'linux' || typeof port !== 'number' || !loopback.test(host ?? '')) return null
  const users = await options.users()
  if (users === null) return null
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const content = await options.files.read(table, 16 * 1024 * 1024)
    if (!content.ok || content.value === null) continue
    for (const line of content.value.toString('latin1').split('\n')) {
      const fields = line.trim().split(/\s+/)
      if (fields[3] !== '0A' || fields[1]?.endsWith(`:${wanted}`) !== true) continue
      const uid = Number(fields[7])
      if (!users.includes(uid)) return uid
    }
  }
  return null
}

interface Question {
  method: string
  path: string
  body: unknown
  key: string | null
  limitMs: number
}

class AnswerTooLong extends Error {}

async function request(options: ProxyApiOptions, place: Place, question: Question): Promise<Observed<ApiAnswer>> {
  const limit = Math.min(question.limitMs, options.deadline - Date.now())
  const late = (): Failure =>
    notObserved('timed-out', `MCPProxy at ${place.address} did not answer within ${(Math.max(0, limit) / 1000).toFixed(1)} s.`)
  if (limit <= 0) return late()
  const socketPath = place.connect.socketPath
  if (socketPath !== undefined && options.platform !== 'win32') {
    const stat = await options.files.stat(socketPath)
    if (stat.ok && stat.value.type === 'missing') return notObserved('unreachable', `There is no socket ${socketPath}.`)
    // A connection by anybody else, root included, is an error of its Accept (internal/server/listener_unix.go, listener_mux.go),
    // and that ends the whole daemon: "server failed: … connection from different user (uid=0, expected=1000)", seen with v0.60.0.
    if (stat.ok && stat.value.type !== 'missing' && options.uid !== null && stat.value.uid !== options.uid)
      return notObserved(
        'denied',
        `${place.address} is for its own user (uid ${stat.value.uid}) only: MCPProxy ends when another one connects.`,
      )
  }
  const data = question.body === undefined ? undefined : JSON.stringify(question.body)
  const headers = {
    accept: 'application/json',
    ...(question.key === null ? {} : { 'x-api-key': question.key }),
    ...(data === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(data)) }),
  }
  const maxBytes = options.maxBytes ?? 32 * 1024 * 1024
  const tooLong = notObserved('failed', `MCPProxy's answer is longer than ${Math.round(maxBytes / 1024 ** 2)} MiB.`)
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), limit)
  try {
    if (!place.secure && question.method === 'GET') {
      const { status, body } = await plainGet({
        ...addressOf(place.connect),
        path: question.path,
        headers,
        signal: abort.signal,
        limit: () => ({ bytes: maxBytes, beyond: new AnswerTooLong() }),
      })
      return observed({ status, body: parsed(body.toString('utf8')) })
    }
    const http = process.getBuiltinModule(place.secure ? 'node:https' : 'node:http')
    // node:http follows no redirect, and a 3xx is an answer like any other.
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = http.request(
        {
          ...place.connect,
          ...(place.secure ? {} : withoutServername),
          method: question.method,
          path: question.path,
          headers,
          agent: place.agent(),
          signal: abort.signal,
        },
        resolve,
      )
      outgoing.on('error', reject)
      outgoing.end(data)
    })
    return await body(answer, abort.signal, maxBytes, tooLong)
  } catch (error) {
    if (abort.signal.aborted) return late()
    if (error instanceof AnswerTooLong) return tooLong
    return failure(error, place.address)
  } finally {
    clearTimeout(timer)
  }
}

async function body(answer: IncomingMessage, signal: AbortSignal, maxBytes: number, tooLong: Failure): Promise<Observed<ApiAnswer>> {
  const cut = (): void => void answer.destroy(new Error('aborted'))
  signal.addEventListener('abort', cut, { once: true })
  try {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > maxBytes) return tooLong
    }
    const text = Buffer.concat(chunks).toString('utf8')
    return observed({ status: answer.statusCode ?? 0, body: parsed(text) })
  } finally {
    signal.removeEventListener('abort', cut)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function failure(error: unknown, address: string): Failure {
  const code = codeOf(error)
  if (code === 'EACCES' || code === 'EPERM') return notObserved('denied', `This user may not connect to ${address}.`)
  if (/^(ECONNREFUSED|ENOENT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTSOCK)$/.test(code))
    return notObserved('unreachable', `Nothing answers at ${address} (${code}).`)
  if (code === 'ETIMEDOUT') return notObserved('timed-out', `${address} did not accept the connection.`)
  if (code.startsWith('ERR_TLS_') || /CERT|SIGNATURE|^CRL_/.test(code))
    return notObserved('failed', `The certificate of ${address} is not trusted (${code}): nothing is asked there, and no key is sent.`)
  if (code.startsWith('HPE_')) return stranger(address, 'no HTTP')
  return notObserved('failed', `MCPProxy at ${address} could not be asked (${code || 'unknown error'}).`)
}

/** A listen address as a client needs it: `:8080` and `0.0.0.0:8080` are all interfaces. */
export function listenUrl(listen: string, tls: boolean): string {
  if (/^https?:\/\//.test(listen)) return listen
  const match = /^(.*?)(?::(\d+))?$/.exec(listen)
  const host = match?.[1] ?? ''
  const local = host === '' || host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host
  return `${tls ? 'https' : 'http'}://${local}:${match?.[2] ?? '8080'}`
}

export const defaultSocket = (dataDir: string, platform: string, env: Record<string, string | undefined>): string =>
  platform === 'win32' ? `npipe:////./pipe/mcpproxy-${env['USERNAME'] || 'default'}` : `unix://${path.posix.join(dataDir, 'mcpproxy.sock')}`

const withoutSecrets = (address: string): string => address.replace(/\/\/[^/@]*@/, '//…@').replace(/\?.*$/s, '?…')
