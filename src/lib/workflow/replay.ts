/** Runs a server again, tries what the findings propose, and lets the outcome judge the findings. */
import type { Subject } from '../evidence/evidence.ts'
import type { EditClass } from '../remedies/remedy.ts'
import type { Handshake, ReplayResult, ReplayRun, ServerReport, Step } from '../report/report.ts'
import { experiment, type Experiment, type Trial, type TrialOutcome } from '../replay/experiment.ts'
import { withRun } from '../replay/run-evidence.ts'
import {
  baselineOf,
  candidatesOf,
  combined,
  loggedValues,
  recordedSignature,
  type KnownValues,
  type ReplayCandidate,
  type StartSpec,
} from '../replay/start-spec.ts'
import type { Finding } from '../rules/rule.ts'
import type { Run } from '../system/replay-run.ts'

/** One start of a server and what came of it. Never throws. */
export interface Started {
  outcome: TrialOutcome
  /** What was changed to make it safe. */
  changes: { what: string; why: string }[]
  /** Null: nothing was started. */
  run: Run | null
}

export interface ReplayOptions {
  allow: ReadonlySet<EditClass>
  /** Starts in all. */
  starts: number
  /** Milliseconds for all starts together. */
  budgetMs: number
  /** Variables for `${env:NAME}`. */
  env: Readonly<Record<string, string | undefined>>
  start: (spec: StartSpec, limitMs: number, what: string) => Promise<Started>
  /** Of a recording: it holds no further start, as if the budget were used up. */
  over?: () => boolean
  interrupted?: () => boolean
  /** The rules, for a failure that only the replay has seen. */
  judge: (subject: Subject) => ServerReport
  progress?: (text: string) => void
}

/** Milliseconds that a start may take: longer than the recorded failure took, and not for ever. */
function limitFor(subject: Subject): number {
  const { serverLog } = subject.evidence
  const failed = serverLog.ok ? serverLog.value.failed : null
  if (failed?.outcome === 'exited' && failed.durationMs !== null) return Math.min(60_000, Math.max(15_000, failed.durationMs * 3))
  return failed?.outcome === 'no-answer' ? 20_000 : 30_000
}

/** Is there anything that a replay could settle about this server? */
export function worthReplaying(
  subject: Subject,
  report: ServerReport,
  asked: { env?: KnownValues['env']; allow?: ReadonlySet<EditClass> } = {},
): boolean {
  const runs = subject.evidence.config.ok ? subject.evidence.config.value.decision?.runs : undefined
  if (runs === undefined || runs === 'remote' || runs === 'sandbox') return false
  if (neverTried(subject) && runs !== 'host' && report.verdict === 'undetermined') return true
  const values = { logged: loggedValues(subject.evidence), env: asked.env ?? {} }
  const baseline = baselineOf(subject, values)
  // A program of the host is confined by nothing: it is started again only where the user said so.
  if (baseline.ok && baseline.spec.kind === 'host' && asked.allow?.has('unisolated') !== true) return false
  return baseline.ok && candidatesOf(subject, report.findings, baseline.spec, values).some((c) => c.spec !== null)
}

const onHost = ({ evidence: { config } }: Subject): boolean => config.ok && config.value.decision?.runs === 'host'

/** MCPProxy has not started it, as far as its log tells: only a replay can say how it fails. */
function neverTried({ evidence: { serverLog, config } }: Subject): boolean {
  const enabled = config.ok && config.value.server?.enabled === true
  return enabled && (!serverLog.ok || serverLog.value.newest === null)
}

