/** Edits of a configuration as the lines that they change. */
import { applyChange, type ConfigChange } from '../remedies/config-edit.ts'

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
  return after === null ? [] : lineHunks(text, after)
}

/** Changed lines with one line of context; changes that are near each other share a hunk. */
export function lineHunks(before: string, after: string): Hunk[] {
  const script = compare(before.split(/\r?\n/), after.split(/\r?\n/))
  const near = script.map((_, i) => [i - 1, i, i + 1].some((j) => script[j] && script[j].kind !== 'same'))
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
