/** The seven steps, one line each, and what could not be looked at. */
import type { Source } from '../evidence/evidence.ts'
import { displayWidth, padEnd } from './clean.ts'
import { withoutStop } from './remedy-text.ts'
import type { ServerReport, Step, Undetermined } from './report.ts'
import type { Symbols, Theme } from './theme.ts'
import { flow, paragraph, type Style } from './wrap.ts'

export function stepLines(steps: readonly Step[], theme: Theme, width: number): string[] {
  const looks: Record<Step['outcome'], { symbol: keyof Symbols; style: Style }> = {
    ok: { symbol: 'ok', style: theme.good },
    problem: { symbol: 'problem', style: theme.bad },
    unknown: { symbol: 'unknown', style: theme.warn },
    'not-applicable': { symbol: 'notApplicable', style: theme.faint },
    'not-run': { symbol: 'notRun', style: theme.faint },
    proposed: { symbol: 'proposed', style: theme.note },
  }
  const gap = width < 60 ? '' : ' '
  return steps.flatMap(({ step, outcome, summary }, i) => {
    const { symbol, style } = looks[outcome]
    const mark = padEnd(theme.symbols[symbol], theme.unicode ? 1 : 2)
    const head = `${gap} ${i + 1} ${step.padEnd(9)} ${gap}`
    const rest = ' '.repeat(displayWidth(head) + displayWidth(mark) + gap.length + 1)
    const lines = flow([{ text: theme.text(summary), style: outcome === 'not-run' ? theme.faint : undefined }], { width, first: rest })
    return lines.map((line, n) => (n === 0 ? `${head}${style(mark)} ${gap}${line.slice(rest.length)}`.trimEnd() : line))
  })
}

const sourceNames: Record<Source, string> = {
  config: 'configuration',
  mainLog: 'main.log',
  serverLog: 'log of the server',
  setup: 'isolation setup in main.log',
  engine: 'engine',
  containers: 'containers',
  events: 'engine events',
  image: 'image',
  hostPaths: 'paths on the host',
  status: 'MCPProxy API',
  environment: 'process of MCPProxy',
}

/** Grouped by reason: one engine that is down is one line, not one per rule. */
export function undeterminedLines({ undetermined, rules }: ServerReport, theme: Theme, width: number): string[] {
  const groups = new Map<string, Undetermined[]>()
  for (const entry of undetermined) groups.set(entry.error.message, [...(groups.get(entry.error.message) ?? []), entry])
  const lines = groups.size === 0 ? [] : ['  Not looked at:']
  for (const [message, entries] of groups) {
    const sources = [...new Set(entries.map((e) => sourceNames[e.source] ?? e.source))].join(', ')
    const count = new Set(entries.map((e) => e.code)).size
    lines.push(
      ...flow(
        [
          { text: theme.text(sources), style: theme.warn },
          { text: `: ${theme.text(withoutStop(message))}` },
          { text: ' ' },
          { text: `(${count === 1 ? '1 rule needs' : `${count} rules need`} it)`, style: theme.faint },
        ],
        { width, first: '    ', rest: '      ' },
      ),
    )
  }
  if (rules.couldNot > 0)
    lines.push(
      ...paragraph(`(${rules.looked} rule${rules.looked === 1 ? '' : 's'} looked, ${rules.couldNot} could not)`, width, '  ', theme.faint),
    )
  return lines
}
