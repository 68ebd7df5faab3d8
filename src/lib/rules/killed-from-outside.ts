/** Somebody else than this MCPProxy ended the container: another MCPProxy, a cleanup, a person. */
import type { Container, ContainerEvents, MainLog, ServerLog } from '../evidence/evidence.ts'
import { ownerPid } from '../evidence/collect-engine.ts'
import type { ContainerStory } from '../formats/engine-events.ts'
import { field, type LogLine } from '../formats/log-line.ts'
import { citeStory } from './cite.ts'
import { failure, story } from './helpers.ts'
import { defineRule } from './rule.ts'

// What MCPProxy writes before it stops or removes a container (facts of v0.6.9 to v0.60.0).
const stops =
  /^(?:Killing (?:unresponsive )?(?:Docker )?container|Killing matching|Disconnecting |Cleaning up |Removing existing container|Stopping container|Force cleanup|Found container by name, attempting to kill|(?:Initialization|Connection) failed for Docker command)/

export default defineRule({
  code: 'killed-from-outside',
  severity: 'error',
  title: 'The container was ended by something else than this MCPProxy',
  needs: ['events', 'serverLog'],
  uses: ['mainLog', 'containers', 'status'],
  detect({ events, serverLog }, { mainLog, containers, status }) {
    const s = story(events)
    const [first] = s?.signals ?? []
    if (!s || !first || s.startedAt === null || s.diedAt === null || s.oom || (s.exitCode !== 137 && s.exitCode !== 143)) return null
    // A program that ends takes its containers with it.
    if (status === null || (mainLog?.start && mainLog.start.at > s.startedAt)) return null
    const attempt = failure(serverLog)
    if (attempt?.outcome === 'no-answer' || stoppedByProxy(s, first.at, serverLog, mainLog)) return null
    const silent = mainLog !== undefined && wouldTell(s, mainLog)
    const other = otherOwner(s, events, containers)
    return {
      observations: ['events', ...(silent ? (['mainLog'] as const) : [])],
      ...(silent
        ? { proof: 'The engine recorded the signal and no shortage of memory, and this MCPProxy wrote of no stop at that moment.' }
        : {}),
      facts: { signal: s.signals.map((x) => x.signal).join(', '), exitCode: s.exitCode, otherProcess: other ? ownerPid(other) : null },
      cites: [citeStory(s)],
      ruledOut: ['memory limit (there is no out-of-memory event)'],
      detail: other
        ? `A second MCPProxy (process ${ownerPid(other) ?? 'unknown'}) uses this engine: each removes containers of the same server name at a start, and all of them when it ends.`
        : 'docker kill, stop or rm was called by another hand: a person, a cleanup job, or another MCPProxy on the same engine, which stops the containers of all when it ends.',
      remedies: [
        { kind: 'reload', title: 'Restart the server' },
        { kind: 'instruction', title: 'Find out who did it; more memory does not help.' },
      ],
    }
  },
})

/** A stop that MCPProxy announced shortly before the first signal; stopping many one after the other takes 10 s for each. */
function stoppedByProxy(s: ContainerStory, at: Date, log: ServerLog, mainLog: MainLog | undefined): boolean {
  // MCPProxy writes before it acts; what it writes of a container that is already dead comes later.
  const near = (line: LogLine, before: number): boolean =>
    stops.test(line.message) && aboutThis(s, line) && line.at.getTime() <= at.getTime() + 30 && line.at.getTime() >= at.getTime() - before
  return (
    log.attempts.some((a) => a.lines.some((l) => near(l, 15_000))) ||
    (mainLog?.lines.some((l) => near(l, 15_000)) ?? false) ||
    (mainLog?.general.some((l) => near(l, 120_000)) ?? false)
  )
}

/** Lines name the container, or its server, or all containers; "Disconnecting" also stands before every retry. */
function aboutThis(s: ContainerStory, line: LogLine): boolean {
  if (line.fields['was_connected'] === false) return false
  const [name, id] = [field(line, 'container_name'), field(line, 'container_id')]
  return (!name && !id) || name === s.name || (!!id && s.id.startsWith(id.slice(0, 12)))
}

/** At level warn the lines about stops are not written, so their absence means nothing. */
const wouldTell = (s: ContainerStory, log: MainLog): boolean =>
  log.complete && log.lines.some((l) => l.level === 'INFO' && l.at.getTime() >= (s.createdAt ?? s.startedAt ?? s.diedAt)!.getTime() - 5000)

/** Labels of a container that another process than the owner of this one started, at about the same time or still there. */
function otherOwner(
  s: ContainerStory,
  events: ContainerEvents,
  containers: readonly Container[] | undefined,
): Record<string, string> | null {
  const mine = ownerPid(s.labels)
  if (mine === null) return null
  const foreign = (labels: Record<string, string>): boolean => ownerPid(labels) !== null && ownerPid(labels) !== mine
  const alive = (x: ContainerStory): boolean => x.diedAt === null || (s.startedAt !== null && x.diedAt > s.startedAt)
  return (
    events.history.stories.find((x) => foreign(x.labels) && alive(x))?.labels ??
    containers?.find((c) => c.state === 'running' && foreign(c.labels))?.labels ??
    null
  )
}
