/**
 * Restarts a server through MCPProxy's API and waits for the proof that it works as intended. `connected` alone proves nothing:
 * MCPProxy says so of servers whose container died long ago. The proof is a new client in main.log, a setup line with the intended
 * arguments, the handshake, the tools, the container at the engine, all of it still there after a while, and no other server worse.
 * All waiting is looking again until a deadline; nothing is waited for that may never come.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { readAttempts } from '../evidence/attempts.ts'
import { configFor, type ConfigReading } from '../evidence/collect-config.ts'
import { containersFor, readContainers } from '../evidence/collect-engine.ts'
import { logFamily, setupOf } from '../evidence/collect-logs.ts'
import type { Attempt, ConfigEvidence, Container } from '../evidence/evidence.ts'
import { field, parseLogLine, serverOf, type LogLine } from '../formats/log-line.ts'
import { object, text, type Loose } from '../formats/loose.ts'
import { setupMessage } from '../mcpproxy/messages.ts'
import { serverLogName } from '../mcpproxy/names.ts'
import type { Version } from '../mcpproxy/versions.ts'
import { setupDifference } from '../rules/not-restarted.ts'
import type { LiveSystem } from '../system/live.ts'
import { tailLog, type LogTail } from '../system/log-tail.ts'
import { notObserved, observed, type Observed } from '../system/system.ts'

export interface ProofStep {
  name: 'backup' | 'written' | 'reloaded' | 'restarted' | 'connected' | 'stable' | 'restored'
  /** Null: could not tell. */
  ok: boolean | null
  text: string
}

/**
 * `works`: everything was seen. `fails`: it was seen that it does not. `unknown`: connected as far as can be seen, but a part of the
 * proof could not be looked at. `unreached`: MCPProxy could not be asked, refused, or went away.
 */
export type Verdict = 'works' | 'fails' | 'unknown' | 'unreached'

export interface Proof {
  verdict: Verdict
  steps: ProofStep[]
  /** One sentence, unless it works. */
  why: string | null
}

export interface ProofOptions {
  /** Milliseconds for the connection; an isolated server may take three minutes. */
  connectMs: number
  /** How long it has to stay as it should. */
  stableMs: number
  progress: (text: string) => void
}

/** How all servers were before the restart. */
export interface Before {
  now: ServersNow
  configs: readonly ConfigEvidence[]
  /** Servers that lose their container by the restart; they are restarted after it. */
  hit: readonly string[]
}

/** What every server is like at one moment. */
export interface ServersNow {
  api: Map<string, Loose>
  containers: Observed<Container[]>
}

const pollMs = 250
const reloadMs = 10_000
/** The API answers after the disconnect, 10 to 11 s where a container ignores SIGTERM; more behind a busy engine. */
const restartMs = 60_000
const settleMs = 6_000
/** After a failed attempt: MCPProxy may have another one under way. */
const graceMs = 3_000

export interface Watched {
  system: LiveSystem
  server: string
  version: Version
  main: LogTail | null
  own: LogTail | null
  /** What main.log has said since a reload was waited for, as far as it was read before a restart. */
  earlier: LogLine[]
}

/** Begins to watch the logs; what they hold already is not looked at. */
export async function watchServer(system: LiveSystem, server: string, version: Version): Promise<Watched> {
  const { logDirs } = await system.locations()
  const family = await logFamily(system.files, logDirs, 'main.log')
  const path = family.ok ? (family.value[0] ?? null) : null
  const folder = path === null ? null : path.slice(0, path.lastIndexOf('/'))
  return {
    system,
    server,
    version,
    main: path === null ? null : await tailLog(system.files, path),
    own: folder === null ? null : await tailLog(system.files, `${folder}/${serverLogName(server, version)}`),
    earlier: [],
  }
}

export async function serversNow(system: LiveSystem): Promise<Observed<ServersNow>> {
  const [answer, containers] = await Promise.all([system.proxy.get('/api/v1/servers'), readContainers(system)])
  if (!answer.ok) return answer
  const { status, body } = answer.value
  if (status === 401 || status === 403)
    return notObserved('denied', `MCPProxy refuses to be asked (HTTP ${status}); give its API key with --api-key or MCPPROXY_API_KEY.`)
  const list = object(object(body)['data'])['servers']
  if (status !== 200 || !Array.isArray(list)) return notObserved('failed', `MCPProxy answered ${status} when it was asked for its servers.`)
  return observed({ api: new Map(list.map((s) => [text(object(s)['name']) ?? '', object(s)])), containers })
}

