/** Fixes and reloads for people: what is proposed as a diff, what was done as ticked steps, then the verdict and the next command. */
import type { FixReport, ShownRemedy } from '../workflow/fix-report.ts'
import type { ProofStep } from '../workflow/proof.ts'
import type { ReloadReport } from '../workflow/reload.ts'
import { cleanLines, padEnd } from './clean.ts'
import { classMeanings, commandLines, withoutStop } from './remedy-text.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph, type Span } from './wrap.ts'

export interface FixTextOptions {
  theme: Theme
  /** The command to type next; null: none. */
  next: string[] | null
  /** The remedies were shown already, with a question. */
  asked: boolean
}

export function renderFix(report: FixReport, { theme, next, asked }: FixTextOptions): string {
  const done = report.steps.length > 0
  const lines = done || asked ? [] : proposal(report, theme)
  lines.push(...report.steps.flatMap((s) => stepLine(s, theme)))
  lines.push(...report.notes.flatMap((note) => cleanLines(note).flatMap((l) => paragraph(theme.text(l), theme.width, '  '))))
  if (done) lines.push(...verdict(report, theme))
  if (next !== null) lines.push('', ...commandLine(done ? 'Undo:' : 'Next:', next, theme))
  return `${lines.join('\n')}\n`
}

/** The cause and its remedies, also before a question. */
export function proposal(report: FixReport, theme: Theme): string[] {
  const lines: string[] = []
  if (report.code !== null) {
    const head: Span[] = [
      { text: report.code, style: theme.strong },
      { text: ' ' },
      { text: `${report.rank ?? ''}: ${theme.text(withoutStop(report.title ?? ''))}` },
    ]
    lines.push(...flow(head, { width: theme.width }), '')
  } else if (report.title !== null)
    lines.push(...flow([{ text: theme.text(report.title), style: theme.strong }], { width: theme.width }), '')
  for (const remedy of report.remedies) lines.push(...remedyBlock(remedy, report.config, theme), '')
  return lines
}

function remedyBlock(remedy: ShownRemedy, config: string | null, theme: Theme): string[] {
  const { width } = theme
  const why = remedy.because === null ? '' : `: ${remedy.because}`
  const lines = flow([{ text: theme.text(`${withoutStop(remedy.title)}${why}`) }], {
    width,
    first: `  ${theme.symbols.proposed} `,
    rest: '    ',
  })
  if (remedy.diff !== null) {
    lines.push(...flow([{ text: theme.text(config ?? ''), style: theme.note }], { width, first: '    ' }))
    for (const line of cleanLines(remedy.diff)) lines.push(`    ${diffStyle(line, theme)(theme.text(line))}`)
  }
  if (remedy.argv !== null) lines.push(...commandLines(remedy.argv, theme, width, '      '))
  const about = [
    ...(remedy.class === null
      ? []
      : [`Class: ${remedy.class} (${classMeanings[remedy.class]}).${remedy.class === 'safe' ? '' : ` It needs --allow ${remedy.class}.`}`]),
    ...(remedy.affects.length === 0 ? [] : [`It concerns ${remedy.affects.join(', ')} too, from their next start on.`]),
  ].join(' ')
  if (about !== '') lines.push(...flow([{ text: theme.text(about), style: theme.faint }], { width, first: '    ' }))
  return lines
}

const diffStyle = (line: string, theme: Theme) => (line.startsWith('+') ? theme.good : line.startsWith('-') ? theme.bad : theme.faint)

const names: Record<ProofStep['name'], string> = {
  backup: 'backed up',
  written: 'written',
  reloaded: 'reloaded',
  restarted: 'restarted',
  connected: 'connected',
  stable: 'stable',
  restored: 'restored',
}

function stepLine(step: ProofStep, theme: Theme): string[] {
  const symbol = step.ok === true ? theme.symbols.ok : step.ok === false ? theme.symbols.problem : theme.symbols.unknown
  const style = step.ok === true ? theme.good : step.ok === false ? theme.bad : theme.warn
  const mark = padEnd(symbol, theme.unicode ? 1 : 2)
  const head = `${mark} ${names[step.name].padEnd(11)} `
  const lines = flow([{ text: theme.text(step.text.replaceAll(/\s+/g, ' ')) }], {
    width: theme.width,
    first: `  ${head}`,
    rest: ' '.repeat(head.length + 2),
  })
  return lines.map((line, i) => (i === 0 ? `  ${style(mark)}${line.slice(2 + mark.length)}` : line))
}

function verdict(report: FixReport, theme: Theme): string[] {
  const { symbols } = theme
  const say = (symbol: string, style: Theme['good'], text: string): string[] =>
    flow([{ text: symbol, style }, { text: ` ${theme.text(text)}` }], { width: theme.width, rest: '  ' })
  if (report.verified === true) return say(symbols.ok, theme.good, `${report.server} works.`)
  if (report.code === null && report.verified === false)
    return say(symbols.problem, theme.bad, `The old configuration is back, and ${report.server} does not work with it.`)
  if (report.code === null) return say(symbols.unknown, theme.warn, 'The old configuration is back; that it works could not be verified.')
  if (report.restored && report.exitCode === 5) return say(symbols.problem, theme.bad, 'It did not help, so the old configuration is back.')
  if (report.restored) return say(symbols.unknown, theme.warn, 'It could not be verified, so the old configuration is back.')
  if (report.verified === false) return say(symbols.problem, theme.bad, `${report.server} still does not work.`)
  return say(symbols.unknown, theme.warn, 'It could not be verified.')
}

function commandLine(label: string, argv: readonly string[], theme: Theme): string[] {
  const gap = ' '.repeat(label.length + 1)
  return commandLines(argv, theme, theme.width - gap.length, '').map((line, i) => (i === 0 ? `${label} ${line}` : `${gap}${line}`))
}

export function renderReload(report: ReloadReport, theme: Theme): string {
  const lines: string[] = []
  for (const { server, steps, verified, why } of report.servers) {
    lines.push(...steps.flatMap((s) => stepLine(s, theme)))
    const symbol = verified === true ? theme.symbols.ok : verified === false ? theme.symbols.problem : theme.symbols.unknown
    const style = verified === true ? theme.good : verified === false ? theme.bad : theme.warn
    const text = verified === true ? `${server} works.` : `${server}: ${why ?? 'could not be told'}`
    lines.push(...flow([{ text: symbol, style }, { text: ` ${theme.text(text)}` }], { width: theme.width, rest: '  ' }))
  }
  if (report.servers.length === 0) lines.push('There is no server to restart.')
  return `${lines.join('\n')}\n`
}
