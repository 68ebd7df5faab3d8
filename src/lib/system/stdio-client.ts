/**
 * MCP over the pipes of a child: initialize, notifications/initialized, tools/list, and nothing else; no tool is ever
 * called. What the server wrote is kept as far as it tells something, in bounded memory. It reads as MCPProxy does
 * (mcp-go): one JSON message a line, and lines that are none are passed over, so that the two agree on what works.
 */
import type { Readable, Writable } from 'node:stream'
import { byteRecord, type ByteRecord } from './byte-record.ts'
import { classifyLine, createLineReader, mayBeMessage, type Line, type LineKind } from './json-lines.ts'

/** The versions that MCPProxy accepts, newest first (mcp-go, v0.60.0). */
export const protocolVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

export interface ConversationOptions {
  /** Milliseconds for the answer to initialize; default 30000. */
  initializeMs?: number
  /** Milliseconds for all pages of tools/list; default 30000. */
  toolsMs?: number
  /** How long it must stay alive after that; default 300. */
  settleMs?: number
  /** Default: the newest. */
  protocolVersion?: string
  /** Bytes on standard output after which a server counts as flooding; default 64 MiB. */
  maxBytes?: number
  /** Bytes of one line after which it is passed over; default 32 MiB. */
  maxLine?: number
  signal?: AbortSignal
  /** `performance.now()` of the start; all times count from it. Default: now. */
  startedAt?: number
}

export interface ServerPipes {
  stdin: Writable
  stdout: Readable
  stderr: Readable | null
}

/** A line on standard output that is no protocol message. */
export interface ForeignLine {
  kind: Exclude<LineKind, 'message'>
  /** Bytes before it. */
  offset: number
  /** Of its bytes, without the line end. */
  length: number
  /** Its first 64 bytes. */
  hex: string
  /** Its beginning as text, at most 200 characters. */
  text: string
  atMs: number
}

export interface Transcript {
  /**
   * `works`: both answered, and alive for a moment after. `no-answer`: the time was up. `ended`: standard output ended
   * before. `refused`: an answer that says no, or that MCPProxy would not accept. `flood`: too much output.
   */
  outcome: 'works' | 'no-answer' | 'ended' | 'refused' | 'flood' | 'cancelled'
  /** What was waited for when it came to its end. */
  during: 'initialize' | 'tools/list' | 'settle'
  /** The server's own words or the reason in ours, at most 500 characters; null when it works. */
  problem: string | null
  /** Milliseconds since the start; null: it did not happen. */
  times: { firstByte: number | null; initialize: number | null; tools: number | null; end: number }
  protocolVersion: string | null
  serverInfo: { name: string; version: string | null } | null
  /** Number of tools; null: tools/list was not answered. */
  tools: number | null
  /** Pages of tools/list; `more`: it went on after what was read. */
  pages: { read: number; more: boolean }
  /** Standard output: the beginning and the end of its exact bytes. */
  stdout: ByteRecord
  stderr: ByteRecord
  /** What was sent to the server. */
  sent: ByteRecord
  /** The first line that is not protocol, how many there were, and how many of the protocol's own lines ended with CR LF. */
  foreign: { first: ForeignLine | null; count: number; crlf: number }
  messages: number
  /** Answers to nothing that was asked: their ids as JSON, at most 5, and their number. */
  stray: { ids: string[]; count: number }
  /** Methods that the server asked of the client and that were refused, at most 10. */
  refusedRequests: string[]
}

interface Message {
  id?: unknown
  method?: unknown
  result?: unknown
  error?: unknown
}

const maxPages = 100
const maxTools = 100_000
/** A server that asks and does not read would fill memory with our answers. */
const maxUnread = 1024 * 1024

export interface Conversation {
  /** Settles with the outcome, never with an error. The pipes stay open, and are still drained; the caller ends the child. */
  finished: Promise<Transcript['outcome']>
  /** What is known now. After the child has ended it holds its last words too. */
  transcript(): Transcript
}

