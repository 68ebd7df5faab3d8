/**
 * A-B-A: run it as configured, run it with one change, run it as configured again. Only when the change heals it and its
 * absence breaks it again is the change proven; when the world changed meanwhile, nothing is.
 */
import type { EditClass } from '../remedies/remedy.ts'
import { sameFailure, type Signature } from './signature.ts'

/** What one start came to. */
export type TrialOutcome =
  | { result: 'works'; tools: number; ms: number }
  | { result: 'fails'; signature: Signature; ms: number }
  /** Somebody else ended it: says nothing about the server. */
  | { result: 'disturbed'; by: string; ms: number }
  /** It could not be started at all, for a reason of ours or of the machine; `begun`: it was, and said nothing before it was ended. */
  | { result: 'not-run'; why: string; begun?: boolean }

/** A change that may heal, taken from a remedy. */
export interface Candidate<Spec> {
  /** The finding, and which of its remedies. */
  code: string
  remedy: number
  title: string
  class: EditClass
  /** Null: the remedy does not change what is started, or cannot be tried; `why` says so. */
  spec: Spec | null
  why?: string
}

export interface Trial {
  /** `as configured`, or the title of the change. */
  what: string
  change: { code: string; remedy: number } | null
  outcome: TrialOutcome
}

export interface Untried {
  code: string
  title: string
  /** The flag that would allow it; null: something else is missing. */
  needs: EditClass | null
  why: string
}

export interface Experiment {
  /**
   * `proven`: one change heals it, and without it it fails again. `works`: it works as configured now. `fails-differently`:
   * not with the recorded failure. `unhealed`: fails as recorded, and no change that was tried helps. `world-changed`: worked
   * as configured the second time. `not-confirmed`: a change healed it, and it could not be run as configured again.
   * `not-run`: nothing could be started, or no start came to an end that says anything.
   */
  conclusion: 'proven' | 'works' | 'fails-differently' | 'unhealed' | 'world-changed' | 'not-confirmed' | 'not-run'
  trials: Trial[]
  /** The changes that heal it together; one, or a chain of two. */
  proven: { code: string; remedy: number; title: string }[]
  /** Changes with which it failed just as before. */
  refuted: { code: string; remedy: number; title: string }[]
  untried: Untried[]
  /** Why nothing could be run, or why it stopped early; null otherwise. */
  stopped: string | null
}

export interface ExperimentOptions<Spec> {
  baseline: Spec
  candidates: readonly Candidate<Spec>[]
  /** The failure that MCPProxy saw; null: none is known, any failure will do. */
  recorded: Signature | null
  allow: ReadonlySet<EditClass>
  run: (spec: Spec, what: string) => Promise<TrialOutcome>
  /** Joins two changes; null where they do not go together. */
  combine: (first: Candidate<Spec>, second: Candidate<Spec>) => Spec | null
  /** Starts in all. */
  starts: number
  /** Milliseconds of the clock that `now` reads. */
  deadline: number
  now: () => number
  /** A signal asked for the end: no start begins any more. */
  interrupted?: () => boolean
}

const gentlest: EditClass[] = ['safe', 'limits', 'mounts', 'network', 'unisolated']
const repeats = 3

export async function experiment<Spec>(options: ExperimentOptions<Spec>): Promise<Experiment> {
  const { baseline, recorded, allow } = options
  const result: Experiment = { conclusion: 'unhealed', trials: [], proven: [], refuted: [], untried: [], stopped: null }
  let starts = 0
  const interrupted = (): boolean => options.interrupted?.() === true
  const spent = (): string => (interrupted() ? 'it was interrupted' : 'the budget of starts or time was used up')
  /** Null: the budget is used up. A start that somebody else ended is repeated and not counted as an answer. */
  const trial = async (spec: Spec, what: string, change: Trial['change']): Promise<TrialOutcome | null> => {
    for (let i = 0; i < repeats; i++) {
      if (interrupted() || starts >= options.starts || options.now() >= options.deadline) return null
      starts++
      const outcome = await options.run(spec, what)
      result.trials.push({ what, change, outcome })
      if (outcome.result !== 'disturbed') return outcome
    }
    return { result: 'not-run', why: 'it was ended from outside each time', begun: true }
  }
  const asConfigured = 'as configured'

  const first = await trial(baseline, asConfigured, null)
  if (first === null) return { ...result, conclusion: 'not-run', stopped: interrupted() ? spent() : 'there was no time for a start' }
  if (first.result === 'not-run') return { ...result, conclusion: 'not-run', stopped: first.why }
  if (first.result === 'works') return { ...result, conclusion: 'works' }
  if (first.result === 'disturbed') return { ...result, conclusion: 'not-run', stopped: first.by }
  if (recorded && !sameFailure(recorded, first.signature)) return { ...result, conclusion: 'fails-differently' }

  /** The second A: does it fail again without the change? */
  const confirm = async (changes: readonly Candidate<Spec>[]): Promise<Experiment | null> => {
    const again = await trial(baseline, asConfigured, null)
    if (again === null)
      return {
        ...result,
        conclusion: 'not-confirmed',
        stopped: interrupted() ? spent() : 'the budget was used up before it was run as configured again',
      }
    if (again.result === 'works') return { ...result, conclusion: 'world-changed' }
    if (again.result === 'fails' && sameFailure(first.signature, again.signature)) {
      return { ...result, conclusion: 'proven', proven: changes.map(({ code, remedy, title }) => ({ code, remedy, title })) }
    }
    return {
      ...result,
      conclusion: 'world-changed',
      stopped: again.result === 'not-run' ? again.why : 'the second time it failed in another way',
    }
  }

  const furthered: Candidate<Spec>[] = []
  const usable: Candidate<Spec>[] = []
  for (const candidate of [...options.candidates].sort((a, b) => gentlest.indexOf(a.class) - gentlest.indexOf(b.class))) {
    const { code, title } = candidate
    if (candidate.class !== 'safe' && !allow.has(candidate.class)) {
      result.untried.push({ code, title, needs: candidate.class, why: `it loosens something; --allow ${candidate.class} lets it be tried` })
      continue
    }
    if (candidate.spec === null) {
      result.untried.push({ code, title, needs: null, why: candidate.why ?? 'it changes nothing that a replay starts' })
      continue
    }
    const outcome = await trial(candidate.spec, title, { code, remedy: candidate.remedy })
    if (outcome === null) {
      result.untried.push({ code, title, needs: null, why: spent() })
      continue
    }
    if (outcome.result === 'works') {
      const confirmed = await confirm([candidate])
      if (confirmed) return confirmed
    } else if (outcome.result === 'fails') {
      usable.push(candidate)
      if (sameFailure(first.signature, outcome.signature)) result.refuted.push({ code, remedy: candidate.remedy, title })
      else furthered.push(candidate)
    } else result.untried.push({ code, title, needs: null, why: outcome.result === 'not-run' ? outcome.why : outcome.by })
  }

  // No single change helps. One that changed the failure may have uncovered the next one.
  for (const head of furthered) {
    for (const next of usable) {
      if (next === head) continue
      const spec = options.combine(head, next)
      if (spec === null) continue
      const title = `${head.title}; ${next.title}`
      const outcome = await trial(spec, title, { code: next.code, remedy: next.remedy })
      if (outcome === null) return { ...result, stopped: spent() }
      if (outcome.result === 'works') {
        const confirmed = await confirm([head, next])
        if (confirmed) return confirmed
      }
    }
  }
  return interrupted() ? { ...result, stopped: spent() } : result
}
