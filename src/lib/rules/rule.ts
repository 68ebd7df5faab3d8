/** A rule: a pure function from evidence to at most one finding. One file each, named like its code. */
import type { ConfigEvidence, Evidence, Source, SourceError, Subject } from '../evidence/evidence.ts'
import type { Remedy } from '../remedies/remedy.ts'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type Severity = 'error' | 'warning' | 'info'
/**
 * `proven`: an event signature or a chain that nothing else produces. `supported`: two
 * independent observations agree. `suspected`: one text.
 */
export type Rank = 'proven' | 'supported' | 'suspected'

/** Where an observation stands. Renderers print it, programs read it. */
export type Citation =
  | {
      type: 'config'
      file: string
      /** JSON pointer, e.g. `/mcpServers/0/args/1`; empty for a place in broken JSON. */
      pointer: string
      line: number
      column: number
      /** Length of the culprit in the line, in characters. */
      length: number
      /** Where it ends in the file, when that is not `length` characters further in the same line: masked, or of several lines. */
      end?: { line: number; column: number }
      /** The line itself, secrets masked; of a very long one the part around the culprit. */
      excerpt: string
      /** Where the culprit stands in the excerpt, when masking or cutting moved it. */
      excerptColumn?: number
    }
  | { type: 'log'; file: string; line: number | null; at: string | null; text: string }
  | { type: 'event'; at: string; container: string; text: string }
  | { type: 'api'; endpoint: string; field: string; text: string }
  | { type: 'engine'; what: string; text: string }
  | { type: 'host'; path: string; text: string }
  /** What it did when it was run again; `run` says how. */
  | { type: 'replay'; run: string; text: string }

export interface Finding {
  code: string
  severity: Severity
  rank: Rank
  server: string | null
  /** Of a cause that several servers share and that is told once: these servers. */
  affects?: string[]
  title: string
  detail: string
  facts: Record<string, Json>
  cites: Citation[]
  ruledOut: string[]
  remedies: Remedy[]
}

export type Outcome =
  { type: 'clear' } | { type: 'found'; finding: Finding } | { type: 'undetermined'; code: string; source: Source; error: SourceError }

/** What a rule gets to see: what it declared, and a few facts about the case as a whole. */
export type Needed<N extends Source> = { [S in N]: Evidence[S] }
export type Used<U extends Source> = { [S in U]: Evidence[S] | undefined }
export type Context = Pick<Subject, 'server' | 'now' | 'platform' | 'version' | 'recorded'>

/**
 * What a rule found. `observations` are the independent sources that agree: one makes the
 * finding suspected, two supported; `proof` says why nothing else produces this.
 */
export interface Detection {
  facts: Record<string, Json>
  observations: Source[]
  proof?: string
  /** The rule's own judgement where counting sources would be wrong. */
  rank?: Rank
  severity?: Severity
  cites: Citation[]
  ruledOut?: string[]
  title?: string
  detail: string
  remedies?: Remedy[]
}

export interface Rule {
  code: string
  /** A symptom is reported only when no cause is found. */
  symptom: boolean
  severity: Severity
  title: string
  needs: readonly Source[]
  uses: readonly Source[]
  run(subject: Subject): Outcome
  /** What the configuration alone tells, for `lint`; null: this cause does not show there. */
  lint: ((config: ConfigEvidence, context: Context) => Finding | null) | null
}

interface RuleDefinition<N extends Source, U extends Source> {
  code: string
  severity: Severity
  title: string
  symptom?: boolean
  /** Without these the outcome is undetermined. */
  needs: readonly N[]
  /** Each that agrees lifts the rank; `undefined` where it could not be looked at. */
  uses?: readonly U[]
  detect(this: void, needed: Needed<N>, used: Used<U>, context: Context): Detection | null
  /** Of a rule that cannot settle anything with the configuration alone: what lets one suspect it there. */
  hint?(this: void, config: ConfigEvidence, context: Context): Detection | null
}

/** Types flow from `needs` and `uses` to the parameters of `detect`: a rule sees only what it declared. */
export function defineRule<const N extends Source, const U extends Source = never>(definition: RuleDefinition<N, U>): Rule {
  const { code, severity, title, needs, detect, hint } = definition
  const uses = definition.uses ?? []
  const run = (subject: Subject): Outcome => {
    const needed: Partial<Record<Source, unknown>> = {}
    for (const source of needs) {
      const seen = subject.evidence[source]
      if (!seen.ok) return { type: 'undetermined', code, source, error: seen.error }
      needed[source] = seen.value
    }
    const used: Partial<Record<Source, unknown>> = {}
    for (const source of uses) {
      const seen = subject.evidence[source]
      used[source] = seen.ok ? seen.value : undefined
    }
    const { server, now, platform, version, recorded } = subject
    const detection = detect(needed as Needed<N>, used as Used<U>, { server, now, platform, version, recorded })
    return detection ? { type: 'found', finding: toFinding(definition, detection, server) } : { type: 'clear' }
  }
  // Every source that may be used is `undefined`, which a missing property is too.
  const unseen = {} as Used<U>
  const lint = (config: ConfigEvidence, context: Context): Finding | null => {
    const detection = alone ? detect({ config } as unknown as Needed<N>, unseen, context) : null
    if (detection) return toFinding(definition, detection, context.server)
    const suspected = hint?.(config, context)
    return suspected ? toFinding(definition, { severity: 'warning', ...suspected, rank: 'suspected' }, context.server) : null
  }
  const alone = needs.every((source) => source === 'config')
  return { code, severity, title, needs, uses, symptom: definition.symptom ?? false, run, lint: alone || hint ? lint : null }
}

function toFinding(rule: { code: string; severity: Severity; title: string }, d: Detection, server: string): Finding {
  const rank = d.rank ?? (d.proof ? 'proven' : new Set(d.observations).size >= 2 ? 'supported' : 'suspected')
  return {
    code: rule.code,
    severity: d.severity ?? rule.severity,
    rank,
    server,
    title: d.title ?? rule.title,
    detail: d.proof ? `${d.detail}\n${d.proof}` : d.detail,
    facts: d.facts,
    cites: d.cites,
    ruledOut: d.ruledOut ?? [],
    // A text alone is never enough to change something; a fact of the configuration is.
    remedies: (d.remedies ?? []).filter((r) => r.kind !== 'config-edit' || rank !== 'suspected' || d.observations.includes('config')),
  }
}
