/** Compares two captures: what support asks first is what changed. */
import { collectServers, collectShared, type Shared } from '../evidence/collect.ts'
import type { Subject } from '../evidence/evidence.ts'
import { plainHome } from '../evidence/redaction.ts'
import { makeRedactor, maskedWords, maskShapes, configSecrets, type Redactor } from '../evidence/secrets.ts'
import { UserError } from '../errors.ts'
import { field } from '../formats/log-line.ts'
import type { DiffGroup, Difference, DiffReport, DiffSide } from '../report/diff-report.ts'
import type { ServerReport } from '../report/report.ts'
import type { System } from '../system/system.ts'
import { check } from './check.ts'
import { configFacts, tilde, type Facts } from './config-facts.ts'

/** One thing that a capture says. */
interface Fact {
  group: DiffGroup
  what: string
  /** Holds secrets, if the capture does. */
  raw: string
  side: DiffSide
}

interface Snapshot {
  capture: string
  recordedAt: string
  redacted: boolean
  /** Names of users and hosts, and whose home it is, may have been taken out too. */
  unnamed: boolean
  /** By server; `''`: what concerns none. */
  facts: Map<string, Fact[]>
  /** What is not in the capture, by server and group, and why. */
  unknown: Map<string, string>
  servers: string[]
  /** Null: the configuration cannot be read. */
  configured: string[] | null
}

export async function diffCaptures(
  before: System,
  after: System,
  options: { servers: readonly string[]; timeoutMs: number },
): Promise<DiffReport> {
  const [a, b] = [await snapshot(before, options.timeoutMs), await snapshot(after, options.timeoutMs)]
  const known = [...new Set([...a.servers, ...b.servers])]
  for (const name of options.servers)
    if (!known.includes(name)) throw new UserError(`Neither capture has a server ${name}.`, [`They have: ${known.join(', ') || 'none'}.`])
  const wanted = options.servers.length > 0 ? options.servers : known
  const head = ({ capture, recordedAt, redacted }: Snapshot): DiffReport['before'] => ({ capture, recordedAt, redacted })
  return {
    schemaVersion: 1,
    before: head(a),
    after: head(b),
    general: differences('', a, b),
    servers: wanted.map((server) => ({ server, differences: ofServer(server, a, b) })).filter((s) => s.differences.length > 0),
  }
}

// ---- what a capture says ------------------------------------------------------------

async function snapshot(system: System, timeoutMs: number): Promise<Snapshot> {
  const shared = await collectShared(system, Date.now() + timeoutMs)
  const document = shared.config.ok ? shared.config.value.document : null
  const configured = shared.config.ok ? shared.config.value.servers.map((s) => s.name).filter((n) => n !== '') : []
  const recorded = system.recording?.servers ?? configured
  const { subjects, redact: struck } = await collectServers(shared, recorded)
  const report = await check(system, {
    servers: [...recorded],
    all: recorded.length === 0,
    timeoutMs,
    replay: { allow: new Set(), budgetMs: 0, env: {} },
  })
  const { home } = shared.locations
  const strike = document ? makeRedactor(configSecrets(document)) : (text: string): string => text
  const redact: Redactor = (text) => tilde(maskShapes(strike(struck(text))), home)
  const facts = new Map<string, Fact[]>()
  const unknown = new Map<string, string>()
  const about = (server: string, source: Facts): void => {
    for (const { what, group, value, place = null } of source.facts) {
      if (value === null) continue
      const fact: Fact = { group, what, raw: tilde(value, home), side: { value: redact(source.shown?.(what) ?? value), place } }
      facts.set(server, [...(facts.get(server) ?? []), fact])
    }
    for (const [group, why] of Object.entries(source.unknown)) unknown.set(`${server}\0${group}`, why)
  }
  about('', generalFacts(shared, report.mcpproxy.version))
  if (!shared.config.ok) about('', { facts: [], unknown: { configuration: shared.config.error.message } })
  else {
    about('', configFacts(shared.config.value.document, [], home))
    for (const { name, index } of shared.config.value.servers)
      if (name !== '') about(name, configFacts(shared.config.value.document, ['mcpServers', index], home))
  }
  for (const subject of subjects) {
    about(subject.server, subjectFacts(subject))
    about(subject.server, findingFacts(report.servers.find((s) => s.server === subject.server)))
  }
  // The configuration names servers that the rest of the capture is not about.
  for (const server of configured.filter((name) => !recorded.includes(name)))
    for (const group of ['arguments', 'image', 'status', 'findings'])
      unknown.set(`${server}\0${group}`, `It was not recorded about ${server}.`)
  const texts = [...facts.values()].flat().map((f) => f.raw)
  return {
    capture: system.recording?.path ?? 'this machine',
    recordedAt: system.recording?.recordedAt ?? system.now().toISOString(),
    redacted: texts.some((t) => token.test(t)),
    unnamed: home === plainHome(home),
    facts,
    unknown,
    servers: [...new Set([...configured, ...recorded])],
    configured: shared.config.ok && shared.config.value.document.root !== null ? configured : null,
  }
}

