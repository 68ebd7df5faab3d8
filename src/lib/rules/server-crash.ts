/** Symptom: the program ends by itself, and no more precise cause was found. */
import type { Attempt } from '../evidence/evidence.ts'
import { fatalStart, readProgramErrors } from '../formats/program-error.ts'
import { field, type LogLine } from '../formats/log-line.ts'
import { citeLog, citeStory, lastWords } from './cite.ts'
import { dockerFailure, failure, story } from './helpers.ts'
import { defineRule } from './rule.ts'

const shown = 8

export default defineRule({
  code: 'server-crash',
  severity: 'error',
  title: 'The server program ends by itself before the handshake',
  symptom: true,
  needs: ['serverLog'],
  uses: ['events'],
  detect({ serverLog }, { events }) {
    const attempt = failure(serverLog)
    if (attempt?.outcome !== 'exited' && attempt?.outcome !== 'refused') return null
    const s = story(events)
    const reason = reasonAbove(attempt)
    const refused = s?.startedAt == null ? dockerFailure(serverLog, 'other') : null
    return {
      ...(refused ? { title: 'docker refuses to start the container' } : {}),
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
