/**
 * Since when a server fails: its last success and its first failure after that, from all of its logs, and what is known to have
 * changed between them. That one came after the other is all that is said: not that it is the cause.
 */
import { readAttempts } from '../evidence/attempts.ts'
import { logFamily, setupOf } from '../evidence/collect-logs.ts'
import type { Attempt, IsolationSetup, Subject } from '../evidence/evidence.ts'
import { field, parseLogLine, serverOf, type LogLine } from '../formats/log-line.ts'
import { parseConfig, serverEntries } from '../formats/mcp-config.ts'
import { setupMessage, startMessage } from '../mcpproxy/messages.ts'
import type { HistoryChange, HistoryMoment, ServerHistory } from '../report/history.ts'
import { lineNumbers, linesBackward } from '../system/log-reader.ts'
import type { RawLine } from '../system/log-span.ts'
import type { System } from '../system/system.ts'
import { sideOf } from './args-diff.ts'
import { configFacts } from './config-facts.ts'

const limits = { files: 8, bytes: 256 * 1024 ** 2, lines: 20_000, backups: 20, backupBytes: 16 * 1024 ** 2 }
/** How long after the first line of a failed start its setup line may come: MCPProxy first looks for docker. */
const setupMs = 60_000

/** `deadline`: milliseconds since 1970. Never throws; what could not be read is in `unread`. */
export async function serverHistory(system: System, subject: Subject, deadline: number): Promise<ServerHistory> {
  const { serverLog } = subject.evidence
  const unread: string[] = []
  if (!serverLog.ok) return { ...nothing, unread: [serverLog.error.message] }
  const near = serverLog.value.attempts
  // What check has read already is enough where it reaches back to a success.
  const older = near.some((a) => a.connectedAt !== null)
    ? { attempts: near, complete: serverLog.value.complete }
    : await allAttempts(system, subject, serverLog.value.files, deadline, unread)
  const { attempts, complete } = older
  const at = attempts.findLastIndex((a) => a.connectedAt !== null)
  const success = attempts[at] ?? null
  const after = attempts.slice(at + 1).filter((a) => !['connected', 'pending'].includes(a.outcome))
  const died = success ? diedAt(success) : null
  const first = died ?? after[0]?.startedAt ?? null
  const history: ServerHistory = {
    oldest: attempts[0]?.startedAt.toISOString() ?? null,
    complete,
    lastSuccess: success && success.connectedAt ? moment(success.connectedAt, success.lines) : null,
    firstFailure: first && moment(first, died ? (success?.lines ?? []) : (after[0]?.lines ?? [])),
    endedWhileConnected: died !== null,
    failures: after.length,
    changes: [],
    unread,
  }
  if (!success?.connectedAt || first === null) return history
  const changes = [
    ...(await mainChanges(system, subject, { from: success.startedAt, worked: success.connectedAt, to: first }, deadline, unread)),
    ...(await fileChanges(system, subject, success.connectedAt, first)),
    ...imageChanges(subject, success.connectedAt, first),
  ]
  return { ...history, changes: changes.sort((a, b) => (a.at ?? '').localeCompare(b.at ?? '')) }
}

const nothing: ServerHistory = {
  oldest: null,
  complete: false,
  lastSuccess: null,
  firstFailure: null,
  endedWhileConnected: false,
  failures: 0,
  changes: [],
  unread: [],
}

/** Its output ended though nobody had asked it to. */
function diedAt({ closedAfterConnect, disconnectedAt }: Attempt): Date | null {
  if (!closedAfterConnect) return null
  return disconnectedAt && disconnectedAt <= closedAfterConnect.at ? null : closedAfterConnect.at
}

function moment(at: Date, lines: readonly LogLine[]): HistoryMoment {
  const line = lines.find((l) => l.at.getTime() === at.getTime()) ?? lines[0]
  return { at: at.toISOString(), file: line?.file ?? null, line: line?.number ?? null }
}

// ---- the log of the server ----------------------------------------------------------

/** What an attempt is read from; what a server writes is left out. */
const attemptLines = [
  'Starting connection attempt',
  'Docker isolation configured',
  'stderr stream closed',
  'MCP initialization completed successfully',
  'Successfully connected and initialized',
  'Disconnecting from server',
  'MCP initialize JSON-RPC call failed',
  'Connection failed',
  'Server startup failed due to invalid working directory',
]
const connectedLines = new Set(['MCP initialization completed successfully', 'Successfully connected and initialized'])