const token = /(?:SECRET|VALUE)_[0-9a-f]{12}/

function generalFacts({ engine: { engine }, environment, system }: Shared, version: string | null): Facts {
  const value = engine.ok ? engine.value : null
  const up = value?.reachable.yes === true ? value.reachable : null
  const docker = environment.ok ? environment.value.programs['docker'] : undefined
  const fact = (what: string, text: string | null | undefined): Facts['facts'][number] => ({
    group: 'versions',
    what,
    value: text ?? null,
  })
  return {
    facts: [
      fact('MCPProxy', version),
      fact('engine', up?.version),
      fact('API of the engine', up?.apiVersion),
      fact('engine answers', value && (value.reachable.yes ? 'yes' : 'no')),
      fact('address of the engine', value?.endpoint.host),
      fact('docker command', docker),
      fact('platform', system.platform),
    ],
    unknown: {
      ...(version === null ? { versions: 'The version of MCPProxy is not known.' } : {}),
      ...(engine.ok ? {} : { versions: engine.error.message }),
    },
  }
}

function subjectFacts({ evidence }: Subject): Facts {
  const { setup, image, containers, status, serverLog } = evidence
  const facts: Facts['facts'] = []
  const unknown: Facts['unknown'] = {}
  const shown = new Map<string, string>()
  const add = (group: DiffGroup, what: string, value: unknown): void =>
    void (
      value === null ||
      value === undefined ||
      facts.push({ group, what, value: typeof value === 'string' ? value : JSON.stringify(value) })
    )
  if (!setup.ok) unknown.arguments = setup.error.message
  else if (setup.value) {
    const { run, containerCommand, containerArgs } = setup.value
    const counted = new Map<string, string[]>()
    for (const { name, value } of run.flags) {
      // MCPProxy makes these anew for each start.
      if (name === 'name' || name === 'cidfile' || (name === 'label' && /^com\.mcpproxy\./.test(value ?? ''))) continue
      const pair = name === 'env' ? /^([^=]+)=([^]*)$/.exec(value ?? '') : null
      const key = pair ? `-e ${pair[1] ?? ''}` : `--${name}`
      counted.set(key, [...(counted.get(key) ?? []), pair?.[2] ?? value ?? ''])
    }
    for (const [key, values] of counted) {
      add('arguments', key, values.join(' '))
      if (!key.startsWith('-e ')) shown.set(key, values.map((value) => maskedWords([key, value])[1]).join(' '))
    }
    add('arguments', 'IMAGE', run.image)
    const command = [containerCommand, ...containerArgs]
    add('arguments', 'COMMAND', command)
    // What follows `--password` is a secret by its place, which no text tells.
    shown.set('COMMAND', JSON.stringify(maskedWords(command)))
  }
  if (!image.ok) unknown.image = image.error.message
  else if (image.value) {
    add('image', 'reference', image.value.reference)
    add('image', 'id', image.value.inspect?.id ?? 'the engine does not have it')
    add('image', 'built', image.value.inspect?.created)
    add('image', 'digests', image.value.inspect && [...image.value.inspect.repoDigests].sort().join(' '))
  }
  if (containers.ok) add('status', 'containers', statesOf(containers.value.filter((c) => c.relation !== 'other').map((c) => c.state)))
  else unknown.status = containers.error.message
  if (serverLog.ok) {
    add('status', 'newest attempt', serverLog.value.newest?.outcome)
    add('status', 'error of the newest attempt', serverLog.value.newest?.error?.split('\n')[0])
    const words = serverLog.value.failed?.stderr.at(-1)
    add('status', 'last words of the newest failure', words && field(words, 'message'))
  } else unknown.status = serverLog.error.message
  const said = status.ok ? status.value?.server : null
  if (!status.ok) unknown.status = status.error.message
  if (said) {
    for (const key of ['connected', 'enabled', 'quarantined', 'toolCount', 'errorCode'] as const)
      add('status', `MCPProxy says ${key}`, said[key])
  }
  return { facts, unknown, shown: (what) => shown.get(what) ?? null }
}

function statesOf(states: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1)
  return (
    [...counts]
      .map(([state, n]) => `${n} ${state}`)
      .sort()
      .join(', ') || 'none'
  )
}

