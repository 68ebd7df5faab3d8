/** The report for people: verdict, the seven steps, findings with their evidence. */
import type { Citation, Finding } from '../rules/rule.ts'
import { clean } from './clean.ts'
import type { Report, ServerReport, Step } from './report.ts'

const marks: Record<Step['outcome'], string> = { ok: '✓', problem: '✗', unknown: '?', 'not-applicable': '–', 'not-run': '·', proposed: '→' }

export function renderText(report: Report): string {
  return report.servers.map((s) => renderServer(s)).join('\n')
}

function renderServer(s: ServerReport): string {
  const [first] = s.findings
  const head = s.verdict === 'healthy' ? `✓ ${clean(s.server)} works: ${s.summary}` : s.verdict === 'undetermined' ? `? ${clean(s.server)}: could not tell: ${s.summary}` : `✗ ${clean(s.server)} does not work: ${first?.title ?? ''}   ${first?.rank ?? ''}`
  const steps = s.steps.map((step, i) => `  ${i + 1} ${step.step.padEnd(10)} ${marks[step.outcome]}  ${clean(step.summary)}`)
  const open = [...new Map(s.undetermined.map((u) => [u.source, u])).values()].map((u) => `  ? ${u.source}: ${clean(u.error.message)}`)
  const count = `  (${s.rules.looked} rules looked, ${s.rules.couldNot} could not)`
  const cause = s.verdict === 'problem' && first ? ['', `More: mcpproxy-doctor explain ${first.code}`] : []
  return `${[head, '', ...steps, ...(open.length > 0 ? ['', ...open, count] : []), ...s.findings.flatMap(renderFinding), ...cause].join('\n')}\n`
}

function renderFinding(f: Finding): string[] {
  return ['', `${f.code}  ${clean(f.title)}  [${f.severity}, ${f.rank}]`, ...f.detail.split('\n').map((l) => `  ${clean(l)}`), ...f.cites.flatMap(renderCitation), ...(f.ruledOut.length > 0 ? [`  Ruled out: ${f.ruledOut.join('; ')}`] : []), ...f.remedies.flatMap((r) => [`  → ${clean(r.title)}${r.kind === 'config-edit' ? `: ${r.edits.map((e) => `${e.path.join('.')} = ${JSON.stringify(e.value) ?? 'removed'}`).join('; ')} (${r.class}: ${r.because})` : r.kind === 'command' ? `: ${r.argv.join(' ')}` : ''}`])]
}

function renderCitation(c: Citation): string[] {
  switch (c.type) {
    case 'config': {
      const number = String(c.line)
      return [`    ${clean(c.file)}:${c.line}:${c.column}`, `    ${number} │ ${clean(c.excerpt)}`, `    ${' '.repeat(number.length)} │ ${' '.repeat(c.column - 1)}${'^'.repeat(c.length)}`]
    }
    case 'log': return [`    ${clean(c.file)}${c.line === null ? '' : `:${c.line}`}  ${c.at ?? ''}`, `      ${clean(c.text)}`]
    case 'event': return [`    event  ${c.at}  ${clean(c.container)}: ${clean(c.text)}`]
    case 'api': return [`    api  ${c.endpoint} ${c.field}: ${clean(c.text)}`]
    case 'engine': return [`    engine  ${clean(c.what)}: ${clean(c.text)}`]
    case 'host': return [`    host  ${clean(c.path)}: ${clean(c.text)}`]
  }
}
