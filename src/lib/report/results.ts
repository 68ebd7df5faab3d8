/** What the formats for CI need to know of a check or a lint: the same for both. */
import path from 'node:path'
import type { Citation, Finding, Severity } from '../rules/rule.ts'
import { interruptedSentence } from './interrupted-text.ts'
import type { LintReport } from './lint-report.ts'
import type { Report } from './report.ts'

export type ConfigPlace = Extract<Citation, { type: 'config' }>

export interface ResultCase {
  /** What was looked at: a server, or null for the file or the machine. */
  server: string | null
  findings: Finding[]
  /** Why it could not be told whether it works; null: it could. */
  open: string | null
  /** Codes of findings that are told once for several servers, this one among them. */
  shared?: string[]
}

export interface ResultGroup {
  /** The configuration file, or what else was looked at. */
  name: string
  cases: ResultCase[]
}

export interface Results {
  command: 'check' | 'lint'
  /** ISO 8601; null: nobody needs it. */
  at: string | null
  /** Findings at least this severe are failures. */
  failOn: Severity
  groups: ResultGroup[]
  /** Sentences about the whole. */
  notes: string[]
  /** A signal ended the look; a note says what was not looked at. */
  interrupted?: true
}

/** What the renderers are told beside the results. */
export interface ResultOptions {
  /** Of mcpproxy-doctor. */
  version: string
  /** Where its repository is, without a slash at the end; null: unknown. */
  repository: string | null
  /** Where the page of each code is, `/CODE.md` left out, without a slash at the end; null: nobody knows. */
  pages: string | null
  /** Texts of the files by name, for fixes; what a fix would write passes `mask`. */
  sources?: Record<string, string>
  mask?: (text: string) => string
}

/** The place that a finding is shown at. Null: it was seen in a log, an event or the engine, and has none in a file. */
export const configPlace = (finding: Finding): ConfigPlace | null => finding.cites.find((c) => c.type === 'config') ?? null

/** Where a place ends; columns count from 1, and the end is the column after the last one. */
export const placeEnd = ({ line, column, length, end }: ConfigPlace): { line: number; column: number } =>
  end ?? { line, column: column + length }

export const pageOf = (code: string, pages: string | null): string | null => (pages === null ? null : `${pages}/${code}.md`)

/** The address under which the pages are, as it is printed; null: it is none. */
export const pagesAt = (given: string): string | null =>
  /^https?:\/\//.test(given) && URL.canParse(given) ? new URL(given).href.replace(/\/+$/, '') : null

/** The pages in a repository on GitHub. */
export const pagesIn = (repository: string): string => `${repository}/blob/main/docs/findings`

/** What it says of itself in one line. */
export const sentenceOf = (finding: Finding): string =>
  `${finding.detail.split('\n')[0] || finding.title}${finding.affects ? ` ${affected(finding.affects)}` : ''}`

/** The servers that share a cause, in one sentence. */
export const affected = (servers: readonly string[]): string =>
  `Affects ${servers.length} servers: ${servers.slice(0, namesShown).join(', ')}${servers.length > namesShown ? ` and ${servers.length - namesShown} more` : ''}.`
const namesShown = 10

export function lintResults(report: LintReport): Results {
  return {
    ...{ command: 'lint', at: null, failOn: report.failOn, notes: report.notes },
    groups: report.files.map((f) => ({ name: f.file, cases: [{ server: null, findings: f.findings, open: null }] })),
  }
}

/** `cwd`: files below it are named relative to it, as CI systems want them. */
export function checkResults(report: Report, cwd: string): Results {
  const local = (findings: Finding[]): Finding[] =>
    findings.map((f) => ({ ...f, cites: f.cites.map((c) => (c.type === 'config' ? { ...c, file: shownFile(c.file, cwd) } : c)) }))
  const config = report.mcpproxy.config
  const whole: ResultCase[] = report.findings.length > 0 ? [{ server: null, findings: local(report.findings), open: null }] : []
  const servers = report.servers.map((s) => ({
    server: s.server,
    findings: local(s.findings),
    open: s.verdict === 'undetermined' ? s.summary : null,
    ...(s.shared ? { shared: s.shared } : {}),
  }))
  return {
    ...{ command: 'check', at: report.checkedAt, failOn: 'error' },
    ...(report.interrupted ? { notes: [interruptedSentence(report.interrupted)], interrupted: true } : { notes: [] }),
    groups: [{ name: config === null ? 'MCPProxy' : shownFile(config, cwd), cases: [...whole, ...servers] }],
  }
}

/** With `/`, and relative to a folder that it lies below. */
export function shownFile(file: string, cwd: string): string {
  const relative = path.relative(cwd, file)
  const below = relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)
  return (below ? relative : file).replaceAll(path.sep, '/')
}