export async function replayServer(subject: Subject, report: ServerReport, options: ReplayOptions): Promise<ServerReport> {
  const engine = subject.evidence.engine
  const silent = engine.ok ? (engine.value.reachable.yes ? null : engine.value.reachable.message) : engine.error.message
  // It was asked a moment ago: a replay would only wait for it again.
  if (silent !== null && !onHost(subject)) return judged(report, { ...nothing, stopped: silent }, [], false, [])
  const values = { logged: loggedValues(subject.evidence), env: options.env }
  const baseline = baselineOf(subject, values)
  if (!baseline.ok) return judged(report, { ...nothing, stopped: baseline.why }, [], false, [])
  const changes = new Map<string, string>()
  const runs: (Run | null)[] = []
  const limit = limitFor(subject)
  const deadline = Date.now() + options.budgetMs
  const recorded = recordedSignature(subject.evidence)
  const startOnce = async (spec: StartSpec, what: string): Promise<Started> => {
    options.progress?.(`running ${subject.server} ${what === 'as configured' ? what : `with: ${what}`}`)
    const started = await options.start(spec, limit, what)
    for (const { what: changed, why } of started.changes) changes.set(changed, why)
    return started
  }
  let first: Started | null = null
  if (neverTried(subject)) {
    const seen = await startOnce(baseline.spec, 'as configured')
    first = seen
    // The rules look at it as if MCPProxy had done this start; what they cite says that it comes from a replay.
    if (seen.run && seen.outcome.result === 'fails') {
      const { findings, verdict, summary } = options.judge(withRun(subject, seen.run))
      report = { ...report, findings, verdict, summary }
    }
  }
  const candidates = candidatesOf(subject, report.findings, baseline.spec, values)
  const found = await experiment<StartSpec>({
    baseline: baseline.spec,
    candidates,
    recorded,
    allow: options.allow,
    starts: options.starts,
    deadline,
    now: () => {
      // It was started in time.
      if (first !== null) return Number.NEGATIVE_INFINITY
      return options.over?.() === true ? Number.POSITIVE_INFINITY : Date.now()
    },
    // Of a start that was made it is told, also when it was the last.
    ...(options.interrupted ? { interrupted: () => first === null && options.interrupted?.() === true } : {}),
    combine: (a, b) => combined(subject, report.findings, a as ReplayCandidate, b as ReplayCandidate, values),
    run: async (spec, what) => {
      // The look at a server that was never tried is the first run of the experiment.
      const started = first ?? (await startOnce(spec, what))
      first = null
      runs.push(started.run)
      return started.outcome
    },
  })
  return judged(
    report,
    found,
    runs,
    recorded !== null,
    [...changes].map(([what, why]) => ({ what, why })),
  )
}

const nothing: Experiment = { conclusion: 'not-run', trials: [], proven: [], refuted: [], untried: [], stopped: null }

/** The report with what the replays say of its findings. */
function judged(
  report: ServerReport,
  experimented: Experiment,
  runs: readonly (Run | null)[],
  /** A failure is known that the replays were compared with. */
  known: boolean,
  changes: ReplayResult['changes'],
): ServerReport {
  const { findings: ordered, found } = healingFirst(report.findings, experimented)
  const replays = found.trials.map((trial, i) => toRun(trial, runs[i] ?? null))
  const { conclusion, proven, refuted, untried } = found
  const replayed: ReplayResult = { conclusion, summary: summaryOf(found, known), proven, refuted, untried, changes }
  const findings = judgeFindings(ordered, found, replays)
  const [first] = findings
  const useless =
    first?.severity === 'error' &&
    first.remedies.every((r, i) => r.kind !== 'config-edit' || refuted.some((x) => x.code === first.code && x.remedy === i))
  const steps = report.steps.map((s): Step => {
    if (s.step === 'replay') return stepOf(found, replayed)
    if (s.step === 'fix' && useless && refuted.length > 0)
      return { ...s, outcome: 'unknown', summary: 'the change that was tried does not heal it' }
    return s
  })
  const summary =
    report.verdict === 'problem' && first?.severity === 'error'
      ? first.title
      : report.verdict === 'undetermined' && conclusion === 'works' && !known
        ? 'MCPProxy has not started it as far as can be seen; in a replay it works as configured'
        : report.summary
  return { ...report, summary, findings, steps, replays, replayed }
}

/** The remedy that was seen to heal becomes the first of its finding; the numbers of remedies follow. */
function healingFirst(findings: readonly Finding[], found: Experiment): { findings: Finding[]; found: Experiment } {
  const orders = new Map<string, number[]>()
  const ordered = findings.map((f) => {
    const healing = new Set(found.proven.filter((p) => p.code === f.code).map((p) => p.remedy))
    const order = [...f.remedies.keys()].sort((a, b) => Number(healing.has(b)) - Number(healing.has(a)) || a - b)
    orders.set(f.code, order)
    return { ...f, remedies: order.flatMap((i) => f.remedies[i] ?? []) }
  })
  const moved = <T extends { code: string; remedy: number }>(item: T): T => ({
    ...item,
    remedy: orders.get(item.code)?.indexOf(item.remedy) ?? item.remedy,
  })
  const trials = found.trials.map((t) => ({ ...t, change: t.change && moved(t.change) }))
  return { findings: ordered, found: { ...found, trials, proven: found.proven.map(moved), refuted: found.refuted.map(moved) } }
}

