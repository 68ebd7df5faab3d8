/** SARIF 2.1.0 (OASIS), for code scanning and editors. */
import { createHash } from 'node:crypto'
import { applyChange } from '../remedies/config-edit.ts'
import { describeCode } from '../rules/catalogue.ts'
import type { Finding, Severity } from '../rules/rule.ts'
import { lineStarts, positionIn } from '../formats/mcp-config.ts'
import { renderJson } from './json.ts'
import { configPlace, pageOf, placeEnd, sentenceOf, type ConfigPlace, type ResultOptions, type Results } from './results.ts'

const levels: Record<Severity, 'error' | 'warning' | 'note'> = { error: 'error', warning: 'warning', info: 'note' }
/** Each fix is worked out on the whole text; in a file with more of them nobody clicks through all. */
const mostFixes = 100

export function renderSarif(results: Results, options: ResultOptions): string {
  const findings = results.groups.flatMap((g) => g.cases.flatMap((c) => c.findings))
  const codes = [...new Set(findings.map((f) => f.code))].sort()
  const index = new Map(codes.map((code, i) => [code, i]))
  const fixes = fixWriter(options)
  const seen = new Map<string, number>()
  const placed = findings.flatMap((f) => {
    const place = configPlace(f)
    return place === null ? [] : [resultOf(f, place, index.get(f.code) ?? 0, fixes(f, place.file), seen)]
  })
  // A place that is in no file is no region: what was seen elsewhere is told, but is no result.
  const notifications = findings.flatMap((f) =>
    configPlace(f) === null
      ? [{ level: levels[f.severity], message: { text: messageOf(f) }, associatedRule: { id: f.code, index: index.get(f.code) ?? 0 } }]
      : [],
  )
  const open = results.groups.flatMap((g) =>
    g.cases.flatMap((c) => (c.open === null ? [] : [{ level: 'warning', message: { text: `${c.server ?? g.name}: ${c.open}` } }])),
  )
  const told = [...notifications, ...open, ...results.notes.map((text) => ({ level: 'note', message: { text } }))]
  return renderJson({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'mcpproxy-doctor',
            version: options.version,
            ...(options.repository === null ? {} : { informationUri: options.repository }),
            rules: codes.map((code) => ruleOf(code, findings, options.pages)),
          },
        },
        columnKind: 'utf16CodeUnits',
        invocations: [
          { executionSuccessful: results.interrupted !== true, ...(told.length === 0 ? {} : { toolExecutionNotifications: told }) },
        ],
        results: placed,
      },
    ],
  })
}

function ruleOf(code: string, findings: readonly Finding[], pages: string | null): object {
  const told = describeCode(code)
  const own = findings.find((f) => f.code === code)
  const page = pageOf(code, pages)
  return {
    id: code,
    shortDescription: { text: told?.title ?? own?.title ?? code },
    ...(told ? { fullDescription: { text: told.what }, help: { text: told.fix } } : {}),
    ...(page === null ? {} : { helpUri: page }),
    defaultConfiguration: { level: levels[told?.severity ?? own?.severity ?? 'warning'] },
  }
}

const messageOf = (f: Finding): string => {
  const about = f.server === null || f.server === '' ? '' : `${f.server}: `
  return `${about}${sentenceOf(f)}`
}

function resultOf(finding: Finding, place: ConfigPlace, ruleIndex: number, fixes: object[], seen: Map<string, number>): object {
  const others = finding.cites.filter((c) => c.type === 'config').slice(1)
  const print = fingerprint(finding, place)
  const count = (seen.get(print) ?? 0) + 1
  seen.set(print, count)
  return {
    ruleId: finding.code,
    ruleIndex,
    level: levels[finding.severity],
    message: { text: messageOf(finding) },
    locations: [{ physicalLocation: physical(place) }],
    ...(others.length === 0 ? {} : { relatedLocations: others.map((c, id) => ({ id: id + 1, physicalLocation: physical(c) })) }),
    partialFingerprints: { 'mcpproxyDoctor/v1': `${print}:${count}` },
    ...(fixes.length === 0 ? {} : { fixes }),
    properties: { rank: finding.rank, server: finding.server, pointer: place.pointer },
  }
}

function physical(place: ConfigPlace): object {
  const end = placeEnd(place)
  return {
    artifactLocation: artifact(place.file),
    region: { startLine: place.line, startColumn: place.column, endLine: end.line, endColumn: end.column },
  }
}

/** Relative names are relative to the root of what was checked out. */
export function artifact(file: string): { uri: string; uriBaseId?: string } {
  const encoded = file.split('/').map(encodeURIComponent).join('/')
  if (/^[A-Za-z]:\//.test(file)) return { uri: `file:///${file.slice(0, 2)}${encoded.slice(encoded.indexOf('/'))}` }
  return file.startsWith('/') ? { uri: `file://${encoded}` } : { uri: encoded, uriBaseId: '%SRCROOT%' }
}

/** The same while lines come and go around it: the place by path, in broken JSON by the text of its line. */
function fingerprint(finding: Finding, place: ConfigPlace): string {
  const at = finding.server === null ? place.pointer : place.pointer.replace(/^\/mcpServers\/[^/]*/, '')
  const what = [finding.code, finding.server, place.file, at || place.excerpt.trim()]
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32)
}

/** The safe edits of a finding as replacements in the text; none where they would show a secret. */
function fixWriter({ sources = {}, mask = (text) => text }: ResultOptions): (finding: Finding, file: string) => object[] {
  let left = mostFixes
  return (finding, file) => {
    const source = sources[file]
    if (source === undefined) return []
    return finding.remedies.flatMap((remedy) => {
      if (remedy.kind !== 'config-edit' || remedy.class !== 'safe' || left <= 0) return []
      left--
      const after = applyChange(source, remedy)
      if (after === null || after === source) return []
      const { start, end, text } = difference(source, after)
      if (mask(text) !== text) return []
      const starts = lineStarts(source)
      const [from, to] = [positionIn(starts, start), positionIn(starts, end)]
      return [
        {
          description: { text: remedy.title },
          artifactChanges: [
            {
              artifactLocation: artifact(file),
              replacements: [
                {
                  deletedRegion: { startLine: from.line, startColumn: from.column, endLine: to.line, endColumn: to.column },
                  insertedContent: { text },
                },
              ],
            },
          ],
        },
      ]
    })
  }
}

/** The one stretch in which two texts differ. */
export function difference(before: string, after: string): { start: number; end: number; text: string } {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let tail = 0
  const most = Math.min(before.length, after.length) - start
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  return { start, end: before.length - tail, text: after.slice(start, after.length - tail) }
}
