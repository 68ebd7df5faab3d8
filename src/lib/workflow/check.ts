/** The main job: gather evidence, let every rule look, put the answer together. */
import { collectAtFirst, collectServers, collectShared, subjectsWithRest, withRest, type Shared } from '../evidence/collect.ts'
import { NotAskedYet } from '../evidence/later.ts'
import type { ConfigDocument, ServerEntry } from '../formats/mcp-config.ts'
import type { Subject } from '../evidence/evidence.ts'
import { overallVerdict, sortFindings, type InterruptedLook, type Report, type ServerReport, type Undetermined } from '../report/report.ts'
import { rules } from '../rules/index.ts'
import type { EditClass } from '../remedies/remedy.ts'
import type { Finding } from '../rules/rule.ts'
import { isConnected } from '../rules/connected.ts'
import type { System } from '../system/system.ts'
import { knownServers, requireServer } from './servers.ts'
import { redactReport, withVariables } from './redact.ts'
import type { Started } from './replay.ts'
import type { StartSpec } from '../replay/start-spec.ts'
import type { RecordedReplays, RecordedStart } from '../system/replay-record.ts'
import type { StarterOptions } from './start.ts'
import { sharedCauses } from './shared-causes.ts'
import { fileFindings, fileSubject, toldOnce } from './file-findings.ts'
import { stepsOf } from './steps.ts'

export interface CheckOptions {
  servers: string[]
  all: boolean
  /** Milliseconds for everything together. */
  timeoutMs: number
  /** Null: nothing is started. */
  replay?: ReplayChoice | null
  /** What of a server that works is hardly ever looked at is asked for only when a rule wants it; else at once. */
  sparing?: boolean
  /** Gets the configuration that was read, for what is shown beside the report. */
  read?: (document: ConfigDocument) => void
  /** Called as things happen, for progress on stderr. */
  progress?: (text: string) => void
}

export interface ReplayChoice extends StarterOptions {
  allow: ReadonlySet<EditClass>
  /** Milliseconds for all replays together. */
  budgetMs: number
  env: Readonly<Record<string, string | undefined>>
  /** Also where nothing is left to settle. */
  always?: boolean
  /** Gets each start, for a recording; null: this server is to be started now. */
  note?: (server: string, start: RecordedStart | null) => void
}

export async function check(system: System, options: CheckOptions): Promise<Report> {
  const deadline = Date.now() + options.timeoutMs
  options.progress?.('looking at the configuration, MCPProxy and the engine')
  const sparing = options.sparing === true && options.replay?.always !== true && system.recording === null
  let shared = await (sparing ? collectAtFirst : collectShared)(system, deadline)
  if (shared.config.ok) options.read?.(shared.config.value.document)
  const names = chooseServers(shared, options)
  options.progress?.(`reading the logs of ${names.join(', ') || 'MCPProxy'}`)
  if (!allConnected(shared, names)) shared = await withRest(shared)
  const { subjects, version, redact } = await collectServers(shared, names)
  let reports = healthyAtFirst(subjects)
  if (reports === null) {
    shared = await withRest(shared)
    const whole = subjects.some((subject) => subject.later) ? await subjectsWithRest(shared, subjects) : subjects
    reports = await withHistory(system, whole, await replayed(system, whole, options), deadline)
  }
  const once = toldOnce(reports)
  const { servers, findings: common } = sharedCauses(once.servers)
  const findings = [
    ...fileFindings(shared),
    ...common,
    ...once.findings,
    ...(servers.length === 0 ? withoutServer(fileSubject(shared, version)) : []),
  ]
  const engine = shared.engine.engine
  const interrupted = system.interruption?.asked === true
  const verdict = overallVerdict(servers, findings)
  const report: Report = {
    schemaVersion: 1,
    verdict: interrupted && verdict === 'healthy' ? 'undetermined' : verdict,
    ...(interrupted ? { interrupted: interruptedLook(system) } : {}),
    recordedAt: system.recording?.recordedAt ?? null,
    checkedAt: system.now().toISOString(),
    mcpproxy: {
      version: version.assumed ? null : version.value.text,
      running: shared.status.ok ? shared.status.value !== null : null,
      config: shared.locations.config,
      ...(shared.status.ok ? {} : { why: shared.status.error.message }),
    },
    engine: engine.ok
      ? {
          host: engine.value.endpoint.host,
          version: engine.value.reachable.yes ? engine.value.reachable.version : null,
          reachable: engine.value.reachable.yes,
        }
      : { host: null, version: null, reachable: null },
    servers,
    findings,
  }
  return redactReport(report, withVariables(redact, shared.config.ok ? shared.config.value.document.text : '', options.replay?.env ?? {}))
}

