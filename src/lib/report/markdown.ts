/** Markdown, e.g. for the summary of a CI step. */
import type { Finding, Severity } from '../rules/rule.ts'
import { clean } from './clean.ts'
import { configPlace, pageOf, sentenceOf, type ResultOptions, type Results } from './results.ts'

/** A summary of GitHub holds 1 MiB. */
const mostRows = 500
const words: Record<Severity, string> = { error: 'error', warning: 'warning', info: 'info' }

export function renderMarkdown(results: Results, options: ResultOptions): string {
  const lines = [`## mcpproxy-doctor ${results.command}`, '']
  let left = mostRows
  for (const group of results.groups) {
    const rows = group.cases.flatMap((c) => [
      ...c.findings.map((f) => row(f, options)),
      ...(c.open === null ? [] : [cells('could not tell', '', code(c.server ?? ''), text(c.open))]),
    ])
    lines.push(`### ${code(group.name)}`, '', `${counted(group.cases.flatMap((c) => c.findings))}.`, '')
    const shown = rows.slice(0, Math.max(0, left))
    left -= shown.length
    if (shown.length > 0) lines.push('| | place | code | what |', '| --- | --- | --- | --- |', ...shown, '')
    if (shown.length < rows.length) lines.push(`And ${rows.length - shown.length} more.`, '')
  }
  for (const note of results.notes) lines.push(`- ${text(note)}`)
  return `${lines.join('\n').trimEnd()}\n`
}

function row(finding: Finding, { pages }: ResultOptions): string {
  const place = configPlace(finding)
  const page = pageOf(finding.code, pages)
  const name = page === null ? code(finding.code) : `[${code(finding.code)}](${page})`
  const first = finding.cites[0]
  const where = place ? `${place.line}:${place.column}` : first ? first.type : ''
  const what = `${finding.server ? `${code(finding.server)}: ` : ''}${text(sentenceOf(finding))}`
  const remedy = finding.remedies[0] ? ` *${text(finding.remedies[0].title)}*` : ''
  return cells(words[finding.severity], where, name, `${what}${remedy}`)
}

const cells = (...columns: string[]): string => `| ${columns.join(' | ')} |`

/** `2 errors, 1 warning`, or that there is nothing. */
export function counted(findings: readonly Pick<Finding, 'severity'>[]): string {
  const parts = (['error', 'warning', 'info'] as const).flatMap((severity) => {
    const n = findings.filter((f) => f.severity === severity).length
    return n === 0 ? [] : [`${n} ${words[severity]}${n === 1 || severity === 'info' ? '' : 's'}`]
  })
  return parts.length === 0 ? 'Nothing found' : parts.join(', ')
}

/** Foreign text as text: no markup, no HTML, no links, no mentions of people, no end of the cell. */
const text = (foreign: string): string =>
  clean(foreign)
    .replace(/[\\`*_{}[\]()#+!|~$-]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@(?=\w)/g, '@\u200b')
    .replace(/(https?)(?=:\/\/)/gi, '$1\u200b')

/** In a table a `|` ends the cell even in code, so that foreign text with one is HTML. */
function code(foreign: string): string {
  const shown = clean(foreign)
  if (shown === '') return ''
  if (!/[`|]/.test(shown)) return `\`${shown}\``
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '|': '&#124;', '`': '&#96;' }
  return `<code>${shown.replace(/[&<>|`]/g, (c) => entities[c] ?? c)}</code>`
}
