/** Symptom: the server lives but does not answer initialize, and no more precise cause was found. */
import { citeLog, citeStory, lastWords } from './cite.ts'
import { field } from '../formats/log-line.ts'
import { since } from '../mcpproxy/versions.ts'
import { callsDocker, failure, seconds, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'no-answer',
  severity: 'error',
  title: 'The server lives but does not answer initialize in time',
  symptom: true,
  only: 'failed',
  needs: ['serverLog'],
  uses: ['events', 'config'],
  detect({ serverLog }, { events, config }, { version }) {
    const attempt = failure(serverLog)
    if (attempt?.outcome !== 'no-answer') return null
    const s = story(events)
    // "Unable to find image 'node:22' locally": the pull counts against the deadline.
    const pulling = attempt.stderr.map((l) => /^Unable to find image '([^']+)' locally/.exec(field(l, 'message') ?? '')?.[1]).find(Boolean)
    // tools/list: not allowed (-32601)   ·   no answer to tools/list within 30 s: replays tell what was asked last.
    const { error } = attempt
    const late = error === null || /deadline exceeded|did not respond|handshake timeout|no answer to initialize/i.test(error)
    const title = late
      ? null
      : /no answer to tools\/list/.test(error)
        ? 'The server answers initialize, but not tools/list in time'
        : 'The server lives, but its output is not what MCPProxy can use'
    return {
      ...(title === null ? {} : { title }),
      observations: ['serverLog', ...(s?.signals.length ? (['events'] as const) : [])], // What happened, not why: never more than a suspicion.
      rank: 'suspected',
      facts: { after: seconds(attempt.durationMs ?? 0) },
      cites: [...lastWords(attempt, 3), ...(attempt.errorLine ? [citeLog(attempt.errorLine)] : []), ...(s ? [citeStory(s)] : [])],
      detail: late
        ? 'No cause that is known here fits. It may wait for a backend or a login, or print its answers elsewhere.'
        : `It says: ${error.replace(/\.$/, '')}. No cause that is known here fits.`,
      remedies: [
        ...(pulling ? [{ kind: 'command' as const, title: 'Load the image first', argv: ['docker', 'pull', pulling] }] : []),
        // facts of MCPProxy v0.60.0: its own attempts are cut after 30 s, a restart through the API after 3 minutes.
        ...(config && callsDocker(config) && since(version.value, 'uvImages')
          ? [
              {
                kind: 'reload' as const,
                title: 'Restart it once through the API: that has three minutes to start, the other attempts 30 s',
              },
            ]
          : []),
        {
          kind: 'instruction',
          title: "Look at what it waits for; one restart through MCPProxy's API has a longer deadline than the start.",
        },
      ],
    }
  },
})
