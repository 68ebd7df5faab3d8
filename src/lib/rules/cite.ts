/** Citations: where an observation stands, with the line itself, secrets masked. */
import type { Attempt, ConfigEvidence } from '../evidence/evidence.ts'
import { maskedConfig } from '../evidence/secrets.ts'
import { tellStory, type ContainerStory, type EngineEvent } from '../formats/engine-events.ts'
import { field, type LogLine } from '../formats/log-line.ts'
import { partAround } from '../formats/config-part.ts'
import { keyAt, pointer, position, valueAt, type ConfigDocument, type ConfigPath } from '../formats/mcp-config.ts'
import type { Citation } from './rule.ts'

const longestExcerpt = 400

/** A place in the configuration by offset; the excerpt is its line. */
export function citeOffset(document: ConfigDocument, offset: number, length: number, at: ConfigPath | null): Citation {
  const part = partAround(document, offset, length)
  const masked = maskedConfig(part?.document ?? document)
  const before = part?.start ?? 0
  const start = masked.offset(offset - before)
  const end = Math.max(start + 1, masked.offset(offset + length - before))
  const { line, column } = position(document, offset)
  const until = position(document, Math.min(document.text.length, offset + length))
  const maskedColumn = masked.column(start)
  const lineStart = start - (maskedColumn - 1)
  const lineEnd = masked.text.indexOf('\n', lineStart)
  const excerpt = masked.text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd).replace(/\r$/, '')
  const cut = excerpt.length > longestExcerpt && maskedColumn > longestExcerpt / 2 ? maskedColumn - 1 - longestExcerpt / 2 : 0
  const excerptColumn = maskedColumn - cut
  const shown = Math.max(1, Math.min(end - start, excerpt.length - (maskedColumn - 1)))
  return {
    type: 'config',
    file: document.path,
    pointer: at ? pointer(at) : '',
    line,
    column,
    length: shown,
    ...(until.line === line && until.column === column + shown ? {} : { end: until }),
    excerpt: excerpt.slice(cut, cut + longestExcerpt),
    ...(excerptColumn === column ? {} : { excerptColumn }),
  }
}

/** The value at a path; where it is absent, the nearest parent that is there. */
export function citeConfig(config: ConfigEvidence, path: ConfigPath): Citation {
  const { document } = config
  let at = path
  let node = valueAt(document, at)
  while (!node && at.length > 0) {
    at = at.slice(0, -1)
    node = valueAt(document, at)
  }
  if (!node) return citeOffset(document, 0, 1, path)
  // Of an object or array only its name, or its opening bracket, is marked.
  if ((node.type === 'object' || node.type === 'array') && at.length < path.length) {
    const key = keyAt(document, at)
    return key ? citeOffset(document, key.offset, key.length, path) : citeOffset(document, node.offset, 1, path)
  }
  return citeOffset(document, node.offset, node.length, path)
}

/** The name of a property, for keys that should not be there. */
export function citeKey(config: ConfigEvidence, path: ConfigPath): Citation {
  const key = keyAt(config.document, path)
  return key ? citeOffset(config.document, key.offset, key.length, path) : citeConfig(config, path)
}

export function citeLog(line: LogLine, text?: string): Citation {
  const shown = text ?? (line.message === 'stderr' || line.message === 'stderr output' ? (field(line, 'message') ?? '') : describe(line))
  return { type: 'log', file: line.file, line: line.number, at: line.time, text: shown.length > 600 ? `${shown.slice(0, 600)}…` : shown }
}

/** The message with its error, but without argument lists, which hold secrets. */
function describe(line: LogLine): string {
  const error = field(line, 'error')
  return error ? `${line.message}: ${error}` : line.message
}

export function citeStory(story: ContainerStory): Citation {
  const at = story.diedAt ?? story.destroyedAt ?? story.startedAt ?? story.createdAt ?? story.events[0]?.at
  return { type: 'event', at: at?.toISOString() ?? '', container: story.name || story.id.slice(0, 12), text: tellStory(story) }
}

export function citeEvent(event: EngineEvent, text: string): Citation {
  return { type: 'event', at: event.at.toISOString(), container: event.attributes['name'] ?? event.id.slice(0, 12), text }
}

export const citeApi = (endpoint: string, name: string, text: string): Citation => ({ type: 'api', endpoint, field: name, text })
export const citeEngine = (what: string, text: string): Citation => ({ type: 'engine', what, text })
export const citeHost = (path: string, text: string): Citation => ({ type: 'host', path, text })

/** The last words of a process, newest last. */
export function lastWords(attempt: Attempt, count: number): Citation[] {
  return attempt.stderr.slice(-count).map((line) => citeLog(line))
}