/** Back to the newest success, over all rotations. */
async function allAttempts(
  system: System,
  { server, now }: Subject,
  files: readonly string[],
  deadline: number,
  unread: string[],
): Promise<{ attempts: Attempt[]; complete: boolean }> {
  const lines: LogLine[] = []
  let connected = false
  let complete = true
  for (const path of files.slice(0, limits.files)) {
    const end = await eachLine(system, path, attemptLines, deadline, (line) => {
      const owner = serverOf(line)
      if (line.at > now || (owner !== null && owner !== server)) return true
      lines.push(line)
      if (connectedLines.has(line.message)) connected = true
      // The beginning of the attempt that connected.
      return !(connected && line.message === 'Starting connection attempt') && lines.length < limits.lines
    })
    if (end.why !== null) unread.push(end.why)
    if (!end.reachedStart) complete = false
    if (end.stopped || end.why !== null) break
  }
  if (files.length > limits.files) complete = false
  return { attempts: readAttempts(lines.reverse()), complete }
}

/** `look`: false: enough. Lines come newest first, with their numbers. */
async function eachLine(
  system: System,
  path: string,
  needles: readonly string[],
  deadline: number,
  look: (line: LogLine) => boolean,
): Promise<{ reachedStart: boolean; stopped: boolean; why: string | null }> {
  const opened = await system.files.open(path)
  if (!opened.ok) return { reachedStart: false, stopped: false, why: opened.error.message }
  if (opened.value === null) return { reachedStart: true, stopped: false, why: null }
  const file = opened.value
  const kept: { raw: RawLine; line: LogLine }[] = []
  const scan = linesBackward(file, { needles, maxBytes: limits.bytes, deadline })
  try {
    for (;;) {
      const step = await scan.next()
      if (step.done) {
        const why = step.value.reachedStart || file.cut ? null : `${path} was not read to its beginning.`
        return { reachedStart: step.value.reachedStart, stopped: false, why }
      }
      const line = parseLogLine(step.value.text, path, null)
      if (!line) continue
      kept.push({ raw: step.value, line })
      if (!look(line)) return { reachedStart: false, stopped: true, why: null }
    }
  } finally {
    await scan.return({ reachedStart: false })
    const numbers = await lineNumbers(
      file,
      kept.map((k) => k.raw.offset),
    )
    for (const { raw, line } of kept) line.number = numbers?.get(raw.offset) ?? null
    await file.close()
  }
}

// ---- what changed -------------------------------------------------------------------

interface Span {
  /** The start of the attempt that worked. */
  from: Date
  worked: Date
  to: Date
}

const reloads = new Set(['Configuration reload completed', 'Config hot-reload failed; keeping previous configuration'])

async function mainChanges(system: System, { server }: Subject, span: Span, deadline: number, unread: string[]): Promise<HistoryChange[]> {
  const { logDirs } = await system.locations()
  const family = await logFamily(system.files, logDirs, 'main.log')
  if (!family.ok) {
    unread.push(family.error.message)
    return []
  }
  const starts: LogLine[] = []
  const setups: LogLine[] = []
  const reloaded: LogLine[] = []
  const { from, worked, to } = span
  for (const path of family.value.slice(0, limits.files)) {
    const end = await eachLine(system, path, [startMessage, setupMessage, ...reloads], deadline, (line) => {
      if (line.at.getTime() > to.getTime() + setupMs) return true
      if (line.message === startMessage) starts.push(line)
      else if (reloads.has(line.message)) reloaded.push(line)
      else if (line.message === setupMessage && serverOf(line) === server) setups.push(line)
      // The start of MCPProxy that the success belongs to.
      return !(line.message === startMessage && line.at < from)
    })
    if (end.why !== null) unread.push(end.why)
    if (end.stopped || end.why !== null) break
  }
  const place = ({ at, file, number }: LogLine): Pick<HistoryChange, 'at' | 'file' | 'line'> => ({
    at: at.toISOString(),
    file,
    line: number,
  })
  const between = (line: LogLine): boolean => line.at > worked && line.at <= to
  const changes: HistoryChange[] = []
  const was = starts.find((l) => l.at <= worked)
  const is = starts.find((l) => l.at <= to)
  const [before, after] = [was && field(was, 'version'), is && field(is, 'version')]
  if (is && before && after && before !== after) changes.push({ what: 'MCPProxy', before, after, ...place(is) })
  else
    for (const line of starts.filter(between))
      changes.push({ what: 'MCPProxy was started again', before: null, after: null, ...place(line) })
  for (const line of reloaded.filter(between)) {
    const refused = line.message.startsWith('Config hot-reload failed')
    changes.push({
      what: refused ? 'MCPProxy refused the changed file' : 'MCPProxy took a changed file',
      before: null,
      after: null,
      ...place(line),
    })
  }
  const working = setups.find((l) => l.at >= from && l.at <= worked)
  const failing = setups.findLast((l) => l.at >= to)
  if (working && failing)
    for (const change of argumentChanges(setupOf(working, false), setupOf(failing, false))) changes.push({ ...change, ...place(failing) })
  return changes
}

