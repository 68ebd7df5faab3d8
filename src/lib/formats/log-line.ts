/** Lines of MCPProxy's logs, text and JSON form (zap; facts C3). */

export interface LogLine {
  file: string
  /** From 1; null when counting would have meant to read the whole of a huge file. */
  number: number | null
  at: Date
  /** The time as it is written. */
  time: string
  level: string
  message: string
  fields: Record<string, unknown>
  raw: string
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** The server a line is about: `server`, or in older lines only `upstream_name`. */
export const serverOf = (line: LogLine): string | null => text(line.fields['server']) ?? text(line.fields['upstream_name'])
export const field = (line: LogLine, name: string): string | null => text(line.fields[name])
export const list = (line: LogLine, name: string): string[] => {
  const value = line.fields[name]
  return Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : []
}

/**
 * Text: `2026-11-22T21:47:29.136Z | INFO | t/main.go:40 | message | {"server": "x"}`; a named
 * logger inserts one more column before the caller. JSON: one object with `ts`, `level`, `msg`.
 * Null: not a line of this form (the middle of something, or truncated).
 */
export function parseLogLine(raw: string, file: string, number: number | null): LogLine | null {
  const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
  return line.startsWith('{') ? parseJsonLine(line, file, number) : parseTextLine(line, file, number)
}

function parseTextLine(raw: string, file: string, number: number | null): LogLine | null {
  const first = raw.indexOf(' | ')
  const second = first < 0 ? -1 : raw.indexOf(' | ', first + 3)
  if (second < 0) return null
  const time = raw.slice(0, first)
  const at = new Date(time)
  if (!/^\d{4}-\d\d-\d\dT/.test(time) || Number.isNaN(at.getTime())) return null
  const level = raw.slice(first + 3, second)
  if (!/^[A-Z]+$/.test(level)) return null
  let rest = raw.slice(second + 3)
  for (let columns = 0; columns < 2; columns++) {
    const end = rest.indexOf(' | ')
    if (end < 0) break
    const column = rest.slice(0, end)
    rest = rest.slice(end + 3)
    if (/\.(go|s):\d+$/.test(column)) break
  }
  let message = rest
  let fields: Record<string, unknown> = {}
  // The fields are the first " | {" from which all the rest is one JSON object.
  for (let i = rest.indexOf(' | {'); i >= 0; i = rest.indexOf(' | {', i + 1)) {
    const parsed = parseObject(rest.slice(i + 3))
    if (parsed) {
      message = rest.slice(0, i)
      fields = parsed
      break
    }
  }
  return { file, number, at, time, level, message, fields, raw }
}

function parseJsonLine(raw: string, file: string, number: number | null): LogLine | null {
  const parsed = parseObject(raw)
  if (!parsed) return null
  const time = text(parsed['ts']) ?? text(parsed['time']) ?? ''
  const message = text(parsed['msg']) ?? text(parsed['message'])
  const at = new Date(time)
  if (message === null || Number.isNaN(at.getTime())) return null
  // stderr lines carry their text in "message" beside "msg".
  const fields = { ...parsed }
  for (const known of ['ts', 'time', 'level', 'caller', 'msg', 'logger']) delete fields[known]
  return { file, number, at, time, level: (text(parsed['level']) ?? 'info').toUpperCase(), message, fields, raw }
}

function parseObject(source: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(source)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
