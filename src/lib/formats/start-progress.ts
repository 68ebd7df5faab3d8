/** What tells that a start is still under way: a pull by docker, an installation, a model that loads. */
import { field, type LogLine } from './log-line.ts'

export interface Pull {
  /** "Unable to find image 'node:22' locally" */
  missing: LogLine
  /** The first line of the download; null: it never began. */
  began: LogLine | null
  /** "Status: Downloaded newer image for node:22" */
  done: LogLine | null
}

/** The pull that `docker run` does by itself; its progress goes to standard error. Null: the image was there. */
export function readPull(stderr: readonly LogLine[]): Pull | null {
  const find = (pattern: RegExp): LogLine | null => stderr.find((l) => pattern.test(field(l, 'message') ?? '')) ?? null
  const missing = find(/^Unable to find image '[^']+' locally/)
  return missing
    ? {
        missing,
        // 22: Pulling from library/node   ·   a1b2c3d4e5f6: Pulling fs layer
        began: find(/^\S+: Pulling (?:from \S+|fs layer)/),
        done: find(/^Status: (?:Downloaded newer image|Image is up to date) for /),
      }
    : null
}

// Installing and loading in the words of uv, pip, npm, docker and usual servers.
const working =
  /\b\d{1,3}(?:\.\d+)? ?%|\b\d+ ?(?:\/|of) ?\d+\b|^\s*(?:Downloading|Downloaded|Building|Built|Preparing|Prepared|Resolved|Installing|Installed|Collecting|Fetching|Unpacking|Compiling)\b|\b(?:loading|warming up|indexing|initiali[sz]ing|importing|downloading|installing|migrating)\b/i
// Those who wait for something that does not come also write on and on.
const waiting = /\b(?:retry\w*|attempts?|reconnect\w*|waiting|refused|fail(?:ed|ure)?|errors?|time(?:d )?out|unreachable|unable)\b/i

/** Lines that show work going on, each once. */
export function readProgress(stderr: readonly LogLine[]): LogLine[] {
  const seen = new Set<string>()
  return stderr.filter((l) => {
    const text = field(l, 'message') ?? ''
    if (seen.has(text) || waiting.test(text) || !working.test(text)) return false
    seen.add(text)
    return true
  })
}
