/** `lint --fix`: the mechanical edits of what was found, as long as there are any. */
import { valueAt, type ConfigDocument } from '../formats/mcp-config.ts'
import { applyChange } from '../remedies/config-edit.ts'
import type { Finding } from '../rules/rule.ts'
import { lintText, type LintOptions } from './lint.ts'

/** Safe to undo, but somebody's choice and no slip: nothing that happens to many files at once. */
const byHand = new Set(['server-disabled', 'global-isolation-off', 'network-unknown', 'container-name-taken', 'mode-without-enabled'])

export interface FixedText {
  text: string
  /** Titles of the remedies, in the order in which they were applied. */
  fixed: string[]
}

/** `kept`: findings that are not to be touched, because they are ignored or known. */
export function fixText(file: string, text: string, options: LintOptions, kept: (finding: Finding) => boolean): FixedText {
  const fixed: string[] = []
  let result = text
  const tried = new Set<string>()
  for (;;) {
    const { findings, reading } = lintText(file, Buffer.from(result), options)
    // What did not help once does not help the second time.
    const pass = edits(findings.filter((f) => !byHand.has(f.code) && !kept(f))).filter(({ key }) => !tried.has(key))
    const before = result
    const entry = pass.length > few ? entryOf(reading.document) : () => null
    // From the end on, so that the places in front stay where they are.
    for (const { key, title, change } of pass.toSorted((x, y) => indexOf(y.change) - indexOf(x.change))) {
      tried.add(key)
      const after = applyWithin(result, change, entry(indexOf(change)))
      if (after === null || after === result) continue
      result = after
      fixed.push(title)
    }
    if (result === before) return { text: result, fixed }
  }
}

/** The whole text is parsed for each edit; with more of them each server's entry is edited for itself. */
const few = 20

const indexOf = ({ edits }: Edit): number => {
  const [first] = edits
  const index = first?.path[0] === 'mcpServers' ? first.path[1] : undefined
  return typeof index === 'number' && edits.every((e) => e.path[0] === 'mcpServers' && e.path[1] === index) ? index : -1
}

interface Entry {
  offset: number
  length: number
}

const entryOf =
  (document: ConfigDocument) =>
  (index: number): Entry | null =>
    index < 0 ? null : valueAt(document, ['mcpServers', index])

function applyWithin(text: string, change: Edit, entry: Entry | null): string | null {
  if (!entry || change.strict) return applyChange(text, change)
  const [start, end] = [entry.offset, entry.offset + entry.length]
  const after = applyChange(text.slice(start, end), { edits: change.edits.map((e) => ({ ...e, path: e.path.slice(2) })) })
  return after === null ? null : text.slice(0, start) + after + text.slice(end)
}

type Edit = Extract<Finding['remedies'][number], { kind: 'config-edit' }>

/** One remedy for each finding; of those that touch the same place the first, the others get their turn afterwards. */
function edits(findings: readonly Finding[]): { key: string; title: string; change: Edit }[] {
  const touched = new Set<string>()
  return findings.flatMap((finding) => {
    const change = finding.remedies.find((r): r is Edit => r.kind === 'config-edit' && r.class === 'safe')
    if (!change) return []
    // A server's entry as a whole: paths in it may change.
    const places = change.strict ? [''] : change.edits.map((e) => JSON.stringify(e.path.slice(0, 2)))
    if (touched.has('') || places.some((p) => touched.has(p)) || (change.strict && touched.size > 0)) return []
    for (const place of places) touched.add(place)
    const title = `${finding.server ? `${finding.server}: ` : ''}${finding.code}: ${change.title}`
    return [{ key: JSON.stringify([finding.code, change.edits, change.strict]), title, change }]
  })
}