/** Really working: connected, and with a container where it should have one. Null: the engine could not be asked. */
export function isUp(now: ServersNow, config: ConfigEvidence): boolean | null {
  if (!config.server || now.api.get(config.server.name)?.['connected'] !== true) return false
  if (config.decision?.runs !== 'docker') return true
  return now.containers.ok ? runningOf(now.containers.value, config) !== null : null
}

/** `older`: ids of containers that were there before, and therefore are not meant. */
function runningOf(all: readonly Container[], config: ConfigEvidence, name?: string, older?: ReadonlySet<string>): Container | null {
  const server = config.server?.name ?? ''
  return (
    containersFor(all, server, config).find(
      (c) => c.relation !== 'other' && c.state === 'running' && (name === undefined || c.names.includes(name)) && older?.has(c.id) !== true,
    ) ?? null
  )
}

async function linesOf(tail: LogTail | null, name: string): Promise<LogLine[] | null> {
  const lines = await tail?.poll()
  if (!lines?.ok) return null
  return lines.value.flatMap((raw) => parseLogLine(raw, name, null) ?? [])
}

/** After a change of the file, where MCPProxy watches it (v0.52.0): until main.log says that it was taken or refused. */
export async function waitForReload(watched: Watched, progress: (text: string) => void): Promise<{ taken: boolean | null; text: string }> {
  progress('waiting until MCPProxy takes the file')
  // Of an earlier change nothing is to be taken for the start that follows this one.
  watched.earlier = []
  const began = Date.now()
  while (Date.now() - began < reloadMs) {
    const lines = (await linesOf(watched.main, 'main.log')) ?? []
    watched.earlier.push(...lines)
    for (const line of lines) {
      if (line.message === 'Configuration reload completed')
        return { taken: true, text: `MCPProxy ${watched.version.text} took the file after ${((Date.now() - began) / 1000).toFixed(1)} s` }
      if (line.message.startsWith('Config hot-reload failed'))
        return { taken: false, text: `MCPProxy refuses the file: ${field(line, 'error') ?? 'it gives no reason'}` }
    }
    await pause(pollMs)
  }
  return { taken: null, text: `main.log did not say within ${reloadMs / 1000} s that MCPProxy took the file` }
}

/** Restarts `intended.server` and proves that it runs as the configuration says. `before`: how all servers were. */
export async function restartAndProve(watched: Watched, intended: ConfigEvidence, before: Before, options: ProofOptions): Promise<Proof> {
  const steps: ProofStep[] = []
  const step = (name: ProofStep['name'], ok: boolean | null, said: string): void => void steps.push({ name, ok, text: said })
  const end = (verdict: Verdict, why: string | null): Proof => ({ verdict, steps, why })

  const older = new Set(before.now.containers.ok ? before.now.containers.value.map((c) => c.id) : [])
  let connection = await ownStart(watched, intended, older, options)
  if (connection) step('restarted', true, `${watched.server}, by MCPProxy itself`)
  else {
    const restarted = await restart(watched, options.progress)
    step('restarted', restarted.ok ? true : null, restarted.ok ? restarted.value.text : restarted.error.message)
    if (!restarted.ok) return end('unreached', restarted.error.message)
    connection = await waitForConnection(watched, intended, restarted.value.at, older, options)
  }
  step('connected', connection.ok, connection.text)
  if (connection.ok !== true)
    return end(connection.unreached ? 'unreached' : connection.ok === false ? 'fails' : 'unknown', connection.text)

  if (before.now.api.get(watched.server)?.['quarantined'] === true) {
    const why = `${watched.server} is in quarantine: MCPProxy stops it again until its tools have been approved`
    step('stable', null, why)
    return end('unknown', why)
  }
  const hit = await restartHit(watched, before, options)
  if (hit !== null) step('restarted', hit.ok, hit.text)
  const stable = await staysUp(watched, connection.container, before, options)
  step('stable', stable.ok, stable.text)
  return end(
    stable.ok === true ? 'works' : stable.unreached ? 'unreached' : stable.ok === false ? 'fails' : 'unknown',
    stable.ok === true ? null : stable.text,
  )
}

/**
 * A reload that changed the command, arguments or environment makes MCPProxy build the client anew by itself
 * (`Server configuration changed, disconnecting existing client`, v0.5.1), 10 ms after it took the file. A restart at the same time
 * would start a second client, and each removes the container of the other. Null: there is no such start, or it proves nothing.
 */
