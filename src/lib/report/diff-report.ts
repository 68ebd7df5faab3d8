/** What differs between two captures, as data and as text. */
import type { Theme } from './theme.ts'
import { flow } from './wrap.ts'

/** `server`: is there such a server at all? */
export type DiffGroup = 'server' | 'versions' | 'configuration' | 'arguments' | 'image' | 'status' | 'findings'

export interface DiffSide {
  /** For people, secrets masked; null: it is not there. */
  value: string | null
  /** Where in its configuration; null: it does not come from there, or is not there. */
  place: { file: string; line: number } | null
}

export interface Difference {
  group: DiffGroup
  what: string
  /**
   * `changed`, `added`, `removed`: seen. `masked`: both are there, and a secret that was taken out of one of the captures hides
   * whether they differ. `unknown`: one of the captures does not hold it. `neither`: none of them does, so that there is nothing to
   * compare.
   */
  kind: 'changed' | 'added' | 'removed' | 'masked' | 'unknown' | 'neither'
  before: DiffSide
  after: DiffSide
  /** Of `unknown` and `neither`: why, in sentences; else null. */
  why: string | null
}

export interface DiffReport {
  schemaVersion: 1
  before: { capture: string; recordedAt: string; redacted: boolean }
  after: { capture: string; recordedAt: string; redacted: boolean }
  /** What concerns no single server. */
  general: Difference[]
  servers: { server: string; differences: Difference[] }[]
}

const isOpen = (d: Difference): boolean => d.kind === 'masked' || d.kind === 'unknown'
const seen = (d: Difference): boolean => !isOpen(d) && d.kind !== 'neither'
const allOf = (report: DiffReport): Difference[] => [...report.general, ...report.servers.flatMap((s) => s.differences)]

/** 0 no difference, 1 differences, 3 none was seen, but something that one of them holds could not be compared. */
export function diffExitCode(report: DiffReport): 0 | 1 | 3 {
  const all = allOf(report)
  return all.some(seen) ? 1 : all.some(isOpen) ? 3 : 0
}

export function renderDiff(report: DiffReport, theme: Theme): string {
  const all = allOf(report)
  const changes = all.filter(seen).length
  const open = all.filter(isOpen).length
  const { before, after } = report
  const head =
    changes > 0
      ? `${theme.warn(theme.symbols.proposed)} ${plural(changes, 'difference')}`
      : open > 0
        ? `${theme.warn(theme.symbols.unknown)} No difference was seen; ${plural(open, 'thing')} could not be compared`
        : `${theme.good(theme.symbols.ok)} No difference${all.length > 0 ? ' in what they hold' : ''}`
  const lines = [
    head,
    '',
    ...[before, after].flatMap((side, i) =>
      flow(
        [
          {
            text: `${i === 0 ? 'before' : 'after '}  ${theme.text(side.capture)}, ${side.recordedAt}${side.redacted ? ', secrets taken out' : ''}`,
          },
        ],
        {
          width: theme.width,
          first: '  ',
          rest: '          ',
        },
      ),
    ),
  ]
  const sections = [
    { title: 'in general', differences: report.general },
    ...report.servers.map((s) => ({ title: s.server, differences: s.differences })),
  ]
  for (const { title, differences } of sections) {
    const changed = differences.filter(seen)
    if (changed.length > 0) lines.push('', theme.strong(theme.text(title)), ...groupLines(changed, theme))
  }
  for (const [kind, told] of [
    ['masked', 'Hidden: a secret was taken out, so whether these differ cannot be told'],
    ['unknown', 'Not compared'],
    ['neither', 'In neither of them'],
  ] as const) {
    const rest = sections.flatMap((s) => s.differences.filter((d) => d.kind === kind).map((d) => ({ ...d, title: s.title })))
    if (rest.length > 0) lines.push('', told, ...rest.flatMap((d) => openLines(d, theme)))
  }
  return `${lines.join('\n')}\n`
}

const groups: readonly DiffGroup[] = ['server', 'findings', 'versions', 'configuration', 'arguments', 'image', 'status']

function groupLines(differences: readonly Difference[], theme: Theme): string[] {
  return groups.flatMap((group) => {
    const own = differences.filter((d) => d.group === group)
    if (own.length === 0) return []
    return [...(group === 'server' ? [] : [`  ${theme.faint(group)}`]), ...own.flatMap((d) => differenceLines(d, theme))]
  })
}

function differenceLines({ what, group, before, after, kind }: Difference, theme: Theme): string[] {
  const { width } = theme
  if (group === 'server')
    return flow([{ text: kind === 'added' ? 'new: it was not configured before' : 'gone: it is not configured any more' }], {
      width,
      first: '  ',
    })
  const places = [before, after].flatMap(({ place }) => (place ? [`${place.file}:${place.line}`] : []))
  const where = [...new Set(places)].join(' → ')
  const same = kind === 'changed' && before.value === after.value
  const short = same ? 'changed; both values are masked' : [before.value ?? 'none', after.value ?? 'none'].join(' → ')
  const tail = where === '' ? [] : [{ text: ' ' }, { text: theme.text(where), style: theme.faint }]
  if (same || what.length + short.length + (where === '' ? 0 : where.length + 1) + 6 <= width)
    return flow([{ text: `${theme.text(what)}  ${theme.text(short)}` }, ...tail], { width, first: '    ', rest: '      ' })
  const side = (sign: string, value: string | null, style: (text: string) => string): string[] =>
    value === null ? [] : flow([{ text: theme.text(value), style }], { width, first: `      ${sign} `, rest: '        ' })
  return [
    ...flow([{ text: theme.text(what) }, ...tail], { width, first: '    ', rest: '      ' }),
    ...side('-', before.value, theme.bad),
    ...side('+', after.value, theme.good),
  ]
}

const openLines = ({ what, why, title }: Difference & { title: string }, theme: Theme): string[] =>
  flow(
    [
      {
        text: `${theme.text(title)}: ${theme.text(what)}${why === null ? '' : ` (${theme.text(why.replace(/\.$/, ''))})`}`,
        style: theme.faint,
      },
    ],
    {
      width: theme.width,
      first: '  ',
      rest: '    ',
    },
  )

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
