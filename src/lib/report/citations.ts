/** The evidence of a finding as text: where it stands, and what it says there. */
import type { Citation } from '../rules/rule.ts'
import { excerptLines } from './excerpt.ts'
import type { TextOptions } from './text-options.ts'
import type { Theme } from './theme.ts'
import { flow } from './wrap.ts'

const longestText = 1200

/** Neighbours with the same place share its line. */
export function citationLines(cites: readonly Citation[], options: TextOptions, day: string): string[] {
  const { theme } = options
  const width = options.width ?? theme.width
  const lines: string[] = []
  let previous = ''
  for (const cite of cites) {
    const place = placeOf(cite, options)
    if (place !== previous) lines.push(...flow([{ text: place, style: theme.note }], { width, first: '  ', rest: '    ' }))
    previous = place
    if (cite.type === 'config') {
      if (cite.excerpt.trim() !== '')
        lines.push(
          ...excerptLines(
            { line: cite.line, column: cite.excerptColumn ?? cite.column, length: cite.length, text: cite.excerpt },
            theme,
            width,
            '    ',
          ),
        )
      continue
    }
    lines.push(...saying(cite, theme, day, width))
  }
  return lines
}

/** `file:line:column`, as editors and terminals open it, or what else was asked. */
export function placeOf(cite: Citation, { theme, home }: TextOptions): string {
  switch (cite.type) {
    case 'config':
      return `${shortPath(cite.file, home, theme)}:${cite.line}:${cite.column}`
    case 'log':
      // Of a replay there is no file to open.
      if (cite.file === 'replay') return 'replay, standard error'
      return `${shortPath(cite.file, home, theme)}${cite.line === null ? '' : `:${cite.line}`}`
    case 'event':
      return 'engine events'
    case 'api':
      return `MCPProxy ${theme.text(cite.endpoint)}`
    case 'engine':
      return `engine, ${theme.text(cite.what)}`
    case 'host':
      return shortPath(cite.path, home, theme)
    case 'replay':
      return `replay ${theme.text(cite.run)}`
  }
}

function saying(cite: Exclude<Citation, { type: 'config' }>, theme: Theme, day: string, width: number): string[] {
  const text = theme.text(cite.text.slice(0, longestText)) + (cite.text.length > longestText ? theme.symbols.ellipsis : '')
  const label =
    cite.type === 'log' || cite.type === 'event' ? clock(cite.at, day, theme) : cite.type === 'api' ? theme.text(cite.field) : ''
  const container = cite.type === 'event' ? theme.text(cite.container) : ''
  const indent = '      '
  const spans = [label, container].filter((s) => s !== '').map((s) => ({ text: `${s}  `, style: theme.faint }))
  if (text === '' && spans.length === 0) return []
  const hang = Math.min(label === '' ? 0 : label.length + 2, Math.floor(width / 3))
  return flow([...spans, { text }], { width, first: indent, rest: indent + ' '.repeat(hang) })
}

/** `16:14:09Z` of a time as it is written (so it can be found in the log), with the day when it is another one. */
export function clock(at: string | null, day: string, theme: Theme): string {
  if (at === null) return ''
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[.,\d]*(Z?)/.exec(at)
  if (!parts) return theme.text(at)
  const [, date = '', time = '', zone = ''] = parts
  return date === day || day === '' ? `${time}${zone}` : `${date.slice(5)} ${time}${zone}`
}

export function shortPath(path: string, home: string | undefined, theme: Theme): string {
  const inside = home !== undefined && home !== '' && (path.startsWith(`${home}/`) || path.startsWith(`${home}\\`))
  return theme.text(inside ? `~${path.slice(home.length)}` : path)
}
