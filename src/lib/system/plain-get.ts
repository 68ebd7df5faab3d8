/**
 * One GET over a socket or TCP without TLS, one answer: all that a look needs. Node's HTTP client takes longer to load and to start
 * than the answers of all the requests of a look; what sends anything, what upgrades, streams or needs TLS still uses it.
 *
 * As strict as that client (RFC 9112), and its errors: `HPE_…` for what is no HTTP, ECONNRESET for an answer that ends too soon.
 */
import type { Socket } from 'node:net'

export type Address = { socketPath: string } | { host: string; port: number }

export interface PlainQuestion {
  address: Address
  /** Of the `Host` header. */
  host: string
  path: string
  headers: Readonly<Record<string, string>>
  /** Ends it: the promise is rejected with its reason. */
  signal: AbortSignal
  /** Called when the head is there, to say how long the body may be. */
  limit: (head: PlainHead) => { bytes: number; beyond: Error | 'cut' }
}

export interface PlainHead {
  status: number
  /** Names in lower case; of a repeated one the first value. */
  headers: ReadonlyMap<string, string>
}

export interface PlainAnswer extends PlainHead {
  body: Buffer
}

const largestHead = 16 * 1024
const lineEnd = Buffer.from('\r\n')
const headEnd = Buffer.from('\r\n\r\n')

