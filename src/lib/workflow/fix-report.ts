/** What `fix` and `fix --undo` were asked and what they tell. */
import type { EditClass, Remedy } from '../remedies/remedy.ts'
import type { Redactor } from '../evidence/secrets.ts'
import type { Finding } from '../rules/rule.ts'
import { removeBackup } from '../system/config-file.ts'
import type { ProofOptions, ProofStep } from './proof.ts'

export interface FixOptions extends ProofOptions {
  server: string
  /** Only the remedies of this finding; null: of the cause. */
  code: string | null
  apply: boolean
  allow: readonly EditClass[]
  yes: boolean
  /** Also run a harmless command (`docker pull`). */
  run: boolean
  /** Variables for `${env:NAME}` in a replay. */
  env: Readonly<Record<string, string | undefined>>
  /** Milliseconds for looking, before anything is done. */
  timeoutMs: number
  /** Asks the person at the terminal; null: nobody can be asked. */
  confirm: ((report: FixReport) => Promise<boolean>) | null
  /** Called when the file has been written, so that an interruption can say so. */
  onWritten: (backup: string) => void
}

/** A remedy as it is shown: secrets struck. */
export interface ShownRemedy {
  code: string
  kind: Remedy['kind']
  title: string
  class: EditClass | null
  because: string | null
  /** Changed lines, each hunk after `@@ LINE @@`. */
  diff: string | null
  /** Other servers that a change of a global value concerns. */
  affects: string[]
  argv: string[] | null
  /** Would `--apply` apply it, with the classes that are allowed? */
  allowed: boolean
}

export interface FixReport {
  server: string
  code: string | null
  title: string | null
  rank: Finding['rank'] | null
  config: string | null
  remedies: ShownRemedy[]
  applied: ShownRemedy[]
  /** Null: it was not tried, or could not be told. */
  verified: boolean | null
  restored: boolean
  backup: string | null
  steps: ProofStep[]
  /** What is to be said beside the steps. */
  notes: string[]
  /** 0 verified or nothing to do, 1 something to do, 3 could not verify, 5 did not help and was undone. */
  exitCode: 0 | 1 | 3 | 5
}

export const tell = (report: FixReport, steps: readonly ProofStep[], redact: Redactor): void =>
  void report.steps.push(...steps.map((s) => ({ ...s, text: redact(s.text) })))

export async function dropBackup(report: FixReport, why: string): Promise<void> {
  if (report.backup === null) return
  await removeBackup(report.backup)
  report.steps = report.steps.filter((s) => s.name !== 'backup')
  report.notes.push(`The backup ${report.backup} was removed: ${why}.`)
  report.backup = null
}
