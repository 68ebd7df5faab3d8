/** The results as JUnit XML: a suite for each file, a case for each finding and for each server that has none. */
import type { Finding } from '../rules/rule.ts'
import { placeOf } from './citations.ts'
import { renderJunit, type JunitCase } from './junit.ts'
import { atLeast } from './lint-report.ts'
import { affected, sentenceOf, type ResultCase, type ResultGroup, type Results } from './results.ts'
import { plainTheme } from './theme.ts'

export function renderResultsJunit(results: Results): string {
  return renderJunit(
    `mcpproxy-doctor ${results.command}`,
    results.groups.map((group) => ({
      name: group.name,
      ...(results.at === null ? {} : { timestamp: results.at }),
      cases: [
        ...group.cases.flatMap((c) => casesOf(c, group, results)),
        ...(results.interrupted
          ? results.notes.map((message) => ({
              ...{ name: results.command, classname: group.name },
              error: { type: 'interrupted', message, text: '' },
            }))
          : []),
      ],
    })),
  )
}

function casesOf({ server, findings, open, shared }: ResultCase, group: ResultGroup, { command, failOn }: Results): JunitCase[] {
  const about = server ?? command
  const cases: JunitCase[] = findings.map((f) => {
    const own = f.server || about
    const item = { name: `${own}: ${f.code}`, classname: group.name }
    const message = sentenceOf(f)
    return atLeast(f.severity, failOn)
      ? { ...item, failure: { type: f.code, message, text: bodyOf(f) } }
      : { ...item, skipped: `${f.severity}: ${message}` }
  })
  if (open !== null) cases.push({ name: about, classname: group.name, error: { type: 'undetermined', message: open, text: '' } })
  else if (shared && findings.length === 0)
    cases.push({ name: about, classname: group.name, skipped: `told once for all servers: ${shared.join(', ')}` })
  else if (!findings.some((f) => atLeast(f.severity, failOn))) cases.push({ name: about, classname: group.name })
  return cases
}

function bodyOf(finding: Finding): string {
  const options = { theme: plainTheme(120) }
  return [
    finding.title,
    finding.detail,
    ...(finding.affects ? [affected(finding.affects)] : []),
    ...finding.cites.map((c) => `${placeOf(c, options)}${'text' in c ? `  ${c.text}` : ''}`),
    ...finding.remedies.map((r) => `-> ${r.title}`),
  ].join('\n')
}
