/** A smoke test as text and as JUnit. */
import { displayWidth, padEnd } from './clean.ts'
import { renderJunit } from './junit.ts'
import { replayTable } from './replay-text.ts'
import { interruptedLines } from './interrupted-text.ts'
import type { InterruptedLook, ReplayRun } from './report.ts'
import type { Finding } from '../rules/rule.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph } from './wrap.ts'

export interface SmokeView {
  config: string | null
  mcpproxyVersion: { value: string; assumed: boolean }
  checkedAt: string
  passed: number
  failed: number
  notTried: number
  interrupted?: InterruptedLook
  servers: { server: string; result: 'pass' | 'fail' | 'not-tried'; why: string; run: ReplayRun | null; findings: Finding[] }[]
}

export function smokeText(report: SmokeView, theme: Theme, verbose: boolean): string {
  const { width, symbols } = theme
  const looks = { pass: [symbols.ok, theme.good], fail: [symbols.problem, theme.bad], 'not-tried': [symbols.unknown, theme.warn] } as const
  const parts = [`${report.passed} of ${report.servers.length} servers work`]
  if (report.failed > 0) parts.push(`${report.failed} ${report.failed === 1 ? 'fails' : 'fail'}`)
  if (report.notTried > 0) parts.push(`${report.notTried} not tried`)
  const [symbol, style] = looks[report.failed > 0 ? 'fail' : report.notTried > 0 || report.passed === 0 ? 'not-tried' : 'pass']
  const lines = [
    ...(report.interrupted ? interruptedLines(report.interrupted, theme, width) : []),
    ...flow([{ text: symbol, style }, { text: ' ' }, { text: parts.join(', '), style: theme.strong }], { width, rest: '  ' }),
  ]
  lines.push('')
  const column = Math.min(Math.max(0, ...report.servers.map((s) => displayWidth(theme.text(s.server)))), Math.floor(width / 3))
  for (const { server, result, why, run, findings } of report.servers) {
    const [mark, colour] = looks[result]
    const time = run?.ms == null ? '' : ` ${(run.ms / 1000).toFixed(1)} s`
    const code = findings[0] ? `${findings[0].code}: ` : ''
    const first = `  ${padEnd(mark, theme.unicode ? 1 : 2)} ${padEnd(theme.text(server), column)}  `
    const told = flow([{ text: theme.text(code + why) }, { text: time, style: theme.faint }], {
      width,
      first,
      rest: ' '.repeat(displayWidth(first)),
    })
    lines.push(...told.map((line, i) => (i === 0 ? `  ${colour(mark)}${line.slice(2 + mark.length)}` : line)))
    if (result === 'fail' && run?.says != null)
      lines.push(...paragraph(theme.text(run.says), width, ' '.repeat(displayWidth(first)), theme.faint))
    if (verbose && run) lines.push(...replayTable([run], theme, width, ' '.repeat(displayWidth(first))))
  }
  const { value, assumed } = report.mcpproxyVersion
  lines.push(
    '',
    ...paragraph(
      `As MCPProxy ${value} starts them${assumed ? ' (assumed; --mcpproxy-version says otherwise)' : ''}.`,
      width,
      '',
      theme.faint,
    ),
  )
  return `${lines.join('\n')}\n`
}

export function smokeJunit(report: SmokeView): string {
  const cases = report.servers.map(({ server, result, why, run, findings }) => {
    const base = { name: server, classname: 'mcpproxy-doctor.replay', seconds: (run?.ms ?? 0) / 1000 }
    const text = [...findings.map((f) => `${f.code} (${f.rank}): ${f.title}\n${f.detail}`), run?.says ?? ''].filter(Boolean).join('\n\n')
    if (result === 'fail') return { ...base, failure: { type: findings[0]?.code ?? 'no-answer', message: why, text } }
    return result === 'pass' ? base : { ...base, error: { type: 'not-tried', message: why, text: '' } }
  })
  return renderJunit('mcpproxy-doctor replay', [{ name: report.config ?? 'mcp_config.json', timestamp: report.checkedAt, cases }])
}
