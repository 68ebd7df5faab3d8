/** `lint --fix`: the mechanical edits of what was found, as long as there are any. */
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
    const { findings } = lintText(file, Buffer.from(result), options)
    const pass = edits(findings.filter((f) => !byHand.has(f.code) && !kept(f)))
    let changed = false
    for (const { key, title, change } of pass) {
      // What did not help once does not help the second time.
      if (tried.has(key)) continue
      tried.add(key)
      const after = applyChange(result, change)
      if (after === null || after === result) continue
      result = after
      fixed.push(title)
      changed = true
    }
    if (!changed) return { text: result, fixed }
  }
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
