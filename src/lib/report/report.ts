/** The report: what a check found, as plain data. `--json` prints exactly this. */
import type { Source } from '../evidence/evidence.ts'
import type { SourceError } from '../system/system.ts'
import type { Finding, Rank, Severity } from '../rules/rule.ts'

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

export interface ServerReport {
  server: string
  verdict: Verdict
  /** One sentence: why this verdict. */
  summary: string
  findings: Finding[]
  steps: Step[]
  undetermined: Undetermined[]
  /** How many rules looked, so that "nothing found" can be weighed. */
  rules: { looked: number; couldNot: number }
}

export interface Report {
  schemaVersion: 1
  verdict: Verdict
  /** What was looked at: set in a recording. */
  recordedAt: string | null
  checkedAt: string
  mcpproxy: { version: string | null; running: boolean | null; config: string | null }
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
