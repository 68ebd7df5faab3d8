/** The container is paused, or was while MCPProxy waited for it. */
import type { Attempt } from '../evidence/evidence.ts'
import type { ContainerStory } from '../formats/engine-events.ts'
import { citeEngine, citeLog, citeStory } from './cite.ts'
import { failure, seconds, story } from './helpers.ts'
import { defineRule, type Detection } from './rule.ts'

export default defineRule({
  code: 'container-paused',
  severity: 'error',
  title: 'The container is paused',
  needs: ['containers'],
  uses: ['events', 'serverLog'],
  detect({ containers }, { events, serverLog }) {
    const paused = containers.find((c) => c.relation !== 'other' && c.state === 'paused')
    return paused
      ? {
          observations: ['containers'],
          proof: 'The engine says so.',
          facts: { container: paused.names[0] ?? paused.id },
          cites: [citeEngine('container', `${paused.names[0] ?? ''}: ${paused.status}`)],
          detail: 'A paused container neither answers nor ends.',
          remedies: [{ kind: 'command', title: 'Resume it', argv: ['docker', 'unpause', paused.names[0] ?? paused.id] }],
        }
      : pausedMeanwhile(story(events), failure(serverLog))
  },
})

/** MCPProxy's own stop ends a pause, so that only the events still tell of it: it must have lasted for most of the time that was waited. */
function pausedMeanwhile(s: ContainerStory | null, attempt: Attempt | null): Detection | null {
  if (!s || attempt?.outcome !== 'no-answer' || attempt.endedAt === null) return null
  const pause = s.events.findLast((e) => e.action === 'pause' && e.at < (attempt.endedAt ?? e.at))
  if (!pause) return null
  const until = s.events.find((e) => e.action === 'unpause' && e.at > pause.at)?.at ?? attempt.endedAt
  const paused = Math.min(until.getTime(), attempt.endedAt.getTime()) - pause.at.getTime()
  if (paused < 0.5 * (attempt.durationMs ?? Infinity)) return null
  return {
    observations: ['events', 'serverLog'],
    title: 'The container was paused while MCPProxy waited for its answer',
    facts: { container: s.name, paused: seconds(paused) },
    cites: [citeStory(s), ...(attempt.errorLine ? [citeLog(attempt.errorLine)] : [])],
    detail: `Somebody paused it for ${seconds(paused)} of the ${seconds(attempt.durationMs ?? 0)} that MCPProxy waited; a paused container neither answers nor ends.`,
    remedies: [
      { kind: 'reload', title: 'Restart the server' },
      { kind: 'instruction', title: 'Find out who pauses it: a person, a backup job, or a tool that saves memory.' },
    ],
  }
}
