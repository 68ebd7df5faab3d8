/** What `lint` found, as plain data. `lint --json` prints exactly this. */
import type { Finding, Severity } from '../rules/rule.ts'

export interface LintReport {
  schemaVersion: 1
  /** The release whose behaviour was assumed; `assumed`: nobody said which. */
  mcpproxy: { version: string; assumed: boolean }
  /** Findings at least this severe make the exit code 1. */
  failOn: Severity
  files: LintFile[]
  /** What is to be known of settings and baseline, e.g. an ignore that has expired. */
  notes: string[]
}

export interface LintFile {
  /** Relative to the current folder where it lies below it; `stdin` for standard input. */
  file: string
  servers: number
  /** In the order of their places. */
  findings: Finding[]
  /** Found, but ignored with a reason. */
  ignored: { code: string; server: string | null; line: number; reason: string }[]
  /** Found, but also in the baseline. */
  known: number
  /** Titles of the remedies that --fix has written. */
  fixed: string[]
}

const order: Severity[] = ['error', 'warning', 'info']

export const atLeast = (severity: Severity, limit: Severity): boolean => order.indexOf(severity) <= order.indexOf(limit)

/** 1 when something at or above the limit was found. */
export const lintExitCode = ({ files, failOn }: Pick<LintReport, 'files' | 'failOn'>): 0 | 1 =>
  files.some((f) => f.findings.some((x) => atLeast(x.severity, failOn))) ? 1 : 0
