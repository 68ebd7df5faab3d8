/** What would heal, as data. Nothing here does anything. */

/** A change of one value of the configuration; `value: undefined` removes it. */
export interface ConfigEdit {
  path: (string | number)[]
  value: unknown
}

/**
 * `safe`: reversible and keeps isolation. The others weaken something and name what:
 * `unisolated` (isolation off for a server), `network`, `mounts`, `limits`.
 */
export const editClasses = ['safe', 'unisolated', 'network', 'mounts', 'limits'] as const
export type EditClass = (typeof editClasses)[number]

export type Remedy =
  /** `strict`: the text is made strict JSON first (comments, trailing commas and a byte order mark go). */
  | { kind: 'config-edit'; title: string; edits: ConfigEdit[]; strict?: true; class: EditClass; because: string }
  /** A restart of the server through MCPProxy's API is all it takes. */
  | { kind: 'reload'; title: string }
  /** Shown, never run unasked. */
  | { kind: 'command'; title: string; argv: string[] }
  /** `trial`: edits that only show in a replay that it would help, e.g. a placeholder for a value that the user has. Never applied. */
  | { kind: 'instruction'; title: string; trial?: { title: string; edits: ConfigEdit[] } }