function judgeFindings(findings: readonly Finding[], { conclusion, proven, refuted }: Experiment, runs: readonly ReplayRun[]): Finding[] {
  if (conclusion === 'proven') {
    const codes = new Set(proven.map((p) => p.code))
    const cites = runs
      .filter((r) => r.change === null || proven.some((p) => p.code === r.change?.code && p.remedy === r.change.remedy))
      .map((r) => ({ type: 'replay' as const, run: r.what, text: told(r) }))
    const healed = findings.filter((f) => codes.has(f.code))
    const others = findings.filter((f) => !codes.has(f.code))
    return [...healed.map((f): Finding => ({ ...f, rank: 'proven', cites: [...f.cites, ...cites] })), ...others]
  }
  if (conclusion !== 'unhealed') return [...findings]
  // What fails in the same way with its cure is at least not the whole story.
  return findings.map((f) => {
    const failed = refuted.filter((r) => r.code === f.code)
    if (failed.length === 0 || f.rank === 'proven') return f
    return {
      ...f,
      rank: 'suspected',
      detail: `${f.detail}\nIn a replay it failed in the same way with this change: ${failed.map((r) => r.title).join('; ')}.`,
    }
  })
}

export function toRun({ what, change, outcome }: Trial, started: Run | null): ReplayRun {
  const run = { what, change, exitCode: null, says: null, tools: null, ms: null, handshake: started && handshakeOf(started) }
  switch (outcome.result) {
    case 'works':
      return { ...run, outcome: 'works', tools: outcome.tools, ms: outcome.ms }
    case 'fails': {
      const { signature, ms } = outcome
      return { ...run, outcome: 'fails', exitCode: signature.how === 'no-answer' ? null : signature.exitCode, says: signature.text, ms }
    }
    case 'disturbed':
      return { ...run, outcome: 'disturbed', says: outcome.by, ms: outcome.ms }
    case 'not-run':
      return { ...run, outcome: outcome.begun ? 'cut-short' : 'not-run', says: outcome.why }
  }
}

function handshakeOf({ times, transcript, container }: Run): Handshake {
  const { created, started, firstByte, initialize, tools, died } = times
  const first = transcript?.foreign.first
  return {
    times: { created, started, firstByte, initialize, tools, died },
    protocolVersion: transcript?.protocolVersion ?? null,
    serverInfo: transcript?.serverInfo ?? null,
    foreign: first ? { count: transcript.foreign.count, kind: first.kind, offset: first.offset, hex: first.hex, text: first.text } : null,
    oomKilled: container?.oomKilled ?? null,
  }
}

function told(run: ReplayRun): string {
  if (run.outcome === 'works') return `works, ${run.tools ?? 0} tools`
  if (run.outcome === 'fails')
    return `${run.exitCode === null ? 'no answer' : `exit code ${run.exitCode}`}${run.says === null ? '' : `: ${run.says}`}`
  return run.says ?? run.outcome
}

function summaryOf({ conclusion, proven, untried, stopped, trials }: Experiment, known: boolean): string {
  const because = stopped === null ? '' : `: ${stopped.replace(/\.$/, '')}`
  const fails = known ? 'Fails as recorded' : 'Fails as configured'
  switch (conclusion) {
    case 'proven':
      return `Fails as configured, works with: ${proven.map((p) => p.title).join('; and ')}; and fails again without.`
    case 'works':
      return known
        ? 'It works now as configured: a restart may be all it needs, or what it lacked has come back.'
        : 'It works as configured.'
    case 'fails-differently':
      return 'It fails now in another way than recorded, so nothing was tried: the recorded failure could not be reproduced.'
    case 'world-changed':
      return stopped === null
        ? 'It worked with a change, and then as configured too: something else has changed meanwhile, so nothing is proven.'
        : `It worked with a change, but the second run as configured does not confirm it${because}.`
    case 'not-confirmed':
      return `It works with a change${because}; so nothing is proven.`
    case 'unhealed':
      if (trials.length === 1) return `${fails}; ${untried.length === 0 ? 'there is no change to try' : 'no change was tried'}${because}.`
      return `${fails}, and with every change that was tried${because}.`
    case 'not-run':
      return trials.some(({ outcome }) => outcome.result !== 'not-run' || outcome.begun)
        ? `It was started, and no start came to an end that says anything${because}.`
        : `Nothing was run${because}.`
  }
}

function stepOf(found: Experiment, { summary }: ReplayResult): Step {
  const outcome: Step['outcome'] =
    found.conclusion === 'proven' || found.conclusion === 'works' ? 'ok' : found.conclusion === 'unhealed' ? 'problem' : 'unknown'
  return { step: 'replay', outcome, summary: summary.replace(/\.$/, '').replace(/^[A-Z](?=[a-z])/, (c) => c.toLowerCase()) }
}