/** Rejected with errors of `node:net`, and those above. */
export function plainGet(question: PlainQuestion): Promise<PlainAnswer> {
  const { signal } = question
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(asError(signal.reason))
    const lines = Object.entries({ Host: question.host, Connection: 'close', ...question.headers }).map(
      ([name, value]) => `${name}: ${value}`,
    )
    // It is sent with one byte for each character.
    if (/[^\x21-\x7e\x80-\xff]/.test(question.path) || lines.some((line) => /[^\t\x20-\x7e\x80-\xff]/.test(line)))
      return reject(Object.assign(new Error('a path or header that is none'), { code: 'ERR_INVALID_CHAR' }))
    const net = process.getBuiltinModule('node:net')
    const { address } = question
    const socket: Socket = 'socketPath' in address ? net.connect({ path: address.socketPath }) : net.connect(address)
    const reader = createReader(question)
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      settle()
    }
    const abort = (): void => end(() => reject(asError(signal.reason)))
    const attempt = (work: () => PlainAnswer | null): void => {
      try {
        const answer = work()
        if (answer) end(() => resolve(answer))
      } catch (error) {
        end(() => reject(asError(error)))
      }
    }
    signal.addEventListener('abort', abort, { once: true })
    // Stays: whatever comes after the end is nobody's business any more, and must not be thrown.
    socket.on('error', (error) => end(() => reject(error)))
    socket.on('data', (bytes) => attempt(() => reader.take(bytes)))
    socket.on('end', () => attempt(() => reader.finish()))
    socket.on('close', () => end(() => reject(tooSoon())))
    socket.write(`GET ${question.path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  })
}

const asError = (value: unknown): Error => (value instanceof Error ? value : new Error(String(value)))
const tooSoon = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
const noHttp = (code: string, what: string): Error => Object.assign(new Error(`Parse Error: ${what}`), { code: `HPE_${code}` })

interface Reader {
  /** Null: there is more to come. */
  take(bytes: Buffer): PlainAnswer | null
  /** The other side has closed. */
  finish(): PlainAnswer
}

function createReader({ limit }: PlainQuestion): Reader {
  let pending: Buffer = Buffer.alloc(0)
  let head: PlainHead | null = null
  let most = { bytes: 0, beyond: 'cut' as Error | 'cut' }
  // Grows by doubling: pieces may be of one byte each.
  let body = Buffer.allocUnsafe(4096)
  let have = 0
  // What is left of the body, or of a chunk of it; null: all up to the end of the connection.
  let left: number | null = null
  let chunks: 'none' | 'size' | 'data' | 'end of data' | 'trailer' = 'none'

  const answer = (): PlainAnswer => ({ ...(head as PlainHead), body: body.subarray(0, Math.min(have, most.bytes)) })
  const line = (): string | null => {
    const at = pending.indexOf(lineEnd)
    if (at < 0 ? pending.length > largestHead : at > largestHead) throw noHttp('HEADER_OVERFLOW', 'a line that does not end')
    if (at < 0) return null
    const text = pending.toString('latin1', 0, at)
    pending = pending.subarray(at + lineEnd.length)
    return text
  }
  /** Takes bytes of the body. True: it is longer than is wanted. */
  const add = (): boolean => {
    const piece = left === null ? pending : pending.subarray(0, left)
    pending = pending.subarray(piece.length)
    if (left !== null) left -= piece.length
    if (have + piece.length > body.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * body.length, have + piece.length))
      body.copy(larger, 0, 0, have)
      body = larger
    }
    piece.copy(body, have)
    have += piece.length
    if (have <= most.bytes) return false
    if (most.beyond !== 'cut') throw most.beyond
    return true
  }
  /** True: the answer is whole. */
  const readChunks = (): boolean => {
    while (pending.length > 0) {
      if (chunks === 'data') {
        if (add()) return true
        if (left === 0) chunks = 'end of data'
        continue
      }
      const text = line()
      if (text === null) return false
      if (chunks === 'end of data') {
        if (text !== '') throw noHttp('STRICT', 'Expected LF after chunk data')
        chunks = 'size'
      } else if (chunks === 'trailer') {
        if (text === '') return true
      } else {
        const size = /^([\dA-Fa-f]{1,12})[ \t]*(?:;.*)?$/.exec(text)?.[1]
        if (size === undefined) throw noHttp('INVALID_CHUNK_SIZE', 'Invalid character in chunk size')
        left = Number.parseInt(size, 16)
        chunks = left === 0 ? 'trailer' : 'data'
      }
    }
    return false
  }
  const readHead = (): boolean => {
    for (;;) {
      const begin = pending.toString('latin1', 0, 'HTTP/1.'.length)
      if (!'HTTP/1.'.startsWith(begin)) throw noHttp('INVALID_CONSTANT', 'Expected HTTP/')
      const at = pending.indexOf(headEnd)
      if (at < 0 ? pending.length > largestHead : at > largestHead) throw noHttp('HEADER_OVERFLOW', 'Header overflow')
      // Who ends lines in another way would be waited for.
      if (/(?:^|[^\r])\n/.test(pending.toString('latin1', 0, at < 0 ? pending.length : at)))
        throw noHttp('CR_EXPECTED', 'Missing expected CR')
      if (at < 0) return false
      head = parseHead(pending.toString('latin1', 0, at))
      pending = pending.subarray(at + headEnd.length)
      // "100 Continue", "103 Early Hints": the answer follows.
      if (head.status >= 200) break
      if (head.status === 101) throw noHttp('INVALID_STATUS', 'Nothing was to be switched')
    }
    most = limit(head)
    return true
  }
  const begin = (): boolean => {
    const { status, headers } = head as PlainHead
    const [coding, length] = [headers.get('transfer-encoding'), headers.get('content-length')]
    if (coding !== undefined) {
      if (length !== undefined) throw noHttp('INVALID_CONTENT_LENGTH', 'A length beside Transfer-Encoding')
      if (coding.toLowerCase() !== 'chunked') throw noHttp('INVALID_TRANSFER_ENCODING', 'Unknown Transfer-Encoding')
      chunks = 'size'
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw noHttp('INVALID_CONTENT_LENGTH', 'Invalid character in Content-Length')
      left = Number(length)
    }
    return status === 204 || status === 304 || left === 0
  }
  return {
    take(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
      if (head === null || head.status < 200) {
        if (!readHead()) return null
        if (begin()) return answer()
      }
      if (chunks !== 'none') return readChunks() ? answer() : null
      return add() || left === 0 ? answer() : null
    },
    finish() {
      if (head === null || head.status < 200 || chunks !== 'none' || left !== null) throw tooSoon()
      return answer()
    },
  }
}

function parseHead(text: string): PlainHead {
  const [first = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.[01] ([1-9]\d\d)(?: [^\0\r\n]*)?$/.exec(first)?.[1]
  if (status === undefined) throw noHttp('INVALID_STATUS', 'Response does not match the HTTP/1.1 protocol (Invalid status)')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value = ''] = /^([!#$%&'*+.^`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined) throw noHttp('INVALID_HEADER_TOKEN', 'Invalid header token')
    const known = headers.get(name.toLowerCase())
    // Of two nobody knows which one is true.
    if (known !== undefined && /^(?:content-length|transfer-encoding)$/i.test(name))
      throw noHttp('UNEXPECTED_CONTENT_LENGTH', `${name} stands there twice`)
    if (known === undefined) headers.set(name.toLowerCase(), value)
  }
  return { status: Number(status), headers }
}
