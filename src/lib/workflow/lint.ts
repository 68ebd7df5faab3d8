/** `lint`: what the text of a configuration alone tells, without MCPProxy, Docker, network or logs. */
import type { Node } from 'jsonc-parser'
import { configOf, configReading, type ConfigReading } from '../evidence/collect-config.ts'
import { makeRedactor, rememberedShapes, secretPlaces, type Redactor } from '../evidence/secrets.ts'
import { partAround } from '../formats/config-part.ts'
import { parseConfig, pointer, valueAt, type ConfigDocument, type ConfigProblem, type ServerEntry } from '../formats/mcp-config.ts'
import type { Version } from '../mcpproxy/versions.ts'
import { citeConfig, citeOffset } from '../rules/cite.ts'
import { serverPath } from '../rules/helpers.ts'
import { rules } from '../rules/index.ts'
import { isTrueOf, type Citation, type Context, type Finding, type Needed, type Rule } from '../rules/rule.ts'
import { redactValue } from './redact.ts'

export interface LintOptions {
  version: Version
  platform: string
  now: Date
  /** Null: all codes. */
  select: ReadonlySet<string> | null
  ignore: ReadonlySet<string>
}

export interface LintedText {
  reading: ConfigReading
  findings: Finding[]
}

export type Place = Extract<Citation, { type: 'config' }>

/** Rules about the text as a whole: each problem of their kind is a finding of its own here. */
const documentRules: Record<string, ConfigProblem['kind']> = {
  'config-syntax': 'syntax',
  'config-shape': 'shape',
  'config-encoding': 'encoding',
  'duplicate-name': 'duplicate-name',
  'duplicate-keys': 'duplicate-key',
}
/** A parser passes over these, and knows what follows. */
const passable = new Set(['comment', 'trailing-comma', 'byte-order-mark', 'utf-16', 'text-after-end'])
/** Why a server does not run, but in a file nothing that anybody must be told to correct. */
const choices = new Set(['server-disabled', 'server-quarantined'])

const lintRules: readonly Rule[] = rules.filter((rule) => rule.lint !== null)
export const lintCodes: readonly string[] = [...lintRules.map((rule) => rule.code), 'config-empty']

export function lintText(file: string, bytes: Buffer, options: LintOptions): LintedText {
  const document = parseConfig(file, bytes)
  const reading = configReading(document, { trackedPath: null, otherPaths: [], mtimeMs: null })
  const wanted = ({ code }: { code: string }): boolean => (options.select?.has(code) ?? true) && !options.ignore.has(code)
  const used = lintRules.filter((rule) => wanted(rule) && isTrueOf(rule.releases, options.version))
  // What stands after a place that no parser can pass over is guesswork, and what is of a wrong type is not absent.
  const broken = document.problems.some((p) => p.kind === 'syntax' && !passable.has(p.what))
  const misshapen = new Set(document.problems.flatMap((p) => (p.what === 'wrong-type' && p.path ? [pointer(p.path)] : [])))
  const found = collect(reading, [
    ...emptyFile(document).filter(wanted),
    ...otherList(document).filter(wanted),
    ...fileFindings(reading, used, options),
    ...(broken
      ? []
      : serverFindings(reading, used, options).filter((f) => !f.cites.some((c) => c.type === 'config' && misshapen.has(c.pointer)))),
  ])
  return { reading, findings: found.sort((a, b) => byPlace(placeOf(a), placeOf(b))) }
}

/** The first place in the file; every finding of lint has one. */
export const placeOf = (finding: Finding): Place | undefined => finding.cites.find((c) => c.type === 'config')

const byPlace = (a: Place | undefined, b: Place | undefined): number =>
  (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0)

function emptyFile(document: ConfigDocument): Finding[] {
  if (document.root !== null || document.problems.length > 0) return []
  const code = 'config-empty'
  return [
    {
      ...{ code, severity: 'error', rank: 'proven', server: null, title: 'The configuration file is empty' },
      ...{ detail: 'MCPProxy takes an empty file as its defaults, which name no server.', facts: {}, ruledOut: [] },
      cites: [citeOffset(document, 0, 1, null)],
      remedies: [{ kind: 'instruction', title: 'Add the servers to mcpServers.' }],
    },
  ]
}

/** Where other programs keep their servers; MCPProxy reads mcpServers only. */
const otherLists = new Set(['servers', 'mcp', 'mcp_servers', 'context_servers'])

function otherList(document: ConfigDocument): Finding[] {
  const { root } = document
  if (root?.type !== 'object' || valueAt(document, ['mcpServers'])) return []
  const key = root.children?.find((p) => otherLists.has(String(p.children?.[0]?.value)) && p.children?.[1]?.children)?.children?.[0]
  if (!key) return []
  const name = String(key.value)
  return [
    {
      ...{ code: 'key-without-effect', severity: 'error', rank: 'proven', server: null, title: `MCPProxy does not read "${name}"` },
      ...{ detail: `Its servers stand in "mcpServers", a list; with this file it has none.`, facts: { keys: [name] }, ruledOut: [] },
      cites: [citeOffset(document, key.offset, key.length, [name])],
      remedies: [{ kind: 'instruction', title: 'Write them as objects with a "name" into the list mcpServers.' }],
    },
  ]
}

// ---- the text as a whole ------------------------------------------------------------

