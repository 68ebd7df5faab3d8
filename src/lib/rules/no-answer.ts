/** Symptom: the server lives but does not answer initialize, and no more precise cause was found. */
import { citeLog, citeStory, lastWords } from './cite.ts'
import { failure, seconds, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'no-answer',
  severity: 'error',
  title: 'The server lives but does not answer initialize in time',
  symptom: true,
  needs: ['serverLog'],
  uses: ['events'],
  detect({ serverLog }, { events }) {
    const attempt = failure(serverLog)
    if (attempt?.outcome !== 'no-answer') return null
    const s = story(events)
    return {
      observations: ['serverLog', ...(s?.signals.length ? (['events'] as const) : [])], // What happened, not why: never more than a suspicion.
      rank: 'suspected',
      facts: { after: seconds(attempt.durationMs ?? 0) },
      cites: [...lastWords(attempt, 3), ...(attempt.errorLine ? [citeLog(attempt.errorLine)] : []), ...(s ? [citeStory(s)] : [])],
      detail: 'No cause that is known here fits. It may wait for a backend or a login, or print its answers elsewhere.',
      remedies: [
        {
          kind: 'instruction',
          title: "Look at what it waits for; one restart through MCPProxy's API has a longer deadline than the start.",
        },
      ],
    }
  },
})
