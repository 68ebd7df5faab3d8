/** Edits of a configuration as the lines that they change. */
import { lineStarts, positionIn, valueAt } from '../formats/mcp-config.ts'
import { applyChange, treeOf, type ConfigChange } from '../remedies/config-edit.ts'

export interface DiffLine {
  kind: 'same' | 'removed' | 'added'
  text: string
}
export interface Hunk {
  /** Line of the old text, from 1, where the hunk begins. */
  line: number
  lines: DiffLine[]
}

/** `-old`, `+new` and ` same` lines, each hunk after `@@ LINE @@`; empty when nothing changes or the text cannot be edited. */
export const editDiff = (text: string, change: ConfigChange): string => diffText(editHunks(text, change))

export function diffText(hunks: readonly Hunk[]): string {
  const sign = { same: ' ', removed: '-', added: '+' }
  return hunks.flatMap((h) => [`@@ ${h.line} @@`, ...h.lines.map((l) => sign[l.kind] + l.text)]).join('\n')
}

export function editHunks(text: string, change: ConfigChange): Hunk[] {
  const after = applyChange(text, change)
  return after === null ? [] : entryHunks(text, after)
}

/**
 * Changed lines of a configuration. What surrounds them is shown only as far as it belongs to the servers that are changed:
 * the entries of others are nobody's business here, and the arguments in them may be.
 */
export function entryHunks(before: string, after: string): Hunk[] {
  const [old, now] = [entriesOf(before), entriesOf(after)]
  const sameNumber = old.length === now.length
  const othersOf = (these: readonly Entry[], those: readonly Entry[]): Entry[] =>
    these.filter((e, i) => (sameNumber ? those[i]?.text === e.text : those.some((t) => t.text === e.text)))
  const others = othersOf(old, now)
  return lineHunks(withoutOthers(before, others), withoutOthers(after, othersOf(now, old)), (line) =>
    others.some((e) => e.first <= line && line <= e.last),
  )
}

interface Entry {
  from: number
  to: number
  /** Lines, from 1. */
  first: number
  last: number
  text: string
}

function entriesOf(text: string): Entry[] {
  const list = valueAt({ path: '', text, root: treeOf(text), problems: [] }, ['mcpServers'])
  const starts = lineStarts(text)
  return (list?.children ?? []).map(({ offset, length }) => ({
    from: offset,
    to: offset + length,
    first: positionIn(starts, offset).line,
    last: positionIn(starts, offset + length).line,
    text: text.slice(offset, offset + length),
  }))
}

/** Entries of one line become `{…}`, so that a changed line shows no other server that stands in it. */
function withoutOthers(text: string, others: readonly Entry[]): string {
  let result = text
  for (const { from, to, first, last } of [...others].reverse())
    if (first === last) result = `${result.slice(0, from)}{…}${result.slice(to)}`
  return result
}

/**
 * Changed lines with one line of context; changes that are near each other share a hunk.
 * `withheld`: lines of the old text, from 1, that are never context.
 */
export function lineHunks(before: string, after: string, withheld: (line: number) => boolean = () => false): Hunk[] {
  const script = compare(before.split(/\r?\n/), after.split(/\r?\n/))
  let old = 0
  const near = script.map(({ kind }, i) => {
    if (kind !== 'added') old++
    if (kind !== 'same') return true
    return !withheld(old) && [i - 1, i + 1].some((j) => script[j] && script[j].kind !== 'same')
  })
  const hunks: Hunk[] = []
  let line = 1
  script.forEach((entry, i) => {
    if (near[i]) {
      if (!near[i - 1]) hunks.push({ line, lines: [] })
      hunks.at(-1)?.lines.push(entry)
    }
    if (entry.kind !== 'added') line++
  })
  return hunks
}

function compare(a: readonly string[], b: readonly string[]): DiffLine[] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const same = (lines: readonly string[]): DiffLine[] => lines.map((text) => ({ kind: 'same', text }))
  return [
    ...same(a.slice(0, head)),
    ...between(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ]
}

/** Longest common subsequence; a stretch too long for that is shown as replaced. */
function between(a: readonly string[], b: readonly string[]): DiffLine[] {
  const all: DiffLine[] = [...a.map((text) => ({ kind: 'removed', text }) as const), ...b.map((text) => ({ kind: 'added', text }) as const)]
  if (a.length === 0 || b.length === 0 || a.length * b.length > 1_000_000) return all
  const common = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    const row = common[i]
    if (row) for (let j = b.length - 1; j >= 0; j--) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  }
  const lines: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i] ?? '' })
      i++
      j++
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) lines.push({ kind: 'removed', text: a[i++] ?? '' })
    else lines.push({ kind: 'added', text: b[j++] ?? '' })
  }
  return lines
}
