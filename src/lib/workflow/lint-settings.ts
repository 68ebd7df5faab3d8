/**
 * `.mcpproxy-doctor.json` (schemas/settings.schema.json): what lint is told to pass over, with reasons, and where the pages are.
 * Baselines of what was there before.
 */
import { suggestNames, UserError } from '../errors.ts'
import type { ServerEntry } from '../formats/mcp-config.ts'
import { pagesAt } from '../report/results.ts'
import type { Finding } from '../rules/rule.ts'
import { placeOf } from './lint.ts'

export const settingsName = '.mcpproxy-doctor.json'

export interface Settings {
  ignores: Ignore[]
  /** Where the pages of the codes are; null: nothing is said of it. */
  helpUriBase: string | null
}

export interface Ignore {
  code: string
  /** Null: of every server. */
  server: string | null
  /** JSON pointer of the place, or of something around it, servers by name or number; null: everywhere. */
  path: string | null
  reason: string
  /** The last day on which it counts, e.g. `2026-12-31`; null: it does not end. */
  expires: string | null
}

const settingNames = ['ignores', 'helpUriBase', '$schema']
const keys = ['code', 'server', 'path', 'reason', 'expires']

/** @throws UserError, which names the place, for everything that is not as it should be. */
export function parseSettings(file: string, text: string, codes: readonly string[]): Settings {
  const bad = (what: string, hint?: string): never => {
    throw new UserError(`${file}: ${what}`, hint === undefined ? [] : [hint])
  }
  const settings = parsed(file, text)
  for (const key of Object.keys(settings))
    if (!settingNames.includes(key)) bad(`there is no setting "${key}", only "ignores" and "helpUriBase".`)
  const base = settings['helpUriBase'] ?? null
  const helpUriBase = typeof base === 'string' ? pagesAt(base) : null
  if (base !== null && helpUriBase === null) bad('"helpUriBase" must be an address such as https://example.org/docs/findings.')
  const list = settings['ignores'] ?? []
  if (!Array.isArray(list)) return bad('"ignores" must be an array.')
  const ignores = list.map((item: unknown, i): Ignore => {
    const at = `ignores[${i}]`
    if (!isObject(item)) return bad(`${at} must be an object.`)
    const unknown = Object.keys(item).find((key) => !keys.includes(key))
    if (unknown !== undefined) bad(`${at} has no key "${unknown}", only ${keys.join(', ')}.`)
    const text = (key: string): string | null => {
      const value = item[key] ?? null
      return value === null || typeof value === 'string' ? value : bad(`${at}.${key} must be a string.`)
    }
    const { code, reason } = { code: text('code') ?? bad(`${at} needs a "code".`), reason: text('reason')?.trim() ?? '' }
    requireCode(code, codes, `${file}: ${at}: `)
    if (reason === '') bad(`${at} needs a "reason": why is ${code} fine here?`)
    const [path, expires] = [text('path'), text('expires')]
    if (path !== null && !path.startsWith('/')) bad(`${at}.path must be a JSON pointer such as /mcpServers/NAME/args.`)
    if (expires !== null && !isDay(expires)) bad(`${at}.expires must be a day such as 2026-12-31.`)
    return { code, server: text('server'), path, reason, expires }
  })
  return { ignores, helpUriBase }
}

// Not 2026-02-31 either.
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`)
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

export function requireCode(code: string, codes: readonly string[], where = ''): void {
  if (codes.includes(code)) return
  const near = suggestNames(code, codes)
  throw new UserError(`${where}lint has no code "${code}".`, [
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'mcpproxy-doctor explain --list shows the codes.',
  ])
}

export const hasExpired = ({ expires }: Ignore, now: Date): boolean => expires !== null && now.toISOString().slice(0, 10) > expires

/** The ignore that takes this finding out; undefined: none does. */
export function ignoreFor(finding: Finding, servers: readonly ServerEntry[], ignores: readonly Ignore[], now: Date): Ignore | undefined {
  const [byName, byNumber] = [namedPlace(finding, servers), placeOf(finding)?.pointer ?? '']
  return ignores.find(
    ({ code, server, path, ...rest }) =>
      code === finding.code &&
      (server === null || server === finding.server) &&
      (path === null || [byName, byNumber].some((at) => at === path || at.startsWith(`${path.replace(/\/$/, '')}/`))) &&
      !hasExpired({ code, server, path, ...rest }, now),
  )
}

/** The pointer with the server's name instead of its number, which changes when others come and go. */
export function namedPlace(finding: Finding, servers: readonly ServerEntry[]): string {
  const place = placeOf(finding)
  const pointer = place?.pointer ?? ''
  return pointer.replace(/^\/mcpServers\/(\d+)(?=\/|$)/, (whole, number: string) => {
    // Entries that are no objects are not in the list, so that a number is no place in it.
    const name =
      servers[Number(number)]?.index === Number(number)
        ? servers[Number(number)]?.name
        : servers.find((s) => s.index === Number(number))?.name
    return name ? `/mcpServers/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` : whole
  })
}

// ---- baselines ------------------------------------------------------------------------

interface BaselineEntry {
  file: string
  code: string
  server: string | null
  /** Place by name; of broken JSON, which has no paths, the line. */
  place: string
}

export function baselineEntry(file: string, finding: Finding, servers: readonly ServerEntry[]): BaselineEntry {
  const place = placeOf(finding)
  return { file, code: finding.code, server: finding.server, place: namedPlace(finding, servers) || (place?.excerpt.trim() ?? '') }
}

export const baselineText = (findings: readonly BaselineEntry[]): string => `${JSON.stringify({ schemaVersion: 1, findings }, null, 2)}\n`

const keyOf = (e: BaselineEntry): string => JSON.stringify([e.file, e.code, e.server, e.place])

/** How often each finding was there before. */
export function parseBaseline(file: string, text: string): Map<string, number> {
  const bad = (): never => {
    throw new UserError(`${file} is no baseline of mcpproxy-doctor.`, ['lint --baseline FILE --write-baseline writes one.'])
  }
  const { schemaVersion, findings } = parsed(file, text)
  if (schemaVersion !== 1 || !Array.isArray(findings)) return bad()
  const counts = new Map<string, number>()
  for (const item of findings as unknown[]) {
    if (!isObject(item)) return bad()
    const key = keyOf(item as unknown as BaselineEntry)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

/** Whether a finding was there before; each entry of the baseline counts for one finding. */
export function takeKnown(counts: Map<string, number>, entry: BaselineEntry): boolean {
  const left = counts.get(keyOf(entry)) ?? 0
  if (left === 0) return false
  counts.set(keyOf(entry), left - 1)
  return true
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(file: string, text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isObject(value)) throw new UserError(`${file} must hold a JSON object.`)
  return value
}
