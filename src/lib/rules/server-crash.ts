/** Symptom: the program ends by itself, and no more precise cause was found. */
import type { Attempt, ServerLog } from '../evidence/evidence.ts'
import { neverStarted, type ContainerStory } from '../formats/engine-events.ts'
import { fatalStart, readProgramErrors } from '../formats/program-error.ts'
import { field, type LogLine } from '../formats/log-line.ts'
import { citeLog, citeStory, lastWords } from './cite.ts'
import { dockerFailure, endedByItself, failure, story } from './helpers.ts'
import { defineRule, type Detection } from './rule.ts'

const shown = 8

export default defineRule({
  code: 'server-crash',
  severity: 'error',
  title: 'The server program ends by itself before the handshake',
  symptom: true,
  needs: ['serverLog'],
  uses: ['events', 'containers'],
  detect({ serverLog }, { events, containers }) {
    const attempt = failure(serverLog)
    const s = story(events)
    if (attempt === null) return endedLater(serverLog, s)
    if (attempt.outcome !== 'exited' && attempt.outcome !== 'refused') return null
    // Docker ended and left the container running: whatever that was, it was not the program.
    if (s !== null && s.diedAt === null && containers?.some((c) => c.id === s.id && c.state === 'running')) return null
    const reason = reasonAbove(attempt)
    const refused = s?.startedAt == null ? dockerFailure(serverLog, 'other') : null
    const unstarted = s !== null && neverStarted(s)
    return {
      ...(refused
        ? { title: 'docker refuses to start the container' }
        : unstarted
          ? { title: 'The container was made, but never started' }
          : {}),
      observations: ['serverLog', ...(s?.exitCode != null && s.signals.length === 0 ? (['events'] as const) : [])], // What happened, not why: never more than a suspicion.
      rank: 'suspected',
      facts: { exitCode: s?.exitCode ?? null },
      cites: [
        ...(reason ? [citeLog(reason)] : []),
        ...lastWords(attempt, reason ? shown - 1 : shown),
        ...(attempt.stderr.length === 0 && attempt.errorLine ? [citeLog(attempt.errorLine)] : []),
        ...(s ? [citeStory(s)] : []),
      ],
      detail:
        s?.exitCode != null
          ? `It ended with exit code ${s.exitCode}. No cause that is known here fits.`
          : 'No cause that is known here fits.',
      remedies: [{ kind: 'instruction', title: 'Read its last words above.' }],
    }
  },
})

/** It did the handshake, and later its container ended without anybody asking for it. */
function endedLater({ newest }: ServerLog, s: ContainerStory | null): Detection | null {
  if (newest?.outcome !== 'connected' || !newest.closedAfterConnect || newest.disconnectedAt || !s || !endedByItself(s)) return null
  return {
    title: 'The server program ended by itself after it had been connected',
    observations: ['serverLog', 'events'],
    rank: 'suspected',
    facts: { exitCode: s.exitCode },
    cites: [...lastWords(newest, shown), citeLog(newest.closedAfterConnect), citeStory(s)],
    detail: `It answered, and ended later with exit code ${s.exitCode ?? 'unknown'}. No cause that is known here fits.`,
    remedies: [{ kind: 'instruction', title: 'Read its last words above.' }],
  }
}

/** What the program gave as its reason, where the lines of its stack push it out of the last words; null: it is among them. */
function reasonAbove({ stderr }: Attempt): LogLine | null {
  const start = fatalStart(stderr.map(words))
  const told = stderr.slice(start ?? 0)
  const known = new Set(readProgramErrors(told).map((e) => e.line))
  const reasons = told.filter((l) => known.has(l) || isReason.test(words(l)))
  // Of an exception the first line names it; of other messages the last one was the end.
  const reason = start === null ? reasons.at(-1) : reasons[0]
  return reason !== undefined && stderr.indexOf(reason) < stderr.length - shown ? reason : null
}

const words = (line: LogLine): string => (field(line, 'message') ?? '').trim()
// TypeError [ERR_X]: …   ·   java.io.IOException: …   ·   panic: …   ·   thread 'main' panicked at src/main.rs:2:5:
const isReason = /^(?:Uncaught )?(?:[\w.]*(?:Error|Exception)\b[^:]*: |panic: |thread '[^']*' panicked)/
