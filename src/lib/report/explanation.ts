/** What is told of a code, and of what a text can mean, as text. */
import type { CodeDescription } from '../rules/catalogue.ts'
import type { CodeMatch, Explanations } from '../rules/match-text.ts'
import { displayWidth, padEnd } from './clean.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph, type Span } from './wrap.ts'

/** Of more, only the codes are told. */
const mostTold = 3
const mostListed = 10

export function renderExplanation(described: CodeDescription, theme: Theme): string {
  const { code, title, severity, what, proof, fix, myth, confusedWith, mcpx } = described
  const { width } = theme
  const lines = flow([...heading(code, title, theme), { text: '   ' }, { text: severity, style: severityStyle(severity, theme) }], {
    width,
    rest: '  ',
  })
  const section = (name: string, text: string | null): void => {
    if (text !== null) lines.push('', theme.strong(name), ...paragraph(theme.text(text), width, '  '))
  }
  section('What happens', what)
  section('What proves it', proof)
  section('What heals it', fix)
  section('What is often said and is wrong', myth)
  if (confusedWith.length > 0) {
    lines.push('', theme.strong('Often mistaken for'))
    for (const other of confusedWith) lines.push(...labelled(other.code, other.decidedBy, theme))
  }
  if (mcpx.length > 0) lines.push('', ...flow([{ text: `MCPProxy calls it ${mcpx.join(', ')}.` }], { width, rest: '  ' }))
  lines.push('', ...command('To look:', 'mcpproxy-doctor check SERVER', theme))
  return `${lines.join('\n')}\n`
}

export function renderMatches(found: Explanations, theme: Theme): string {
  const { matches, harmless, note } = found
  const [first] = matches
  const lines: string[] = []
  if (!first) lines.push(...nothing(harmless.length > 0, theme))
  else if (note !== null) lines.push(...paragraph(theme.text(note), theme.width), '', renderCodes(matches, theme).trimEnd())
  else if (matches.length === 1) lines.push(...only(first, theme))
  else lines.push(...several(matches, theme))
  if (harmless.length > 0) {
    if (first) lines.push('', theme.strong('Harmless'))
    for (const { text, because } of harmless)
      lines.push(
        ...flow([{ text: `"${theme.text(text)}"`, style: theme.note }, { text: '  ' }, { text: theme.text(because) }], {
          width: theme.width,
          first: '  ',
          rest: '    ',
        }),
      )
  }
  lines.push('', ...command(first ? 'To prove it on the machine:' : 'To look at the machine:', 'mcpproxy-doctor check SERVER', theme))
  if (first) lines.push(...command('More:', `mcpproxy-doctor explain ${first.code}`, theme))
  return `${lines.join('\n')}\n`
}

export function renderCodes(codes: readonly CodeDescription[], theme: Theme): string {
  const column = Math.min(Math.max(0, ...codes.map((c) => displayWidth(c.code))), Math.floor(theme.width / 2))
  const lines = codes.flatMap(({ code, title }) => {
    const name = padEnd(theme.text(code), column)
    return flow([{ text: theme.text(title) }], { width: theme.width, first: `${name}  `, rest: ' '.repeat(column + 2) }).map((line, i) =>
      i === 0 ? theme.strong(line.slice(0, name.length)) + line.slice(name.length) : line,
    )
  })
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function nothing(harmless: boolean, { width }: Theme): string[] {
  return paragraph(
    harmless
      ? 'Nothing in this text is a failure that is known; these words sound like one and are harmless:'
      : 'This text is none that is known here. That does not make it harmless: most causes show in the configuration and in the events of the engine, not in a text.',
    width,
  )
}

function only(match: CodeMatch, theme: Theme): string[] {
  const { code, title, because, what, myth, fix, confusedWith } = match
  const lines = [
    ...flow(
      [
        { text: match.fit === 'clear' ? 'This text means one thing: ' : 'This text may mean ' },
        { text: code, style: theme.strong },
        { text: '   ' },
        quoted(because, theme),
      ],
      {
        width: theme.width,
        rest: '  ',
      },
    ),
  ]
  for (const text of [`${title}.`, what, myth, `To heal it: ${fix}`])
    if (text !== null) lines.push(...flow([{ text: theme.text(text) }], { width: theme.width, first: '  ' }))
  if (confusedWith.length > 0) lines.push(theme.faint('  It is another code, if:'))
  for (const other of confusedWith) lines.push(...labelled(other.code, other.decidedBy, theme, '    '))
  return lines
}

function several(matches: readonly CodeMatch[], theme: Theme): string[] {
  const { width } = theme
  const told = matches.length === mostTold + 1 ? matches : matches.slice(0, mostTold)
  const lines = paragraph(`This text can mean ${matches.length} things, the likeliest first.`, width)
  const row = (label: string, span: Span): string[] =>
    flow([{ text: label.padEnd(9), style: theme.faint }, span], { width, first: '  ', rest: ' '.repeat(11) })
  told.forEach(({ code, title, because, decidedBy, fix, myth }, i) => {
    lines.push('', ...flow(heading(code, `${title}.`, theme), { width, rest: '  ' }))
    if (because !== told[i - 1]?.because) lines.push(...row('because', quoted(because, theme)))
    lines.push(...row('decides', { text: theme.text(decidedBy) }), ...row('heals', { text: theme.text(fix) }))
    if (myth !== null) lines.push(...row('beware', { text: theme.text(myth) }))
  })
  const others = matches.slice(told.length)
  if (others.length > 0) {
    lines.push('', 'Less likely:')
    for (const { code, title } of others.slice(0, mostListed)) lines.push(...labelled(code, title, theme))
    if (others.length > mostListed) lines.push(`  and ${others.length - mostListed} more (--json has them)`)
  }
  return lines
}

const heading = (code: string, title: string, theme: Theme): Span[] => [
  { text: theme.text(code), style: theme.strong },
  { text: '  ' },
  { text: theme.text(title) },
]
const command = (label: string, line: string, theme: Theme): string[] =>
  flow([{ text: label }, { text: ' ' }, { text: line, style: theme.strong }], { width: theme.width, rest: '  ' })
const quoted = (because: string, theme: Theme): Span => ({ text: `"${theme.text(because)}"`, style: theme.note })
const labelled = (code: string, text: string, theme: Theme, first = '  '): string[] =>
  flow([{ text: theme.text(code), style: theme.note }, { text: `: ${theme.text(text)}` }], {
    width: theme.width,
    first,
    rest: `${first}  `,
  })

function severityStyle(severity: CodeDescription['severity'], theme: Theme): Theme['bad'] {
  return severity === 'error' ? theme.bad : severity === 'warning' ? theme.warn : theme.note
}
