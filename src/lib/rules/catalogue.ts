/**
 * What is told of every code: by `explain`, and on the pages in docs/findings. Codes are those of the rules, and of
 * causes that no rule finds yet. Load it when it is asked for: a check does not need it.
 */
import { configEntries } from './catalogue/config.ts'
import { dockerEntries } from './catalogue/docker.ts'
import type { Entries, Entry } from './catalogue/entry.ts'
import { fileEntries } from './catalogue/files.ts'
import { imageEntries } from './catalogue/image.ts'
import { lifecycleEntries } from './catalogue/lifecycle.ts'
import { networkEntries } from './catalogue/network.ts'
import { programEntries } from './catalogue/program.ts'
import { resourceEntries } from './catalogue/resources.ts'
import type { Severity } from './rule.ts'

/** A code in words. All texts are plain English without markup. */
export interface CodeDescription {
  code: string
  title: string
  severity: Severity
  /** What happens, and how it shows. */
  what: string
  /** What proves it. */
  proof: string
  /** What heals it. */
  fix: string
  /** What is often said of it and is wrong. */
  myth: string | null
  /** Codes that look the same, and what decides between them. */
  confusedWith: { code: string; decidedBy: string }[]
  /** What MCPProxy may call it: one of its codes stands for many causes. */
  mcpx: string[]
}

export const entries: Entries = {
  ...configEntries,
  ...dockerEntries,
  ...imageEntries,
  ...fileEntries,
  ...networkEntries,
  ...resourceEntries,
  ...programEntries,
  ...lifecycleEntries,
}

/** Null: there is no such code. */
export function describeCode(code: string): CodeDescription | null {
  const entry = Object.hasOwn(entries, code) ? entries[code] : undefined
  return entry ? describe(code, entry) : null
}

/** In alphabetical order. */
export const allCodes = (): string[] => Object.keys(entries).sort()

function describe(code: string, { title, severity, what, proof, fix, myth, confusedWith, mcpx }: Entry): CodeDescription {
  return {
    code,
    title,
    severity,
    what,
    proof,
    fix,
    myth: myth ?? null,
    confusedWith: Object.entries(confusedWith ?? {}).map(([other, decidedBy]) => ({ code: other, decidedBy })),
    mcpx: [...(mcpx ?? [])],
  }
}