function findingFacts(report: ServerReport | undefined): Facts {
  if (!report) return { facts: [], unknown: { findings: 'It was not looked at.' } }
  const facts = report.findings.map((f): Facts['facts'][number] => ({
    group: 'findings',
    what: f.code,
    value: `${f.severity}, ${f.rank}: ${f.title}`,
  }))
  return { facts: [{ group: 'findings', what: 'verdict', value: report.verdict }, ...facts], unknown: {} }
}

// ---- the comparison -----------------------------------------------------------------

/** One that is configured in one of them only differs in that, and all else follows. */
function ofServer(server: string, a: Snapshot, b: Snapshot): Difference[] {
  const [was, is] = [a.configured?.includes(server), b.configured?.includes(server)]
  if (was === undefined || is === undefined || was === is) return differences(server, a, b)
  const side = (there: boolean): DiffSide => ({ value: there ? 'configured' : null, place: null })
  return [{ group: 'server', what: 'server', kind: is ? 'added' : 'removed', before: side(was), after: side(is), why: null }]
}

function differences(server: string, a: Snapshot, b: Snapshot): Difference[] {
  const key = (f: Fact): string => `${f.group}\0${f.what}`
  const [before, after] = [a, b].map((s) => new Map((s.facts.get(server) ?? []).map((f) => [key(f), f])))
  const found: Difference[] = []
  const nothing: DiffSide = { value: null, place: null }
  for (const name of new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])) {
    const [was, is] = [before?.get(name), after?.get(name)]
    const { group, what } = was ?? is ?? { group: 'status', what: '' }
    const sides = { group, what, before: was?.side ?? nothing, after: is?.side ?? nothing, why: null }
    if (was && is) {
      if (was.raw !== is.raw) found.push({ ...sides, kind: mayBeSame(was.raw, is.raw, a.unnamed, b.unnamed) ? 'masked' : 'changed' })
      continue
    }
    const why = (was ? b : a).unknown.get(`${server}\0${group}`)
    if (why !== undefined) found.push({ ...sides, kind: 'unknown', why })
    else found.push({ ...sides, kind: was ? 'removed' : 'added' })
  }
  for (const group of ['versions', 'configuration', 'arguments', 'image', 'status', 'findings'] as const) {
    if (found.some((d) => d.group === group && d.kind === 'unknown')) continue
    const [was, is] = [a, b].map((side) => side.unknown.get(`${server}\0${group}`))
    const why = [...new Set([was, is])].filter((w) => w !== undefined).join(' ')
    if (why !== '')
      found.push({
        group,
        what: group,
        kind: was === undefined || is === undefined ? 'unknown' : 'neither',
        before: nothing,
        after: nothing,
        why,
      })
  }
  return found
}

/** Two texts that differ only where something was taken out of one: the same secret has another token in the next bundle. */
export function mayBeSame(before: string, after: string, beforeUnnamed: boolean, afterUnnamed: boolean): boolean {
  const [a, b] = beforeUnnamed || afterUnnamed ? [anyHome(before), anyHome(after)] : [before, after]
  return matches(a, b, beforeUnnamed) || matches(b, a, afterUnnamed) || skeleton(a, beforeUnnamed) === skeleton(b, afterUnnamed)
}

/** Of the homes of others only the name is taken out: where it is not known whose a home is, all are alike. */
const anyHome = (text: string): string => text.replace(/(?:\/home|\/Users|[A-Za-z]:\\{1,2}Users)(?:\/|\\{1,2})[\w.-]+(?=[/\\])/g, '~')

const masks = /(?:SECRET|VALUE)_[0-9a-f]{12}|\*{3,}|•{4}/g
/** Names of users and hosts have no token: they become these words. Alone, they are words of docker's, as in `--network host`. */
const names = /\b(?:user|host(?!\.docker|-gateway))\b/g
const wholeWord = /^"?(?:user|host)"?$/

const skeleton = (text: string, redacted: boolean): string => {
  const bare = text.replace(masks, '\0')
  return redacted && !wholeWord.test(bare) ? bare.replace(names, '\0') : bare
}

function matches(masked: string, other: string, redacted: boolean): boolean {
  const parts = skeleton(masked, redacted).split('\0')
  if (parts.length === 1) return false
  // In order, each after the one before: what a pattern with a wildcard for each mask would do, without its cost.
  const [first = '', ...rest] = parts
  const last = rest.pop() ?? ''
  if (!other.startsWith(first) || !other.endsWith(last) || other.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const next = other.indexOf(part, at)
    if (next < 0) return false
    at = next + part.length
  }
  return at <= other.length - last.length
}
