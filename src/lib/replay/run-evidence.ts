/** A replay told in the words of the evidence, so that the rules judge it as they judge a start by MCPProxy. */
import type { Attempt, ContainerEvents, ServerLog, Subject } from '../evidence/evidence.ts'
import type { LogLine } from '../formats/log-line.ts'
import { notObserved, observed } from '../system/system.ts'
import { linesOf } from '../system/byte-record.ts'
import type { Run } from '../system/replay-run.ts'

/** What stands in citations in place of a log file. */
export const replayFile = 'replay'

/** The subject as it would be if MCPProxy had done this start and nothing else. */
export function withRun(subject: Subject, run: Run): Subject {
  const { config } = subject.evidence
  const expected = config.ok ? config.value.expected : null
  const log = serverLogOf(
    run,
    expected?.kind === 'isolated' ? { runtimeType: expected.runtimeType ?? '', command: expected.command[0] ?? '' } : null,
  )
  return {
    ...subject,
    evidence: {
      ...subject.evidence,
      serverLog: observed(log),
      setup: observed(null),
      status: observed(null),
      events: flooded(run)
        ? notObserved('failed', 'The replay stopped reading the output; what became of the container then tells nothing.')
        : observed(eventsOf(run)),
    },
  }
}

/** Whoever reads no further fills the memory of what writes on: how that ends says nothing of a start by MCPProxy. */
const flooded = (run: Run): boolean => run.transcript?.outcome === 'flood'

function serverLogOf(run: Run, isolated: { runtimeType: string; command: string } | null): ServerLog {
  const at = (ms: number): Date => new Date(run.startedAt.getTime() + ms)
  const stderr = (flooded(run) ? [run.reason ?? 'more output than is read'] : stderrLines(run)).map((text, i): LogLine => {
    const time = at(run.times.end)
    return {
      file: replayFile,
      number: i + 1,
      at: time,
      time: time.toISOString(),
      level: 'INFO',
      message: 'stderr',
      fields: { message: text },
      raw: text,
    }
  })
  const works = run.outcome === 'works'
  const attempt: Attempt = {
    startedAt: run.startedAt,
    endedAt: works ? null : at(run.times.end),
    lines: stderr,
    stderr,
    isolated: isolated && { runtimeType: isolated.runtimeType, containerName: run.plan.name ?? '', containerCommand: isolated.command },
    outcome: works ? 'connected' : run.outcome === 'no-answer' || run.outcome === 'protocol-broken' ? 'no-answer' : 'exited',
    error: works ? null : run.reason,
    errorLine: null,
    durationMs: works ? null : run.times.end,
    closedAfterConnect: null,
    connectedAt: works ? at(run.times.tools ?? run.times.end) : null,
    disconnectedAt: null,
  }
  return { files: [replayFile], attempts: [attempt], newest: attempt, failed: works ? null : attempt, complete: true }
}

function eventsOf(run: Run): ContainerEvents {
  const stories = run.container && !flooded(run) ? [run.container.story] : []
  return {
    stories,
    newest: stories[0] ?? null,
    history: { events: stories.flatMap((s) => s.events), stories, full: false, oldest: run.startedAt },
  }
}

/** What it wrote on standard error, blank lines left out; in the middle of a flood a gap. */
export const stderrLines = ({ transcript }: Run): string[] => (transcript ? linesOf(transcript.stderr) : [])