function argumentChanges(before: IsolationSetup, after: IsolationSetup): Pick<HistoryChange, 'what' | 'before' | 'after'>[] {
  const side = (s: IsolationSetup): Map<string, string> => sideOf(s.run, [s.containerCommand, ...s.containerArgs])
  const [was, is] = [side(before), side(after)]
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((what) => {
    const change = { what, before: was.get(what) ?? null, after: is.get(what) ?? null }
    return change.before === change.after ? [] : [change]
  })
}

/** The configuration and its backups: MCPProxy leaves `.bak`, this program `.doctor-…`. */
async function fileChanges(system: System, subject: Subject, worked: Date, to: Date): Promise<HistoryChange[]> {
  const { config } = subject.evidence
  if (!config.ok) return []
  const { document, mtimeMs } = config.value
  const within = (ms: number | null): ms is number => ms !== null && ms > worked.getTime() && ms <= to.getTime()
  const changes: HistoryChange[] = []
  const iso = (ms: number): string => new Date(ms).toISOString()
  if (within(mtimeMs))
    changes.push({
      what: 'the configuration was written last',
      before: null,
      after: null,
      at: iso(mtimeMs),
      file: document.path,
      line: null,
    })
  const cut = Math.max(document.path.lastIndexOf('/'), document.path.lastIndexOf('\\'))
  const [folder, name] = [document.path.slice(0, cut), document.path.slice(cut + 1)]
  const names = await system.files.list(folder)
  const backups = names.ok
    ? (names.value ?? []).filter((n) => n.startsWith(`${name}.`) && /^(?:bak|doctor-)/.test(n.slice(name.length + 1)))
    : []
  for (const backup of backups.sort().reverse().slice(0, limits.backups)) {
    const path = `${document.path}${backup.slice(name.length)}`
    const found = await system.files.stat(path)
    if (!found.ok || found.value.type !== 'file' || !within(found.value.mtimeMs)) continue
    const place = { at: iso(found.value.mtimeMs), file: path, line: null }
    changes.push({ what: `a backup of the configuration was made`, before: null, after: null, ...place })
    const bytes = await system.files.read(path, limits.backupBytes)
    if (!bytes.ok || bytes.value === null) continue
    const old = parseConfig(path, bytes.value)
    const facts = (doc: typeof document) => {
      const entry = serverEntries(doc).find((s) => s.name === subject.server)
      return entry ? configFacts(doc, ['mcpServers', entry.index], '') : null
    }
    const [was, is] = [facts(old), facts(document)]
    if (!was || !is) continue
    const values = (source: typeof was) => new Map(source.facts.map((f) => [f.what, f.value]))
    const [a, b] = [values(was), values(is)]
    for (const what of new Set([...a.keys(), ...b.keys()]))
      if (a.get(what) !== b.get(what))
        changes.push({
          what: `configuration since then: ${what}`,
          before: a.has(what) ? (was.shown?.(what) ?? null) : null,
          after: b.has(what) ? (is.shown?.(what) ?? null) : null,
          ...place,
        })
  }
  return changes
}

/** What the engine still knows: it keeps 256 events. */
function imageChanges({ evidence: { events, image } }: Subject, worked: Date, to: Date): HistoryChange[] {
  if (!events.ok || !image.ok || !image.value) return []
  const { reference } = image.value
  const short = reference.replace(/^docker\.io\/(?:library\/)?/, '')
  return events.value.history.events
    .filter((e) => e.type === 'image' && /^(?:pull|tag|untag|delete|load|import)$/.test(e.action) && e.at > worked && e.at <= to)
    .filter((e) => [e.id, e.attributes['name']].some((n) => n?.replace(/^docker\.io\/(?:library\/)?/, '') === short))
    .map((e) => ({ what: `image ${reference}: ${e.action}`, before: null, after: null, at: e.at.toISOString(), file: null, line: null }))
}