export function converse(pipes: ServerPipes, options: ConversationOptions = {}): Conversation {
  const startedAt = options.startedAt ?? performance.now()
  const since = (): number => Math.round((performance.now() - startedAt) * 10) / 10
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024
  const stdout = byteRecord(64 * 1024, 16 * 1024)
  const stderr = byteRecord(32 * 1024, 32 * 1024)
  const sent = byteRecord(16 * 1024, 4 * 1024)
  const t: Omit<Transcript, 'stdout' | 'stderr' | 'sent'> = {
    outcome: 'cancelled',
    during: 'initialize',
    problem: null,
    times: { firstByte: null, initialize: null, tools: null, end: 0 },
    protocolVersion: null,
    serverInfo: null,
    tools: null,
    pages: { read: 0, more: false },
    foreign: { first: null, count: 0, crlf: 0 },
    messages: 0,
    stray: { ids: [], count: 0 },
    refusedRequests: [],
  }

  const transcript = (): Transcript => ({ ...t, stdout: stdout.take(), stderr: stderr.take(), sent: sent.take() })
  const finished = new Promise<Transcript['outcome']>((resolve) => {
    let over = false
    let timer: NodeJS.Timeout | undefined
    let asked: { id: number; answered: (message: Message) => void } | null = null
    let lastId = 0
    let declaresTools = false
    const cursors = new Set<string>()
    const echoes = new Set<string>()

    const finish = (outcome: Transcript['outcome'], problem: string | null = null): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', cancel)
      t.outcome = outcome
      t.problem = problem === null ? null : problem.slice(0, 500)
      t.times.end = since()
      resolve(outcome)
    }
    const cancel = (): void => finish('cancelled')
    const limit = (ms: number, what: string): void => {
      clearTimeout(timer)
      timer = setTimeout(() => finish('no-answer', `no answer to ${what} within ${ms / 1000} s`), ms)
    }
    const send = (message: object): void => {
      if (pipes.stdin.destroyed || pipes.stdin.writableEnded || pipes.stdin.writableLength > maxUnread) return
      const line = JSON.stringify({ jsonrpc: '2.0', ...message })
      if (echoes.size < 50) echoes.add(line)
      sent.add(Buffer.from(`${line}\n`))
      pipes.stdin.write(`${line}\n`)
    }
    const ask = (method: string, params: object, answered: (message: Message) => void): void => {
      lastId += 1
      asked = { id: lastId, answered }
      send({ id: lastId, method, params })
    }

    const listTools = (cursor: string | null): void =>
      ask('tools/list', cursor === null ? {} : { cursor }, (message) => {
        if (message.error !== undefined) {
          // A server without tools may say so (-32601): that is an answer.
          if (declaresTools || t.pages.read > 0) return finish('refused', `tools/list: ${errorText(message.error)}`)
          t.tools = 0
          return settle()
        }
        const result = record(message.result)
        if (!Array.isArray(result['tools'])) return finish('refused', 'tools/list: the answer has no list of tools')
        t.tools = (t.tools ?? 0) + result['tools'].length
        t.pages.read += 1
        const next = result['nextCursor']
        if (typeof next !== 'string' || next === '') return settle()
        t.pages.more = cursors.has(next) || t.pages.read >= maxPages || t.tools >= maxTools
        if (t.pages.more) return settle()
        cursors.add(next)
        listTools(next)
      })
    const settle = (): void => {
      t.times.tools = since()
      t.during = 'settle'
      clearTimeout(timer)
      timer = setTimeout(() => finish('works'), options.settleMs ?? 300)
    }
    const initialized = (message: Message): void => {
      if (message.error !== undefined) return finish('refused', `initialize: ${errorText(message.error)}`)
      const result = record(message.result)
      const version = result['protocolVersion']
      if (typeof version !== 'string') return finish('refused', 'initialize: the answer has no protocolVersion')
      t.protocolVersion = version.slice(0, 100)
      const info = record(result['serverInfo'])
      if (typeof info['name'] === 'string')
        t.serverInfo = {
          name: info['name'].slice(0, 200),
          version: typeof info['version'] === 'string' ? info['version'].slice(0, 100) : null,
        }
      if (!protocolVersions.some((v) => v === version))
        return finish('refused', `initialize: unsupported protocol version "${t.protocolVersion}"`)
      declaresTools = record(result['capabilities'])['tools'] !== undefined
      t.times.initialize = since()
      send({ method: 'notifications/initialized' })
      t.during = 'tools/list'
      limit(options.toolsMs ?? 30_000, 'tools/list')
      listTools(null)
    }

    const receive = (message: Message): void => {
      if (typeof message.method === 'string') {
        if (message.id === undefined || message.id === null) return
        if (message.method === 'ping') return send({ id: message.id, result: {} })
        if (t.refusedRequests.length < 10) t.refusedRequests.push(message.method.slice(0, 100))
        return send({ id: message.id, error: { code: -32601, message: 'Method not found: this client only lists tools.' } })
      }
      if (asked === null || message.id !== asked.id) {
        t.stray.count += 1
        if (t.stray.ids.length < 5) t.stray.ids.push((JSON.stringify(message.id) ?? 'none').slice(0, 50))
        return
      }
      const { answered } = asked
      asked = null
      // Later: an answer in the same piece of output came before the next question, and must not pass for its answer.
      queueMicrotask(() => {
        if (!over) answered(message)
      })
    }
    const onLine = (line: Line): void => {
      if (over) return
      // Of a flood only the first line is looked at.
      if (t.foreign.first !== null && !mayBeMessage(line)) return void (t.foreign.count += 1)
      const { kind, value } = classifyLine(line, echoes)
      if (kind === 'message') {
        t.messages += 1
        if (line.crlf) t.foreign.crlf += 1
        return receive(value as Message)
      }
      t.foreign.count += 1
      t.foreign.first ??= {
        kind,
        offset: line.offset,
        length: line.length,
        hex: line.bytes.subarray(0, 64).toString('hex'),
        text: line.bytes.subarray(0, 800).toString('utf8').slice(0, 200),
        atMs: since(),
      }
    }

    const lines = createLineReader(options.maxLine ?? 32 * 1024 * 1024, onLine)
    pipes.stdout.on('data', (chunk: Buffer) => {
      t.times.firstByte ??= since()
      stdout.add(chunk)
      if (!over) lines.add(chunk)
      if (!over && stdout.total() > maxBytes) finish('flood', `more than ${Math.round(maxBytes / 1024 ** 2)} MiB on standard output`)
    })
    const ended = (): void => {
      if (over) return
      lines.end()
      finish(
        'ended',
        t.during === 'settle' ? 'standard output ended right after tools/list' : `standard output ended before the answer to ${t.during}`,
      )
    }
    pipes.stdout.on('end', ended).on('close', ended).on('error', ended)
    pipes.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk))
    pipes.stderr?.on('error', () => undefined)
    // EPIPE: the server reads no more. Its output, or the end of it, says why.
    pipes.stdin.on('error', () => undefined)

    if (options.signal?.aborted === true) return cancel()
    options.signal?.addEventListener('abort', cancel, { once: true })
    limit(options.initializeMs ?? 30_000, 'initialize')
    ask(
      'initialize',
      {
        protocolVersion: options.protocolVersion ?? protocolVersions[0],
        capabilities: {},
        clientInfo: { name: 'mcpproxy-doctor', version: '1.0.0' },
      },
      initialized,
    )
  })
  return { finished, transcript }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

function errorText(error: unknown): string {
  const { code, message } = record(error)
  return `${typeof message === 'string' ? message : 'an error without a message'}${typeof code === 'number' ? ` (${code})` : ''}`
}
