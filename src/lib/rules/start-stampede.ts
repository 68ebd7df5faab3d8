/** Many servers are started at the same time, and this one was not ready when the clock ran out. */
import { serverLabel } from '../evidence/collect-engine.ts'
import { citeEngine, citeLog } from './cite.ts'
import { endedByItself, failure, seconds, story } from './helpers.ts'
import { defineRule } from './rule.ts'

/** As many starts at once as no ordinary machine does not feel. */
const many = 8

export default defineRule({
  code: 'start-stampede',
  severity: 'warning',
  title: 'Many servers start at the same time as this one',
  only: 'failed',
  needs: ['serverLog', 'events'],
  uses: ['engine'],
  detect({ serverLog, events }, { engine }) {
    const attempt = failure(serverLog)
    const end = attempt?.endedAt ?? null
    if (attempt?.outcome !== 'no-answer' || end === null || endedByItself(story(events))) return null
    const from = attempt.startedAt.getTime() - 10_000
    const together = new Set(
      events.history.stories
        .filter((s) => s.createdAt !== null && s.createdAt.getTime() >= from && s.createdAt <= end)
        .flatMap((s) => s.labels[serverLabel] ?? []),
    )
    const cpus = engine?.info?.cpus ?? null
    if (together.size < Math.max(many, 2 * (cpus ?? 0))) return null
    return {
      observations: ['serverLog', 'events'],
      // They did start together; that this is why it was late is not proven.
      rank: 'suspected',
      facts: { servers: together.size, cpus, waited: seconds(attempt.durationMs ?? 0) },
      cites: [
        citeEngine(
          'events',
          `containers of ${together.size} servers were started between ${new Date(from).toISOString()} and ${end.toISOString()}`,
        ),
        ...(attempt.errorLine ? [citeLog(attempt.errorLine, attempt.error ?? undefined)] : []),
      ],
      detail: `${together.size} servers share ${cpus === null ? 'the processors' : `${cpus} processors`} and the network while each has ${seconds(attempt.durationMs ?? 0)} to answer.`,
      remedies: [
        { kind: 'reload', title: 'Restart this server alone' },
        { kind: 'instruction', title: 'Pin versions and keep the cache warm, or enable the servers one after the other.' },
      ],
    }
  },
})