function fileFindings(reading: ConfigReading, used: readonly Rule[], options: LintOptions): Finding[] {
  const { problems } = reading.document
  if (problems.length === 0) return []
  const seen = { config: configOf(reading, null, options.version) }
  const context = contextOf('', options)
  return used.flatMap((rule): Finding[] => {
    const kind = documentRules[rule.code]
    const found = kind === undefined ? null : look(rule, seen, context)
    if (!kind || !found) return []
    const own = problemsOf(problems, kind)
    // A second document after the first is one finding, whatever else is in the file.
    if (own.length === 0 || found.facts['what'] === 'second-document') return [{ ...found, server: null }]
    return own.map((p) => ({
      ...found,
      ...{ server: null, detail: p.message, facts: { what: p.what } },
      cites: [citeOffset(reading.document, p.offset, p.length, p.path)],
    }))
  })
}

/** Of broken JSON only up to the first place that a parser cannot pass over: after it everything looks wrong. */
function problemsOf(problems: readonly ConfigProblem[], kind: ConfigProblem['kind']): ConfigProblem[] {
  const own = problems.filter((p) => p.kind === kind)
  if (kind !== 'syntax') return own
  const within = own.filter((p) => p.what !== 'text-after-end')
  if (within.length === 0) return own.slice(0, 1)
  const first = within.findIndex((p) => !passable.has(p.what))
  return first < 0 ? within : within.slice(0, first + 1)
}

// ---- its servers --------------------------------------------------------------------

function serverFindings(reading: ConfigReading, used: readonly Rule[], options: LintOptions): Finding[] {
  const about = used.filter((rule) => documentRules[rule.code] === undefined)
  const all: Finding[] = []
  for (const server of reading.servers) {
    const seen = { config: configOf(reading, server, options.version) }
    const context = contextOf(server.name, options)
    for (const rule of about) {
      const found = look(rule, seen, context)
      if (!found) continue
      if (choices.has(found.code)) found.severity = 'info'
      all.push(placeOf(found) ? found : { ...found, cites: [citeConfig(seen.config, serverPath(server, 'name')), ...found.cites] })
    }
  }
  return all
}

function look(rule: Rule, seen: Needed<'config'>, context: Context): Finding | null {
  try {
    return rule.lint?.(seen, context) ?? null
  } catch (error) {
    return {
      ...{ code: 'rule-crashed', severity: 'info', rank: 'proven', server: context.server, facts: { rule: rule.code } },
      title: `The rule ${rule.code} crashed; the others went on`,
      detail: error instanceof Error ? error.message : String(error),
      ...{ cites: [], ruledOut: [], remedies: [] },
    }
  }
}

function contextOf(server: string, { now, platform, version }: LintOptions): Context {
  return { server, now, platform, version: { value: version, assumed: false }, recorded: false }
}

// ---- together -----------------------------------------------------------------------

/** One finding for one place, however many servers it concerns; secrets out. */
function collect(reading: ConfigReading, findings: readonly Finding[]): Finding[] {
  const places = new Map<string, Finding>()
  for (const finding of findings) {
    const place = placeOf(finding)
    const key = `${finding.code} ${place?.line ?? 0}:${place?.column ?? 0}`
    const before = places.get(key)
    if (!before) places.set(key, finding)
    else if (before.server !== finding.server) before.server = null
  }
  const redactors = redactorsOf(reading)
  return [...places.values()].map((finding) => redacted(finding, redactors(finding)))
}

function redacted(finding: Finding, redact: Redactor): Finding {
  const { detail, facts, remedies, ruledOut } = finding
  const cites = finding.cites.map((c) => (c.type === 'config' ? { ...c, excerpt: redact(c.excerpt) } : redactValue(c, redact)))
  return { ...finding, cites, ...redactValue({ detail, facts, remedies, ruledOut }, redact) }
}

/** A finding can only tell secrets of the servers that it is about, and those outside of all servers. */
function redactorsOf({ document, servers }: ConfigReading): (finding: Finding) => Redactor {
  const list = valueAt(document, ['mcpServers'])
  const secretsIn = (root: Node | null): string[] => secretPlaces({ root }).map((p) => p.value)
  const shapes = rememberedShapes()
  let outside: string[] | null = null
  const within = new Map<ServerEntry, string[]>()
  const byIndex = new Map(servers.map((s) => [String(s.index), s]))
  const byName = new Map(servers.map((s) => [s.name, s]))
  const ownOf = (server: ServerEntry): string[] => {
    let known = within.get(server)
    if (!known) {
      const entry = valueAt(document, ['mcpServers', server.index])
      const part = entry && partAround(document, entry.offset, entry.length)
      known = secretsIn(part ? part.document.root : entry)
      within.set(server, known)
    }
    return known
  }
  return (finding) => {
    const about = new Set<ServerEntry>()
    const own = finding.server === null ? undefined : byName.get(finding.server)
    if (own) about.add(own)
    for (const cite of finding.cites) {
      const index = cite.type === 'config' ? /^\/mcpServers\/([^/]+)/.exec(cite.pointer)?.[1] : undefined
      const server = index === undefined ? undefined : byIndex.get(index.replaceAll('~1', '/').replaceAll('~0', '~'))
      if (server) about.add(server)
    }
    outside ??= secretsIn(withoutServers(document.root, list))
    return makeRedactor([...outside, ...[...about].flatMap(ownOf)], shapes)
  }
}

const withoutServers = (root: Node | null, list: Node | null): Node | null =>
  root && list ? { ...root, children: (root.children ?? []).filter((property) => property.children?.[1] !== list) } : root
