/** Newline-delimited JSON, read byte by byte: lines may come in pieces that cut a character in two, and may have no end. */

export interface Line {
  /** Its bytes without the line end; of a line that is too long only the beginning. */
  bytes: Buffer
  /** Bytes of the stream before it. */
  offset: number
  length: number
  crlf: boolean
  /** The stream ended before the line did. */
  partial: boolean
  tooLong: boolean
}

export interface LineReader {
  add(chunk: Buffer): void
  /** Hands out what is left, as `partial`. */
  end(): void
}

const shownOfLong = 4096

export function createLineReader(maxLine: number, onLine: (line: Line) => void): LineReader {
  let pieces: Buffer[] = []
  let length = 0
  let tooLong = false
  let offset = 0
  const keep = (piece: Buffer): void => {
    length += piece.length
    if (tooLong) return
    pieces.push(piece)
    if (length <= maxLine) return
    tooLong = true
    pieces = [Buffer.from(Buffer.concat(pieces).subarray(0, shownOfLong))]
  }
  const flush = (partial: boolean): void => {
    const whole = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
    const crlf = !partial && !tooLong && whole.at(-1) === 0x0d
    onLine({
      bytes: crlf ? whole.subarray(0, -1) : whole,
      offset,
      length: crlf ? length - 1 : length,
      crlf,
      partial,
      tooLong,
    })
    offset += length + (partial ? 0 : 1)
    pieces = []
    length = 0
    tooLong = false
  }
  return {
    add(chunk) {
      let at = 0
      for (;;) {
        const end = chunk.indexOf(0x0a, at)
        if (end < 0) break
        keep(chunk.subarray(at, end))
        flush(false)
        at = end + 1
      }
      if (at < chunk.length) keep(chunk.subarray(at))
    },
    end() {
      if (length > 0) flush(true)
    },
  }
}

/**
 * `message`: JSON-RPC. Else what it looks like: `blank` and `crlf` (nothing but a carriage return), `bom` and `utf-16`,
 * `ansi` (terminal control sequences), `content-length` (the framing of the Language Server Protocol), `echo` (what was
 * sent, come back: a terminal or `cat`), `batch` (a list of messages), `json` (another value), `broken-json` (begins
 * like an object), `partial` (the same, cut off by the end of the stream), `too-long`, `binary`, `banner` (any other text).
 */
export type LineKind =
  | 'message'
  | 'blank'
  | 'crlf'
  | 'bom'
  | 'utf-16'
  | 'ansi'
  | 'content-length'
  | 'echo'
  | 'batch'
  | 'json'
  | 'broken-json'
  | 'partial'
  | 'too-long'
  | 'binary'
  | 'banner'

export function classifyLine(line: Line, sent: ReadonlySet<string> = new Set()): { kind: LineKind; value: unknown } {
  const { bytes } = line
  const is = (kind: LineKind): { kind: LineKind; value: unknown } => ({ kind, value: null })
  if (line.tooLong) return is('too-long')
  if (bytes.length === 0) return is(line.crlf ? 'crlf' : 'blank')
  const first = bytes.find((b) => b !== 0x20 && b !== 0x09 && b !== 0x0d)
  if (first === undefined) return is('blank')
  if (first === 0x7b || first === 0x5b) {
    const text = bytes.toString('utf8')
    if (sent.has(text)) return is('echo')
    try {
      const value: unknown = JSON.parse(text)
      // mcp-go splits at line ends only, so an unfinished last line is never read.
      if (line.partial) return is('partial')
      return isMessage(value)
        ? { kind: 'message', value }
        : is(Array.isArray(value) && value.length > 0 && value.every(isMessage) ? 'batch' : 'json')
    } catch {
      if (first === 0x7b) return is(line.partial ? 'partial' : 'broken-json')
    }
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return is('bom')
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return is('utf-16')
  const beginning = bytes.subarray(0, 4096)
  if (/^\s*content-(?:length|type)\s*:/i.test(beginning.toString('latin1'))) return is('content-length')
  if (beginning.includes('\x1b[') || beginning.includes('\x1b]')) return is('ansi')
  if (isBinary(beginning)) return is('binary')
  try {
    if (/^(?:"|-?\d|true|false|null)/.test(beginning.toString('latin1').trim())) {
      JSON.parse(bytes.toString('utf8'))
      return is('json')
    }
  } catch {
    // Text that begins like a value.
  }
  return is('banner')
}

/** Quick: false where it certainly is none. */
export const mayBeMessage = ({ bytes }: Line): boolean => bytes.find((b) => b !== 0x20 && b !== 0x09 && b !== 0x0d) === 0x7b

const isMessage = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  (('method' in value && typeof value.method === 'string') || ('id' in value && ('result' in value || 'error' in value)))

/** Control characters that no text has. */
const isBinary = (bytes: Buffer): boolean => bytes.some((b) => b < 0x20 && ![0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1b].includes(b))