async function ownStart(
  watched: Watched,
  intended: ConfigEvidence,
  older: ReadonlySet<string>,
  options: ProofOptions,
): Promise<Seen | null> {
  const began = await rebuilt(watched)
  if (!began) return null
  const seen = await waitForConnection(watched, intended, Date.now(), older, options, began)
  return seen.ok === true || seen.unreached || seen.late ? seen : null
}

/** The lines about the server since MCPProxy began to rebuild its client after a reload; null: it did not. */
async function rebuilt(watched: Watched): Promise<LogLine[] | null> {
  if (!watched.earlier.some((l) => l.message === 'Configuration reload completed')) return null
  await pause(pollMs)
  watched.earlier.push(...((await linesOf(watched.main, 'main.log')) ?? []))
  const at = watched.earlier.findIndex((l) => l.message === rebuilding && field(l, 'name') === watched.server)
  if (at < 0) return null
  return watched.earlier.slice(at).filter((l, i) => i === 0 || serverOf(l) === watched.server)
}

/** Restarts a server that may fail as it did before: what counts is that it is started with the old arguments again. */
export async function restartsAsBefore(watched: Watched, config: ConfigEvidence, before: Before, options: ProofOptions): Promise<Seen> {
  const main = (await rebuilt(watched)) ?? []
  const restarted = main.length > 0 ? null : await restart(watched, options.progress)
  if (restarted?.ok === false)
    return { ok: null, text: `the old configuration is back, but ${watched.server} could not be restarted: ${restarted.error.message}` }
  const deadline = Date.now() + settleMs * 3
  while (Date.now() < deadline) {
    options.progress(`waiting until ${watched.server} is started as before`)
    main.push(...((await linesOf(watched.main, 'main.log')) ?? []).filter((l) => serverOf(l) === watched.server))
    const start = restarted === null ? 0 : main.findIndex((l) => newClient.test(l.message))
    const since = start < 0 ? [] : main.slice(start)
    const setupLine = since.find((l) => l.message === setupMessage)
    const began = config.decision?.runs === 'docker' ? setupLine : since.find((l) => l.message === 'Connecting to upstream MCP server')
    if (began) {
      const setup = setupLine ? setupOf(setupLine, false) : null
      const difference = setup && config.expected ? setupDifference(config, setup, config.expected.run, [...config.expected.command]) : null
      if (difference)
        return { ok: false, text: `the old configuration is back, but ${difference.what} is ${difference.was} instead of ${difference.is}` }
      await restartHit(watched, before, options)
      return { ok: true, text: `the old configuration is back, and ${watched.server} is started with its old arguments` }
    }
    await pause(pollMs)
  }
  return { ok: null, text: `the old configuration is back; main.log does not show yet that ${watched.server} was started with it` }
}

/** What was asked for has begun. */
export async function restart(watched: Watched, progress: (text: string) => void): Promise<Observed<{ at: number; text: string }>> {
  const { system, server } = watched
  progress(`restarting ${server}`)
  // From here on every line is newer than the request.
  await linesOf(watched.main, 'main.log')
  await linesOf(watched.own, 'server.log')
  const at = Date.now()
  const answer = await system.proxy.send('POST', `/api/v1/servers/${encodeURIComponent(server)}/restart`, undefined, restartMs)
  if (!answer.ok) return answer
  const { status, body } = answer.value
  const said = text(object(body)['error'])
  if (status === 200 && object(body)['success'] !== false) return observed({ at, text: server })
  if (status === 401 || status === 403)
    return notObserved(
      'denied',
      `MCPProxy does not let us restart a server (HTTP ${status}${said === null ? '' : `: ${said}`}); an agent token may only read.`,
    )
  return notObserved('failed', `MCPProxy could not restart ${server} (HTTP ${status}${said === null ? '' : `: ${said}`}).`)
}

interface Seen {
  ok: boolean | null
  text: string
  unreached?: boolean
  /** The time was up. */
  late?: boolean
  container?: Container | null
}

const rebuilding = 'Server configuration changed, disconnecting existing client'
const newClient = /^(?:Creating new client with fresh secret resolution|Server client not found, attempting to create and connect)$/
const madeConnection = new Set(['Successfully established managed connection', 'Successfully connected to upstream MCP server'])