/** MCPProxy says so of each; whether it is true is another question. */
const allConnected = ({ status }: Shared, names: readonly string[]): boolean =>
  status.ok && names.every((name) => status.value?.servers.some((s) => s['name'] === name && s['connected'] === true))

/** Null: not all of them work, or a rule wants to know more than was asked. */
function healthyAtFirst(subjects: readonly Subject[]): ServerReport[] | null {
  if (subjects.length === 0 || !subjects.every((subject) => subject.later)) return null
  try {
    const reports = subjects.map(serverReport)
    return reports.every((report) => report.verdict === 'healthy') ? reports : null
  } catch (error) {
    if (error instanceof NotAskedYet) return null
    throw error
  }
}

/** For a report that a signal ended; names of what was given up. */
export const interruptedLook = ({ interruption }: System): InterruptedLook => ({ notLooked: [...(interruption?.notLooked ?? [])] })

const fewServers = 5

/** The reports of the servers; where a replay can settle something, it does. */
async function replayed(
  system: System,
  subjects: readonly Subject[],
  { replay, progress, servers: { length: named } }: CheckOptions,
): Promise<ServerReport[]> {
  if (!replay) return subjects.map(serverReport)
  if (system.recording) return replayedAsRecorded(system.recording.replays, subjects)
  if (system.replays === null) return subjects.map(serverReport)
  const [{ replayServer, worthReplaying }, { createStarter }] = await Promise.all([import('./replay.ts'), import('./start.ts')])
  // Of many that were not asked for by name none is started: that is the smoke test, which runs them side by side.
  const few = named > 0 || subjects.length <= fewServers
  const reports = subjects.map((subject) => {
    const report = serverReport(subject)
    return { subject, report, open: few && (replay.always === true || worthReplaying(subject, report, replay)) }
  })
  if (!reports.some((r) => r.open)) return reports.map((r) => r.report)
  const deadline = Date.now() + replay.budgetMs
  const starter = await createStarter(system, { ...replay, deadline })
  if (!starter) return reports.map((r) => r.report)
  const judged: ServerReport[] = []
  for (const { subject, report, open } of reports) {
    const budgetMs = deadline - Date.now()
    if (!open || budgetMs <= 0 || system.interruption?.asked === true) {
      judged.push(report)
      continue
    }
    const { server } = subject
    const note = replay.note ?? (() => undefined)
    note(server, null)
    judged.push(
      await replayServer(subject, report, {
        ...replayLimits,
        allow: replay.allow,
        env: replay.env,
        budgetMs,
        start: (spec: StartSpec, limitMs: number, what: string): Promise<Started> =>
          starter.start(spec, limitMs, (seen) => note(server, { what, ...seen })),
        interrupted: () => system.interruption?.asked === true,
        ...(progress ? { progress } : {}),
      }),
    )
  }
  return judged
}

/** Since when it fails is worth knowing of what was asked about, and of few. */
async function withHistory(
  system: System,
  subjects: readonly Subject[],
  reports: readonly ServerReport[],
  deadline: number,
): Promise<ServerReport[]> {
  const failing = subjects.filter(
    ({ evidence: { serverLog } }, i) =>
      reports[i]?.verdict === 'problem' &&
      serverLog.ok &&
      (serverLog.value.failed !== null || serverLog.value.newest?.closedAfterConnect != null),
  )
  if (failing.length === 0 || failing.length > fewServers || system.interruption?.asked === true) return [...reports]
  const { serverHistory } = await import('./history.ts')
  return Promise.all(
    reports.map(async (report, i) => {
      const subject = subjects[i]
      if (!subject || !failing.includes(subject)) return report
      const history = await serverHistory(system, subject, Math.max(Date.now() + 1000, Math.min(deadline, Date.now() + 4000)))
      // Half of it would tell of changes that are none.
      return system.interruption?.asked === true ? report : { ...report, history }
    }),
  )
}

const replayLimits = { starts: 12, judge: serverReport }

/** The same experiment once more, with the starts that were recorded. */
async function replayedAsRecorded(replays: RecordedReplays | null, subjects: readonly Subject[]): Promise<ServerReport[]> {
  const judged: ServerReport[] = []
  const [{ replayServer }, { recordedStarter }] = await Promise.all([import('./replay.ts'), import('./start.ts')])
  for (const subject of subjects) {
    const report = serverReport(subject)
    const held = replays?.servers.find((s) => s.server === subject.server)
    if (!replays || !held) {
      judged.push(report)
      continue
    }
    const { next, over } = recordedStarter(held.starts)
    judged.push(
      await replayServer(subject, report, {
        ...replayLimits,
        allow: new Set(replays.allow as EditClass[]),
        // What they were is not recorded, and nothing depends on it but whether they were known.
        env: Object.fromEntries(replays.variables.map((name) => [name, `\${env:${name}}`])),
        budgetMs: Number.POSITIVE_INFINITY,
        start: (_spec, _limit, what) => Promise.resolve(next(what)),
        over,
      }),
    )
  }
  return judged
}

