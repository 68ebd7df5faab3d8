/** Errors that the user can act on. Everything else that is thrown is our own failure. */

/** What happened, why, and what to do; exit code 2. */
export class UserError extends Error {
  readonly suggestions: string[]
  constructor(message: string, suggestions: string[] = []) {
    super(message)
    this.name = 'UserError'
    this.suggestions = suggestions
  }
}

/** Of an error of Node or of the system, e.g. `ENOENT`; empty: it has none. */
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** The names that the user may have meant, the nearest first; at most three. */
export function suggestNames(name: string, names: readonly string[]): string[] {
  const wanted = name.toLowerCase()
  const scored = names.map((n) => {
    const candidate = n.toLowerCase()
    const near =
      candidate.startsWith(wanted) || candidate.includes(wanted) || (candidate.length > 2 && wanted.includes(candidate))
        ? 1
        : distance(wanted, candidate)
    return { n, near }
  })
  const limit = Math.max(2, Math.floor(wanted.length / 3))
  return scored
    .filter((s) => s.near <= limit)
    .sort((a, b) => a.near - b.near || a.n.localeCompare(b.n))
    .slice(0, 3)
    .map((s) => s.n)
}

/** The candidate that is at most two letters away from a word, the nearest first; undefined: none is. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase()
  return candidates.filter((c) => distance(c, wanted) <= 2).sort((a, b) => distance(a, wanted) - distance(b, wanted))[0]
}

/** Levenshtein distance. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length] ?? 0
}