async function waitForConnection(
  watched: Watched,
  intended: ConfigEvidence,
  at: number,
  older: ReadonlySet<string>,
  options: ProofOptions,
  begun: readonly LogLine[] = [],
): Promise<Seen> {
  const { system, server } = watched
  const main = [...begun]
  const own: LogLine[] = []
  let readable = watched.main !== null
  let failedSince: number | null = null
  let last = 'no attempt was seen'
  while (Date.now() - at < options.connectMs) {
    options.progress(`waiting for ${server}: ${last}`)
    const lines = await linesOf(watched.main, 'main.log')
    if (lines === null) readable = false
    main.push(...(lines ?? []).filter((l) => serverOf(l) === server))
    own.push(...((await linesOf(watched.own, 'server.log')) ?? []).filter((l) => (serverOf(l) ?? server) === server))
    const now = await serversNow(system)
    if (!now.ok && now.error.kind !== 'timed-out') return { ok: null, text: `MCPProxy went away: ${now.error.message}`, unreached: true }
    const state = now.ok ? now.value.api.get(server) : undefined
    const start = begun.length > 0 ? 0 : main.findIndex((l) => newClient.test(l.message))
    // Without a log there is only the API, and what it says may be the old client's.
    const since = start >= 0 ? main.slice(start) : []
    const connected = since.find((l) => madeConnection.has(l.message))
    if (now.ok && state?.['connected'] === true && (connected || !readable)) {
      return inspectConnection(watched, intended, since, older, readable)
    }
    const attempt = start < 0 ? undefined : readAttempts(own.filter((l) => l.at.getTime() >= (main[start]?.at.getTime() ?? 0))).at(-1)
    const failure = since.find((l) => /^Failed to (?:recreate server after restart|add server during restart)$/.test(l.message))
    const failed = attempt !== undefined && ['exited', 'no-answer', 'refused'].includes(attempt.outcome)
    last =
      attempt === undefined
        ? start < 0
          ? 'no attempt yet'
          : 'starting'
        : attempt.outcome === 'pending'
          ? 'waiting for its answer'
          : attempt.outcome
    if (state?.['connected'] !== true && state?.['connecting'] !== true && (failed || failure)) {
      failedSince ??= Date.now()
      if (Date.now() - failedSince >= graceMs) {
        const why = lastWords(attempt) ?? attempt?.error ?? (failure && field(failure, 'error')) ?? text(state?.['last_error'])
        return { ok: false, text: `${server} does not connect${why ? `: ${why.split('\n')[0] ?? ''}` : ''}` }
      }
    } else failedSince = null
    await pause(pollMs)
  }
  return { ok: false, late: true, text: `${server} did not connect within ${Math.round(options.connectMs / 1000)} s` }
}

/** What a failed start said on standard error: its last line that speaks of an error, else its last line. */
function lastWords(attempt: Attempt | undefined): string | null {
  const lines = attempt?.stderr.flatMap((l) => field(l, 'message') ?? []) ?? []
  return lines.findLast((l) => /error|denied|cannot|unable|not found|no such|invalid|fail/i.test(l)) ?? lines.at(-1) ?? null
}

/** It is connected: as intended, with its tools and its container? */
async function inspectConnection(
  watched: Watched,
  intended: ConfigEvidence,
  since: readonly LogLine[],
  older: ReadonlySet<string>,
  readable: boolean,
): Promise<Seen> {
  const { system, server } = watched
  const isolated = intended.decision?.runs === 'docker'
  const setupLine = since.findLast((l) => l.message === setupMessage)
  const setup = setupLine ? setupOf(setupLine, false) : null
  if (readable && isolated && !setup) return { ok: false, text: `${server} connected, but MCPProxy did not run it in a container` }
  if (!isolated && setup) return { ok: false, text: `${server} connected, but MCPProxy still runs it in a container` }
  const difference =
    setup && intended.expected ? setupDifference(intended, setup, intended.expected.run, [...intended.expected.command]) : null
  if (difference)
    return {
      ok: false,
      text: `${server} connected, but not as intended: ${difference.what} is ${difference.was} instead of ${difference.is}`,
    }
  const hasContainer = isolated || intended.decision?.runs === 'own-docker'
  const deadline = Date.now() + settleMs
  let tools: number | null = null
  let container: Container | null
  let unseen: string | null
  for (;;) {
    const [listed, containers] = await Promise.all([toolCount(system, server), readContainers(system)])
    tools = listed ?? tools
    unseen = containers.ok ? null : containers.error.message
    container = containers.ok ? runningOf(containers.value, intended, setup?.containerName, older) : null
    if ((tools ?? 0) > 0 && (!hasContainer || container)) break
    if (Date.now() > deadline) break
    await pause(pollMs)
  }
  const toolText = tools === null ? 'its tools could not be listed' : `${tools} tool${tools === 1 ? '' : 's'}`
  if (hasContainer && !container && unseen === null)
    return { ok: false, text: `${server} counts as connected, but the engine has no running container of it` }
  const missing = [
    ...(readable ? [] : ['main.log cannot be read']),
    ...(hasContainer && !container ? [`the engine could not be asked (${unseen ?? ''})`] : []),
    ...(tools === null ? [toolText] : []),
  ]
  if (missing.length > 0) return { ok: null, text: `${server} counts as connected, but ${missing.join(', ')}` }
  return {
    ok: true,
    container,
    text: `${toolText}${hasContainer ? ', container up' : ''}${isolated ? ', arguments as intended' : ''}`,
  }
}

