/** A rule: a pure function from evidence to at most one finding. One file each, named like its code. */
import type { ConfigEvidence, Evidence, ObservedEvidence, Source, SourceError, Subject } from '../evidence/evidence.ts'
import { compareVersions, firstRelease, newestKnown, since, type Milestone, type Version } from '../mcpproxy/versions.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { isConnected } from './connected.ts'

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

/** The releases of MCPProxy of which it is true: from `since` on, and none from `before` on. Known up to the newest that was looked at. */
export interface Releases {
  since?: Milestone
  before?: Milestone
}

export interface Rule {
  code: string
  /** Null: it is no matter of the release. */
  releases: Releases | null
  /** A symptom is reported only when no cause is found. */
  symptom: boolean
  severity: Severity
  title: string
  needs: readonly Source[]
  uses: readonly Source[]
  run(subject: Subject): Outcome
  /** What the configuration alone tells, for `lint`, of a release of which the rule is true; null: this cause does not show there. */
  lint: ((seen: Needed<'config'>, context: Context) => Finding | null) | null
}

/**
 * When a rule has anything to say. `failed`: the newest attempt to start the server failed, so that there is something to explain.
 * `not-connected`: it failed, or was never made, so that what the configuration leads to is of interest.
 */
export type Occasion = 'failed' | 'not-connected'

interface RuleDefinition<N extends Source, U extends Source> {
  code: string
  severity: Severity
  title: string
  symptom?: boolean
  /** Of another release it says nothing; of an unknown one it is less sure, unless a trace proves it. */
  releases?: Releases
  /** On other occasions it is clear, unless a source that it needs could not be looked at; without the log it has to look. Absent: always. */
  only?: Occasion
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
  const { code, severity, title, only, needs, detect, hint } = definition
  const uses = definition.uses ?? []
  const releases = definition.releases ?? null
  const run = (subject: Subject): Outcome => {
    if (!isTrueOf(releases, subject.version.value)) return { type: 'clear' }
    const needed: Partial<Record<Source, unknown>> = {}
    const look = (source: Source): ObservedEvidence[Source] => {
      const later = source === 'engine' || source === 'image' || source === 'environment' ? subject.later?.[source] : undefined
      return later ? ({ ok: true, value: later } as ObservedEvidence[Source]) : subject.evidence[source]
    }
    for (const source of needs) {
      const seen = look(source)
      if (!seen.ok) return { type: 'undetermined', code, source, error: seen.error }
      needed[source] = seen.value
    }
    if (!isOccasion(only, subject)) return { type: 'clear' }
    const used: Partial<Record<Source, unknown>> = {}
    for (const source of uses) {
      const seen = look(source)
      used[source] = seen.ok ? seen.value : undefined
    }
    const { server, now, platform, version, recorded } = subject
    const detection = detect(needed as Needed<N>, used as Used<U>, { server, now, platform, version, recorded })
    if (!detection) return { type: 'clear' }
    const finding = toFinding(definition, detection, server)
    return { type: 'found', finding: releases && !detection.proof ? lessSure(finding, releases, version) : finding }
  }
  // Every source that may be used is `undefined`, which a missing property is too.
  const unseen = {} as Used<U>
  const lint = (seen: Needed<'config'>, context: Context): Finding | null => {
    const detection = alone ? detect(seen as unknown as Needed<N>, unseen, context) : null
    if (detection) return toFinding(definition, detection, context.server)
    const suspected = hint?.(seen.config, context)
    return suspected ? toFinding(definition, { severity: 'warning', ...suspected, rank: 'suspected' }, context.server) : null
  }
  const alone = needs.every((source) => source === 'config')
  return { code, severity, title, releases, needs, uses, symptom: definition.symptom ?? false, run, lint: alone || hint ? lint : null }
}

function isOccasion(only: Occasion | undefined, { evidence: { serverLog, status } }: Subject): boolean {
  if (only === 'failed') return !serverLog.ok || serverLog.value.failed !== null
  return only === undefined || !isConnected(serverLog.ok ? serverLog.value : undefined, status.ok ? status.value : undefined)
}

export const isTrueOf = (releases: Releases | null, version: Version): boolean =>
  (releases?.since === undefined || since(version, releases.since)) && (releases?.before === undefined || !since(version, releases.before))

/** What is known of certain releases, said of one that nobody knows, or that is newer than all that were looked at. */
function lessSure(finding: Finding, { since: from, before }: Releases, { value, assumed }: Subject['version']): Finding {
  const newer = compareVersions(value, newestKnown) > 0
  if (!assumed && !newer) return finding
  const range = from ? `since ${firstRelease(from)}` : before ? `before ${firstRelease(before)}` : `up to ${newestKnown.text}`
  const why = assumed
    ? `Which MCPProxy runs is not known; ${value.text} is assumed, and this is so ${range}.`
    : `MCPProxy ${value.text} is newer than ${newestKnown.text}, the last of which this is known (${range}).`
  return { ...finding, rank: finding.rank === 'proven' ? 'supported' : 'suspected', detail: `${finding.detail}\n${why}` }
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