/** Those that were named; else every enabled server that is not connected, or all when MCPProxy does not run. */
export function chooseServers(shared: Shared, options: CheckOptions): string[] {
  const known = knownServers(shared)
  for (const name of options.servers) requireServer(shared, name)
  if (options.servers.length > 0) return [...new Set(options.servers)]
  if (options.all) return known
  const states = shared.status.ok ? shared.status.value?.servers : undefined
  const entries: ServerEntry[] = shared.config.ok ? shared.config.value.servers : []
  if (!states) return known
  const open = entries
    .filter((e) => e.enabled === true && !states.some((s) => s['name'] === e.name && s['connected'] === true))
    .map((e) => e.name)
    .filter((name) => name !== '')
  return open.length > 0 ? open : known
}

/** What is wrong in the file itself is said also when it names no server that could be asked about. */
const withoutServer = (file: Subject | null): Finding[] => (file ? serverReport(file).findings.map((f) => ({ ...f, server: null })) : [])

export function serverReport(subject: Subject): ServerReport {
  const findings: Finding[] = []
  const undetermined: Undetermined[] = []
  let symptoms: Finding[] = []
  for (const rule of rules) {
    try {
      const outcome = rule.run(subject)
      if (outcome.type === 'undetermined') {
        // The engine's errors know more, for the rules; the report has one form for all.
        const { kind, message } = outcome.error
        undetermined.push({ code: outcome.code, source: outcome.source, error: { kind, message } })
      }
      if (outcome.type === 'found') (rule.symptom ? symptoms : findings).push(outcome.finding)
    } catch (error) {
      if (error instanceof NotAskedYet) throw error
      findings.push({
        code: 'rule-crashed',
        severity: 'info',
        rank: 'proven',
        server: subject.server,
        title: `The rule ${rule.code} crashed; the others went on`,
        detail: error instanceof Error ? error.message : String(error),
        facts: { rule: rule.code },
        cites: [],
        ruledOut: [],
        remedies: [],
      })
    }
  }
  // A symptom is the answer only where no cause was found.
  if (findings.some((f) => f.severity === 'error')) symptoms = []
  const sorted = sortFindings([...findings, ...symptoms.slice(0, 1)])
  const { verdict, summary } = judge(subject, sorted)
  return {
    server: subject.server,
    verdict,
    summary,
    findings: sorted,
    steps: stepsOf(subject, sorted),
    undetermined,
    replays: [],
    replayed: null,
    rules: { looked: rules.length - undetermined.length, couldNot: undetermined.length },
  }
}

function judge(subject: Subject, findings: readonly Finding[]): Pick<ServerReport, 'verdict' | 'summary'> {
  const [first] = findings
  if (first?.severity === 'error') return { verdict: 'problem', summary: first.title }
  if (Object.values(subject.evidence).some((seen) => !seen.ok && seen.error.kind === 'interrupted'))
    return { verdict: 'undetermined', summary: 'interrupted before all of it was looked at' }
  const { serverLog, containers, status, config } = subject.evidence
  const log = serverLog.ok ? serverLog.value : undefined
  const api = status.ok ? status.value : undefined
  const remote = config.ok && config.value.decision?.runs === 'remote'
  const connected = remote ? api?.server?.connected === true : isConnected(log, api)
  if (!connected)
    return {
      verdict: 'undetermined',
      summary: log?.newest ? 'it is not connected, and nothing that was looked at says why' : 'no attempt to start it was found',
    }
  if (remote) return { verdict: 'healthy', summary: 'a remote server; connected' }
  // What answers like nothing that MCPProxy would say may have its place.
  if (!status.ok && status.error.kind === 'failed')
    return { verdict: 'undetermined', summary: 'the log says connected, but MCPProxy gave no answer that can be used' }
  const isolated = log?.newest?.isolated != null
  // "Connected" proves nothing: the engine must have its container.
  if (isolated && !containers.ok)
    return { verdict: 'undetermined', summary: 'MCPProxy says connected, but the engine could not be asked whether its container runs' }
  if (isolated && containers.ok && !containers.value.some((c) => c.relation === 'label' && c.state === 'running'))
    return { verdict: 'undetermined', summary: 'the log says connected, but the engine runs no container of it' }
  if (api === null) return { verdict: 'undetermined', summary: 'the log says connected, but MCPProxy does not answer' }
  const tools = api?.server?.toolCount
  return {
    verdict: 'healthy',
    summary: `connected${tools != null ? `, ${tools} tool${tools === 1 ? '' : 's'}` : ''}${isolated ? ', container up' : ''}`,
  }
}
