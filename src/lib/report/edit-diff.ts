/** Edits of a configuration as the lines that they change. */
import { applyEdits, findNodeAtLocation, modify, parseTree } from 'jsonc-parser'
import type { ConfigEdit } from '../remedies/remedy.ts'

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
export function editDiff(text: string, edits: readonly ConfigEdit[]): string {
  const sign = { same: ' ', removed: '-', added: '+' }
  return editHunks(text, edits)
    .flatMap((h) => [`@@ ${h.line} @@`, ...h.lines.map((l) => sign[l.kind] + l.text)])
    .join('\n')
}

export function editHunks(text: string, edits: readonly ConfigEdit[]): Hunk[] {
  const after = applyConfigEdits(text, edits)
  return after === null ? [] : lineHunks(text, after)
}

/** The text with the edits in it, its layout kept; null where a path does not fit the text. */
export function applyConfigEdits(text: string, edits: readonly ConfigEdit[]): string | null {
  let result = text
  try {
    for (const { path, value } of inOrder(edits)) {
      const root = parseTree(result)
      const old = root && findNodeAtLocation(root, path)
      const before = old ? result.slice(old.offset, old.offset + old.length) : null
      // jsonc-parser would spread an array over lines that stood in one.
      if (old && before !== null && typeof value === 'object' && value !== null && !before.includes('\n')) {
        result = result.slice(0, old.offset) + inline(value) + result.slice(old.offset + old.length)
      } else {
        result = applyEdits(result, modify(result, path, value, { formattingOptions: layoutOf(result) }))
      }
    }
  } catch {
    return null
  }
  return result
}

/** Later elements of an array first where some are removed, so that the numbers stay right. */
function inOrder(edits: readonly ConfigEdit[]): ConfigEdit[] {
  const index = (e: ConfigEdit): number => {
    const last = e.path.at(-1)
    return typeof last === 'number' ? last : -1
  }
  const kept = edits.filter((e) => e.value !== undefined)
  const removed = edits.filter((e) => e.value === undefined).sort((a, b) => index(b) - index(a))
  return [...kept, ...removed]
}

function layoutOf(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  '
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  }
}

/** JSON in one line, with spaces as people write it. */
export function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${inline(v)}`)
    return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
  }
  return JSON.stringify(value) ?? 'null'
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
