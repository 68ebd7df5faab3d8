/** What lint found, for people and for `grep`: one line for each finding, then the sum. */
import type { Finding, Severity } from '../rules/rule.ts'
import { padEnd, displayWidth } from './clean.ts'
import { atLeast, type LintFile, type LintReport } from './lint-report.ts'
import { counted } from './markdown.ts'
import { configPlace, sentenceOf } from './results.ts'
import type { Theme } from './theme.ts'
import { flow } from './wrap.ts'

const words: Record<Severity, string> = { error: 'error', warning: 'warn', info: 'info' }

export function renderLint(report: LintReport, { theme, verbose = false }: { theme: Theme; verbose?: boolean }): string {
  const all = report.files.flatMap((f) => f.findings.map((finding) => ({ file: f.file, finding })))
  const rows = all.map(({ file, finding }) => ({ place: theme.text(placeText(file, finding)), finding }))
  // A few long names shall not push everything to the right.
  const width = Math.min(48, Math.max(0, ...rows.map((r) => displayWidth(r.place))))
  const codeWidth = Math.max(0, ...rows.map((r) => r.finding.code.length))
  const lines = rows.flatMap(({ place, finding }) => [
    `${theme.note(padEnd(place, width))}  ${styleOf(finding.severity, theme)(words[finding.severity].padEnd(5))}  ${theme.strong(finding.code.padEnd(codeWidth))}  ${about(finding)}${theme.text(sentenceOf(finding))}`,
    ...(verbose ? more(finding, theme) : []),
  ])
  if (lines.length > 0) lines.push('')
  for (const file of report.files) lines.push(...fileNotes(file, theme))
  lines.push(sum(report, theme))
  return `${lines.join('\n')}\n`

  function about({ server }: Finding): string {
    return server ? `${theme.text(server)}: ` : ''
  }
}

const placeText = (file: string, finding: Finding): string => {
  const place = configPlace(finding)
  return place ? `${place.file}:${place.line}:${place.column}` : file
}

const styleOf = (severity: Severity, theme: Theme) => (severity === 'error' ? theme.bad : severity === 'warning' ? theme.warn : theme.faint)

function more({ title, cites, remedies }: Finding, theme: Theme): string[] {
  const [, ...others] = cites.filter((c) => c.type === 'config')
  const texts = [
    title,
    ...others.map((c) => `also ${c.file}:${c.line}:${c.column}`),
    ...remedies.map((r) => `${theme.symbols.proposed} ${r.title}`),
  ]
  return texts.flatMap((text) =>
    flow([{ text: theme.text(text), style: theme.faint }], { width: theme.width, first: '    ', rest: '      ' }),
  )
}

function fileNotes({ file, ignored, known, fixed }: LintFile, theme: Theme): string[] {
  const name = theme.text(file)
  return [
    ...fixed.map((title) => `${theme.good(theme.symbols.ok)} ${name}: ${theme.text(title)}`),
    ...(ignored.length > 0 ? [`${name}: ${ignored.length} ignored, with a reason`] : []),
    ...(known > 0 ? [`${name}: ${known} known from the baseline`] : []),
  ]
}

function sum(report: LintReport, theme: Theme): string {
  const findings = report.files.flatMap((f) => f.findings)
  const servers = report.files.reduce((n, f) => n + f.servers, 0)
  const where = `${servers} server${servers === 1 ? '' : 's'}${report.files.length === 1 ? '' : ` of ${report.files.length} files`}`
  const { version, assumed } = report.mcpproxy
  const release = assumed ? `MCPProxy ${version} assumed; --mcpproxy-version says otherwise` : `MCPProxy ${version}`
  const failed = findings.some((f) => atLeast(f.severity, report.failOn))
  const style = findings.length === 0 ? theme.good : failed ? theme.bad : theme.warn
  // In one line at any width, for those who look at the last line.
  return `${style(counted(findings))} in ${where} (${release})`
}
