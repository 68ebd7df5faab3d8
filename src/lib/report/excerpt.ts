/** A cited line with its number and a caret under the culprit. */
import { characterWidth, displayWidth } from './clean.ts'
import type { Theme } from './theme.ts'

export interface Excerpt {
  line: number
  /** From 1, in UTF-16 units, as editors count. */
  column: number
  length: number
  text: string
}

interface Cell {
  text: string
  columns: number
  marked: boolean
}

/** Two lines: `9 │ "args": ["-it"],` and `  │          ^^^^^`. A line that is too long is cut around the culprit. */
export function excerptLines(excerpt: Excerpt, theme: Theme, width: number, indent = ''): string[] {
  const { gutter } = theme.symbols
  const number = String(excerpt.line)
  const head = `${indent}${number} ${gutter} `
  const room = Math.max(8, width - displayWidth(head))
  const { shown, before, marked } = window(cells(excerpt, theme), room, theme.symbols.ellipsis)
  const blank = `${indent}${' '.repeat(number.length)} ${gutter}`
  return [
    `${theme.faint(head)}${shown}`.trimEnd(),
    `${theme.faint(blank)} ${' '.repeat(before)}${theme.bad('^'.repeat(Math.max(1, marked)))}`,
  ]
}

function cells({ text, column, length }: Excerpt, theme: Theme): Cell[] {
  const start = Math.min(Math.max(0, column - 1), text.length)
  const end = Math.min(text.length, start + Math.max(1, length))
  // The indentation says nothing here, unless it is the culprit itself.
  const indentation = Math.min(/^\s*/.exec(text)?.[0].length ?? 0, start)
  const pieces = [text.slice(indentation, start), text.slice(start, end), text.slice(end)]
  const line = pieces.flatMap((piece, i) => {
    const plain = theme.text(piece.replaceAll('\t', '  '))
    return Array.from(plain, (character) => ({ text: character, columns: characterWidth(character), marked: i === 1 }))
  })
  return line
}

/** What of the line is shown in `room` columns, where the marked part starts in it, and how wide it is. */
function window(line: readonly Cell[], room: number, ellipsis: string): { shown: string; before: number; marked: number } {
  const total = sum(line)
  const first = line.findIndex((c) => c.marked)
  const culprit = first < 0 ? line.length : first
  let from = 0
  let to = line.length
  if (total > room) {
    const before = sum(line.slice(0, culprit))
    const size = Math.min(sum(line.filter((c) => c.marked)), room)
    const left = Math.min(Math.max(0, before - Math.floor((room - size) / 2)), total - room)
    // A little of what stands before is always kept, so that the culprit can be found in the file.
    let at = 0
    while (from < culprit && at < left + (left > 0 ? ellipsis.length : 0)) at += line[from++]?.columns ?? 0
    let used = from > 0 ? ellipsis.length : 0
    to = from
    while (to < line.length && used + (line[to]?.columns ?? 0) <= room) used += line[to++]?.columns ?? 0
    if (to < line.length) while (to > from && used + ellipsis.length > room) used -= line[--to]?.columns ?? 0
  }
  const visible = line.slice(from, to)
  const lead = from > 0 ? ellipsis : ''
  const position = visible.findIndex((c) => c.marked)
  // A place after the end of the line is marked at its last column.
  const before = Math.min(lead.length + sum(position < 0 ? visible : visible.slice(0, position)), room - 1)
  return {
    shown: lead + visible.map((c) => c.text).join('') + (to < line.length ? ellipsis : ''),
    before,
    marked: Math.min(sum(visible.filter((c) => c.marked)), room - before),
  }
}

const sum = (line: readonly Cell[]): number => line.reduce((columns, c) => columns + c.columns, 0)
