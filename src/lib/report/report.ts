/** The report: what a check found, as plain data. `--json` prints exactly this. */
import type { ServerHistory } from './history.ts'
import type { Source } from '../evidence/evidence.ts'
import type { SourceError } from '../system/system.ts'
import type { Finding, Json, Rank, Severity } from '../rules/rule.ts'
import type { Theme } from './theme.ts'

export type Verdict = 'healthy' | 'problem' | 'undetermined'

export type StepName = 'isolation' | 'container' | 'logs' | 'args' | 'replay' | 'fix' | 'reload'
export interface Step {
  step: StepName
  /** `ok` ✓, `problem` ✗, `unknown` ?, `not-applicable` –, `not-run` ·, `proposed` → */
  outcome: 'ok' | 'problem' | 'unknown' | 'not-applicable' | 'not-run' | 'proposed'
  summary: string
}

export interface Undetermined {
  /** The rule that could not decide. */
  code: string
  source: Source
  error: SourceError
}

/** One start of a server in a replay. */
export interface ReplayRun {
  /** `as configured`, or the title of the change that was tried. */
  what: string
  /** The finding and which of its remedies the change comes from; null: as configured. */
  change: { code: string; remedy: number } | null
  /** `cut-short`: it was started, and ended by us before it said anything. */
  outcome: 'works' | 'fails' | 'disturbed' | 'cut-short' | 'not-run'
  /** Of the container, or of the docker command where there was none. */
  exitCode: number | null
  /** What it said last, or why it was not run. */
  says: string | null
  tools: number | null
  /** Milliseconds until it worked or failed. */
  ms: number | null
  /** Null: nothing was started. */
  handshake: Handshake | null
}

/** How a start went, step by step. Times are milliseconds since the start; null: it did not happen or was not seen. */
export interface Handshake {
  times: {
    created: number | null
    started: number | null
    firstByte: number | null
    initialize: number | null
    tools: number | null
    died: number | null
  }
  protocolVersion: string | null
  serverInfo: { name: string; version: string | null } | null
  /** Lines on standard output that are no protocol; MCPProxy passes over them. `hex`: the first bytes of the first one. */
  foreign: { count: number; kind: string; offset: number; hex: string; text: string } | null
  oomKilled: boolean | null
}

/** What the replays show together. */
export interface ReplayResult {
  conclusion: 'proven' | 'works' | 'fails-differently' | 'unhealed' | 'world-changed' | 'not-confirmed' | 'not-run'
  /** One sentence. */
  summary: string
  /** Changes with which it works, and without which it fails again. */
  proven: { code: string; remedy: number; title: string }[]
  /** Changes with which it failed just as before. */
  refuted: { code: string; remedy: number; title: string }[]
  /** What was not tried, and why; `needs` is the class that --allow would have to name. */
  untried: { code: string; title: string; needs: string | null; why: string }[]
  /** What of the arguments was changed to make the replay safe. */
  changes: { what: string; why: string }[]
}

export interface ServerReport {
  server: string
  verdict: Verdict
  /** One sentence: why this verdict. */
  summary: string
  findings: Finding[]
  /** Codes of findings of the report as a whole that are among the causes here too. */
  shared?: string[]
  steps: Step[]
  undetermined: Undetermined[]
  /** Starts in replays, in order; empty: none. */
  replays: ReplayRun[]
  /** Null: nothing was replayed. */
  replayed: ReplayResult | null
  /** Since when it fails; absent: it was not asked, because it works, or of many. */
  history?: ServerHistory
  /** How many rules looked, so that "nothing found" can be weighed. */
  rules: { looked: number; couldNot: number }
}

/** What was not looked at, or not to its end, in words for people. What stands in the report beside it was seen. */
export interface InterruptedLook {
  notLooked: string[]
}

export interface Report {
  schemaVersion: 1
  verdict: Verdict
  /** A signal asked for the end; absent: none did. */
  interrupted?: InterruptedLook
  /** What was looked at: set in a recording. */
  recordedAt: string | null
  checkedAt: string
  /** `why` it is not known whether it runs, in sentences; absent: it is. */
  mcpproxy: { version: string | null; running: boolean | null; config: string | null; why?: string }
  engine: { host: string | null; version: string | null; reachable: boolean | null }
  servers: ServerReport[]
  /** Findings about the file or the machine that concern no single server. */
  findings: Finding[]
}

const severities: Severity[] = ['error', 'warning', 'info']
const ranks: Rank[] = ['proven', 'supported', 'suspected']

/** Errors first, then the surest. Equal ones keep the order of the rules, which is root causes first. */
export function sortFindings(findings: Finding[]): Finding[] {
  return findings
    .map((finding, i) => ({ finding, i }))
    .sort(
      (a, b) =>
        severities.indexOf(a.finding.severity) - severities.indexOf(b.finding.severity) ||
        ranks.indexOf(a.finding.rank) - ranks.indexOf(b.finding.rank) ||
        a.i - b.i,
    )
    .map(({ finding }) => finding)
}

export function overallVerdict(servers: Pick<ServerReport, 'verdict'>[], findings: Pick<Finding, 'severity'>[]): Verdict {
  if (findings.some((f) => f.severity === 'error') || servers.some((s) => s.verdict === 'problem')) return 'problem'
  // Where nothing was looked at, nothing is known to work.
  return servers.length === 0 || servers.some((s) => s.verdict === 'undetermined') ? 'undetermined' : 'healthy'
}

/** 0 healthy, 1 problem found, 3 could not tell. The same with `--json` and without. */
export function exitCode(report: Pick<Report, 'verdict'>): 0 | 1 | 3 {
  return report.verdict === 'problem' ? 1 : report.verdict === 'undetermined' ? 3 : 0
}

/** What one step of the workflow on its own hands to its command. */
export interface StepReport {
  data: Json
  text: (theme: Theme) => string
  /** For standard error, beside the text: what to know before the result is used. */
  notes?: string[]
  exitCode: 0 | 1 | 3
}
