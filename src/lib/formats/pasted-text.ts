/**
 * A text that a person copied from somewhere: a terminal with its colours, MCPProxy's logs or its API, docker logs,
 * a compose log, an issue. Taken apart into the lines that were printed first, without what others put around them.
 */
import { stripVTControlCharacters } from 'node:util'
import { parseLogLine, type LogLine } from './log-line.ts'

/** More than this of a text, of a line and of lines is not looked at; of the text and the lines the end counts. */
const longestText = 1024 * 1024
const longestLine = 1000
const mostLines = 2000
const mostViews = 10

export interface PastedLine {
  text: string
  /** The level, where the words are MCPProxy's own and not those of docker or a server. */
  mcpproxy: string | null
}

/** Lines without blanks around them, in order, each only once. */
export function pastedLines(text: string): PastedLine[] {
  const lines = new Map<string, PastedLine>()
  // env: 'bash\r': No such file or directory: that one is no line end.
  const whole = text.slice(-longestText).replace(/\r(?=['’"]?: )/g, '\\r')
  for (const raw of whole.split(/\r\n|[\n\r\u0085\u2028\u2029]/)) {
    for (const { text: piece, mcpproxy } of piecesOf(printable(raw))) {
      for (const line of unescaped(piece).split(/[\r\n]+/)) {
        for (const part of withoutWrapping(line)) {
          if (part !== '') lines.set(part, { text: part.slice(0, longestLine), mcpproxy })
        }
      }
    }
  }
  return [...lines.values()].slice(-mostLines)
}

/**
 * A line, and what remains of it when more and more of its beginning is taken for a prefix: a time, the name of a
 * service, `stderr:`. The patterns of others' texts look at the beginning of a line.
 */
export function viewsOf(line: string): string[] {
  const views = [line]
  for (const m of line.matchAll(/: |\| |\] |> |" ?|\) /g)) {
    const rest = line.slice(m.index + m[0].length).trim()
    if (rest.length >= 4 && rest !== views.at(-1)) views.push(rest)
    if (views.length >= mostViews) break
  }
  return views
}

const printable = (raw: string): string => stripVTControlCharacters(raw.slice(0, longestText)).replace(/[\p{Cc}\p{Cf}]/gu, ' ')

/** Fields of MCPProxy's log lines that hold others' texts. */
const tellingFields = ['error', 'stderr', 'last_error', 'reason', 'detail']

function piecesOf(line: string): PastedLine[] {
  const parsed = parseLogLine(line.trim(), '', null)
  if (!parsed) return [{ text: line, mcpproxy: null }]
  return [
    { text: parsed.message, mcpproxy: parsed.level },
    ...[...tellingFields, ...(isStderr(parsed) ? ['message'] : [])]
      .flatMap((name) => textField(parsed, name))
      .map((text) => ({ text, mcpproxy: null })),
  ]
}

// `… | stderr | {"server": "x", "message": "npm error code E404"}`, in main.log `stderr output`.
const isStderr = (line: LogLine): boolean => line.message.startsWith('stderr')

const textField = (line: LogLine, name: string): string[] => {
  const value = line.fields[name]
  return typeof value === 'string' ? [value] : []
}

/** JSON inside JSON is escaped twice. */
function unescaped(piece: string): string {
  let text = piece
  // C:\new is a path of Windows and holds no line end; '\r' and 'bash\r' are names that somebody speaks of.
  for (let pass = 0; pass < 3 && /\\[nrtu"]/.test(text) && !/\b[A-Za-z]:\\(?!\\)/.test(text); pass++) {
    text = text.replace(
      /(?<!')\\(?:u([0-9a-fA-F]{4})|(["\\/nt]|r(?!['’"]?: )))/g,
      (_, hex: string | undefined, letter: string | undefined) =>
        hex === undefined ? (escapes[letter ?? ''] ?? letter ?? '') : String.fromCharCode(parseInt(hex, 16)),
    )
  }
  return stripVTControlCharacters(text)
}
const escapes: Record<string, string> = { n: '\n', r: '\n', t: ' ' }

// MCPProxy: `… recent stderr:\n  | <lines>: transport error: transport closed` (facts of v0.24.8 to v0.60.0).
// docker logs -t and kubectl put a time first, compose a name and a bar.
function withoutWrapping(line: string): string[] {
  return line.split(/: transport error: |; recent stderr:/).map((part) =>
    part
      .trim()
      .replace(/^\|\s*/, '')
      .replace(/^\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\]?\s+(?:std(?:err|out) [FP] )?/, '')
      .replace(/^[\w.-]+ +\| /, '')
      .replace(/["',}\]]*$/, (end) => (/^["'`]?$/.test(end) ? end : ''))
      .trim(),
  )
}
