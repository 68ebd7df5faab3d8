/** What a bundle holds and what was taken out of it, for the person who is to hand it over. */
import { clean } from './clean.ts'
import type { Theme } from './theme.ts'
import { paragraph } from './wrap.ts'

export interface BundleSummary {
  schemaVersion: 1
  /** Null: it was not written. */
  written: string | null
  servers: string[]
  verdict: string
  files: { name: string; bytes: number }[]
  redactions: { place: string; kind: string; token: string; count: number }[]
}

const groups: [RegExp, string][] = [
  [/\.log(?:\.gz)?$/, 'logs'],
  [/^(?:home|root)\//, 'configuration'],
  [/^api\//, "answers of MCPProxy's API"],
  [/^docker\//, 'answers of the engine'],
  [/^host\//, 'facts about the host'],
  [/^replays\.json$/, 'replays'],
  [/./, 'about the bundle'],
]

export function bundleContents({ files, redactions, servers }: BundleSummary, theme: Theme): string[] {
  const counts = new Map<string, { files: number; bytes: number }>()
  for (const { name, bytes } of files) {
    const group = groups.find(([pattern]) => pattern.test(name))?.[1] ?? ''
    const sum = counts.get(group) ?? { files: 0, bytes: 0 }
    counts.set(group, { files: sum.files + 1, bytes: sum.bytes + bytes })
  }
  const struck = new Map<string, { values: Set<string>; times: number }>()
  for (const { kind, token, count } of redactions) {
    const sum = struck.get(kind) ?? { values: new Set(), times: 0 }
    struck.set(kind, { values: sum.values.add(token), times: sum.times + count })
  }
  const width = Math.max(...[...counts.keys(), ...struck.keys()].map((k) => k.length), 0) + 2
  return [
    `A bundle about ${servers.map(clean).join(', ') || 'no server'}`,
    '',
    ...[...counts].map(([group, { files: n, bytes }]) => `  ${group.padEnd(width)}${plural(n, 'file')}, ${kibi(bytes)}`),
    '',
    struck.size === 0 ? 'Nothing was found in it that had to be taken out.' : 'Taken out',
    ...[...struck].map(([kind, { values, times }]) => `  ${kind.padEnd(width)}${plural(values.size, 'value')}, ${plural(times, 'place')}`),
    '',
    ...paragraph(
      'What no rule can tell from other text may still be in it, e.g. what a server wrote about its data. redactions.json in it says what was taken out where.',
      theme.width,
      '',
      theme.faint,
    ),
    '',
  ]
}

export function renderBundle(summary: BundleSummary, theme: Theme, asked: boolean): string {
  const { written } = summary
  const lines = asked ? [] : bundleContents(summary, theme)
  if (written === null) return `${[...lines, 'Nothing was written.'].join('\n')}\n`
  return `${[...lines, `Written: ${clean(written)}`].join('\n')}\n`
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
const kibi = (bytes: number): string => (bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`)
