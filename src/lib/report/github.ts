/** Annotations of GitHub Actions: workflow commands on standard output. */
import { clean } from './clean.ts'
import type { Severity } from '../rules/rule.ts'
import { configPlace, placeEnd, sentenceOf, type Results } from './results.ts'

const commands: Record<Severity, string> = { error: 'error', warning: 'warning', info: 'notice' }

/** One line for each finding. Those without a place in a file get none, and stand beside the run. */
export function renderGithub(results: Results): string {
  const lines = results.groups.flatMap((group) =>
    group.cases.flatMap((c) => [
      ...c.findings.map((finding) => {
        const place = configPlace(finding)
        const end = place && placeEnd(place)
        const properties = {
          ...(place && end ? { file: place.file, line: place.line, endLine: end.line } : {}),
          // GitHub takes columns only within one line.
          ...(place && end?.line === place.line ? { col: place.column, endColumn: end.column } : {}),
          title: `${finding.code}${finding.server ? ` (${finding.server})` : ''}`,
        }
        return command(commands[finding.severity], properties, sentenceOf(finding))
      }),
      ...(c.open === null ? [] : [command('warning', { title: c.server ?? group.name }, `could not tell: ${c.open}`)]),
    ]),
  )
  return [...lines, ...results.notes.map((note) => command('notice', {}, note))].map((line) => `${line}\n`).join('')
}

function command(name: string, properties: Record<string, string | number>, message: string): string {
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(cleaned(String(value)))}`)
  return `::${name}${list.length === 0 ? '' : ` ${list.join(',')}`}::${escapeData(cleaned(message))}`
}

/** Lines stay lines: they are escaped. */
const cleaned = (text: string): string => text.split('\n').map(clean).join('\n')

// As actions/toolkit does it (packages/core/src/command.ts).
const escapeData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
