/** The seven steps of the debugging workflow, as lines of a report. */
import type { Subject } from '../evidence/evidence.ts'
import { tellStory } from '../formats/engine-events.ts'
import { isUsageHint } from '../formats/docker-error.ts'
import { field } from '../formats/log-line.ts'
import { flagsNamed } from '../formats/docker-run.ts'
import { dockerFailure, effectiveRun } from '../rules/helpers.ts'
import type { Step } from '../report/report.ts'
import type { Finding } from '../rules/rule.ts'

export function stepsOf(subject: Subject, findings: readonly Finding[]): Step[] {
  const e = subject.evidence
  const config = e.config.ok ? e.config.value : undefined
  const cause = findings.find((f) => f.severity === 'error')
  const decision = config?.decision
  const isolation: Step = decision
    ? {
        step: 'isolation',
        outcome: decision.runs === 'docker' ? 'ok' : 'not-applicable',
        summary: `${decision.runs === 'docker' ? 'isolated' : decision.runs === 'own-docker' ? 'not wrapped' : 'not isolated'}: ${decision.because}`,
      }
    : {
        step: 'isolation',
        outcome: 'unknown',
        summary: e.config.ok ? 'the file has no such server that could be read' : e.config.error.message,
      }
  const run = effectiveRun(config, e.setup.ok ? e.setup.value : undefined)
  return [
    isolation,
    containerStep(subject),
    logStep(subject),
    {
      step: 'args',
      outcome: run
        ? cause?.cites.some((c) => c.type === 'config' && /\/args\/|extra_args/.test(c.pointer))
          ? 'problem'
          : 'ok'
        : 'not-applicable',
      summary: run
        ? `${run.run.image ?? 'no image'}, ${counted(flagsNamed(run.run, 'env').length, 'variable')}, ${counted(run.run.mounts.length, 'mount')}${run.logged ? ' (from the log)' : ' (from the configuration)'}`
        : 'no docker command',
    },
    { step: 'replay', outcome: 'not-run', summary: 'not run' },
    fixStep(cause),
    { step: 'reload', outcome: 'not-run', summary: cause && cause.remedies.length > 0 ? 'after the fix' : 'not run' },
  ]
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

function fixStep(cause: Finding | undefined): Step {
  const remedies = cause?.remedies ?? []
  const edits = remedies.filter((r) => r.kind === 'config-edit')
  const safe = edits.filter((r) => r.class === 'safe')
  const [other] = edits.filter((r) => r.class !== 'safe')
  const proposed = (summary: string): Step => ({ step: 'fix', outcome: 'proposed', summary })
  if (safe.length > 0) return proposed(safe.length === 1 ? 'one safe change' : `${safe.length} safe changes`)
  if (other) return proposed(`a change that weakens something (--allow ${other.class})`)
  if (remedies.some((r) => r.kind === 'reload')) return proposed('a restart')
  if (remedies.length > 0) return proposed('a hand is needed: see below')
  return { step: 'fix', outcome: 'not-run', summary: cause ? 'no remedy is known' : 'not run' }
}

function containerStep({ evidence: e }: Subject): Step {
  const running = e.containers.ok ? e.containers.value.filter((c) => c.relation !== 'other' && c.state === 'running') : []
  if (running[0])
    return { step: 'container', outcome: 'ok', summary: `${running[0].names[0] ?? running[0].id.slice(0, 12)}: ${running[0].status}` }
  if (!e.events.ok) return { step: 'container', outcome: 'unknown', summary: e.events.error.message }
  const s = e.events.value.newest
  if (s) return { step: 'container', outcome: 'problem', summary: tellStory(s) }
  // The engine that answers here and now knows nothing of a start that never reached it.
  const lost = dockerFailure(e.serverLog.ok ? e.serverLog.value : undefined, 'cannot-connect')
  if (lost)
    return {
      step: 'container',
      outcome: 'unknown',
      summary: `none now; docker reached no engine${lost.subject ? ` at ${lost.subject}` : ''} for the newest attempt, so the engine that was asked here cannot tell of it`,
    }
  return {
    step: 'container',
    outcome: 'not-applicable',
    summary: e.events.value.history.full
      ? 'none now; the engine keeps only 256 events, older ones are gone'
      : 'none now, and the engine never heard of one for the newest attempt',
  }
}

function logStep({ evidence: e }: Subject): Step {
  if (!e.serverLog.ok) return { step: 'logs', outcome: 'unknown', summary: e.serverLog.error.message }
  const log = e.serverLog.value
  if (log.files.length === 0) return { step: 'logs', outcome: 'unknown', summary: 'no log of this server' }
  const failed = log.failed
  if (!failed)
    return {
      step: 'logs',
      outcome: log.newest?.outcome === 'connected' ? 'ok' : 'unknown',
      summary: log.newest?.outcome === 'connected' ? 'connected' : 'an attempt is under way',
    }
  const last = failed.stderr.findLast((l) => {
    const text = (field(l, 'message') ?? '').trim()
    return text !== '' && !isUsageHint(text)
  })
  return {
    step: 'logs',
    outcome: 'problem',
    summary: `${log.attempts.filter((a) => a.outcome !== 'connected' && a.outcome !== 'pending').length} failed attempts; ${failed.outcome === 'no-answer' ? 'no answer in time' : failed.outcome === 'refused' ? 'not started' : 'ended before the handshake'}${last ? `: ${String(last.fields['message']).slice(0, 120)}` : ', without a word'}`,
  }
}