/** `GET /servers/{id}/tools`; null: no list. */
async function toolCount(system: LiveSystem, server: string): Promise<number | null> {
  const answer = await system.proxy.get(`/api/v1/servers/${encodeURIComponent(server)}/tools`)
  const tools = answer.ok && answer.value.status === 200 ? object(object(answer.value.body)['data'])['tools'] : null
  return Array.isArray(tools) ? tools.length : null
}

/** Those whose container the restart has taken; null: there are none that worked before. */
async function restartHit(watched: Watched, before: Before, options: ProofOptions): Promise<Seen | null> {
  const lost = before.configs.filter((c) => before.hit.includes(c.server?.name ?? '') && isUp(before.now, c) === true)
  if (lost.length === 0) return null
  for (const config of lost) {
    const began = await restart({ ...watched, server: config.server?.name ?? '' }, options.progress)
    if (!began.ok) return { ok: null, text: began.error.message }
    for (;;) {
      const now = await serversNow(watched.system)
      if ((now.ok && isUp(now.value, config) === true) || Date.now() - began.value.at > options.connectMs) break
      await pause(pollMs)
    }
  }
  return { ok: true, text: `${lost.map((c) => c.server?.name ?? '').join(', ')} too, whose container the restart had removed` }
}

async function staysUp(watched: Watched, container: Container | null | undefined, before: Before, options: ProofOptions): Promise<Seen> {
  const { system, server } = watched
  const began = Date.now()
  const seconds = Math.round(options.stableMs / 1000)
  const others = before.configs.filter((c) => c.server && c.server.name !== server && isUp(before.now, c) === true)
  let worse: string[] = []
  let unseen: string | null = null
  options.progress(`watching ${server} for ${seconds} s`)
  // Another server may be between two clients for a moment; what counts is how it is in the end.
  while (Date.now() - began < options.stableMs || (worse.length > 0 && Date.now() - began < options.stableMs + settleMs)) {
    await pause(pollMs)
    const own = ((await linesOf(watched.own, 'server.log')) ?? []).filter((l) => (serverOf(l) ?? server) === server)
    await linesOf(watched.main, 'main.log')
    const now = await serversNow(system)
    if (!now.ok) {
      if (now.error.kind === 'timed-out') continue
      return { ok: null, text: `MCPProxy went away: ${now.error.message}`, unreached: true }
    }
    if (now.value.api.get(server)?.['connected'] !== true || own.some((l) => l.message === 'stderr stream closed'))
      return { ok: false, text: `${server} connected and then ended within ${seconds} s` }
    const { containers } = now.value
    unseen = containers.ok ? null : containers.error.message
    if (container && containers.ok && !containers.value.some((c) => c.id === container.id && c.state === 'running'))
      return { ok: false, text: `the container of ${server} ended within ${seconds} s` }
    worse = others.filter((c) => isUp(now.value, c) === false).map((c) => c.server?.name ?? '')
  }
  if (worse.length > 0) return { ok: false, text: `${server} works, but ${worse.join(', ')} worked before and does not now` }
  if (unseen !== null && container) return { ok: null, text: `the engine could not be asked (${unseen})` }
  return {
    ok: true,
    text: `${seconds} s${others.length === 0 ? '' : `; the ${others.length} other server${others.length === 1 ? ' that works is' : 's that work are'} as before`}`,
  }
}

/** The evidence about every server of a configuration. */
export const configsOf = (reading: ConfigReading, version: Version): ConfigEvidence[] =>
  reading.servers.map((s) => configFor(reading, s.name, version))
