/** Lints a text, and reads a place of the result back from it. */
import { lintText, type LintedText, type LintOptions } from '../../src/lib/workflow/lint.ts'
import { newestKnown, parseVersion } from '../../src/lib/mcpproxy/versions.ts'
import { configPlace, placeEnd } from '../../src/lib/report/results.ts'
import type { Finding } from '../../src/lib/rules/rule.ts'

export const lintOptions = (version?: string): LintOptions => ({
  version: parseVersion(version) ?? newestKnown,
  platform: 'linux',
  now: new Date('2026-11-24T12:00:00Z'),
  select: null,
  ignore: new Set(),
})

export const lint = (text: string | Buffer, version?: string): LintedText =>
  lintText('mcp_config.json', Buffer.from(text as string), lintOptions(version))

/** The words of the text that a finding marks. */
export function marked(text: string, finding: Finding): string {
  const place = configPlace(finding)
  if (!place) throw new Error(`${finding.code} has no place`)
  const end = placeEnd(place)
  const lines = text.split('\n')
  const offset = (line: number, column: number): number => lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + column - 1
  return text.slice(offset(place.line, place.column), offset(end.line, end.column))
}
