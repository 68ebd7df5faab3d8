/** Symptom: the program ends by itself, and no more precise cause was found. */
import { citeLog, citeStory, lastWords } from './cite.ts'
import { dockerFailure, failure, story } from './helpers.ts'
import { defineRule } from './rule.ts'

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
    const refused = s?.startedAt == null ? dockerFailure(serverLog, 'other') : null
    return {
      ...(refused ? { title: 'docker refuses to start the container' } : {}),
      observations: ['serverLog', ...(s?.exitCode != null && s.signals.length === 0 ? (['events'] as const) : [])], // What happened, not why: never more than a suspicion.
      rank: 'suspected',
      facts: { exitCode: s?.exitCode ?? null },
      cites: [
        ...lastWords(attempt, 8),
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
