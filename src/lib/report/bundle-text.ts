/** What a bundle holds and what was taken out of it, for the person who is to hand it over. */
import { clean } from './clean.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph } from './wrap.ts'

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

/** `verbose`: each place with its tokens. */
export function bundleContents({ files, redactions, servers }: BundleSummary, theme: Theme, verbose = false): string[] {
  const counts = new Map<string, { files: number; bytes: number }>()
  for (const { name, bytes } of files) {
    const group = groups.find(([pattern]) => pattern.test(name))?.[1] ?? ''
    const sum = counts.get(group) ?? { files: 0, bytes: 0 }
    counts.set(group, { files: sum.files + 1, bytes: sum.bytes + bytes })
  }
  const struck = new Map<string, { values: Set<string>; times: number; places: Map<string, number> }>()
  for (const { kind, token, count, place } of redactions) {
    const { values, times, places } = struck.get(kind) ?? { values: new Set(), times: 0, places: new Map<string, number>() }
    struck.set(kind, { values: values.add(token), times: times + count, places: places.set(place, (places.get(place) ?? 0) + count) })
  }
  const width = Math.max(...[...counts.keys(), ...struck.keys()].map((k) => k.length), 0) + 2
  return [
    `A bundle about ${servers.map(clean).join(', ') || 'no server'}`,
    '',
    ...[...counts].map(([group, { files: n, bytes }]) => `  ${group.padEnd(width)}${plural(n, 'file')}, ${kibi(bytes)}`),
    '',
    struck.size === 0 ? 'Nothing was found in it that had to be taken out.' : 'Taken out',
    ...[...struck].flatMap(([kind, { values, times, places }]) =>
      flow(
        [
          { text: `${plural(values.size, 'value')}, ${plural(times, 'place')}` },
          { text: `: ${theme.text(placesOf(places))}`, style: theme.faint },
        ],
        {
          width: theme.width,
          first: `  ${kind.padEnd(width)}`,
          rest: ' '.repeat(width + 2),
        },
      ),
    ),
    ...(verbose && redactions.length > 0
      ? [
          '',
          'Where',
          ...redactions.map((r) => theme.text(`  ${r.place}: ${r.token} (${r.kind})${r.count === 1 ? '' : `, ${r.count} times`}`)),
        ]
      : []),
    '',
    ...paragraph(
      'What no rule can tell from other text may still be in it, e.g. what a server wrote about its data. redactions.json in it, or --verbose, says what was taken out where.',
      theme.width,
      '',
      theme.faint,
    ),
    '',
  ]
}

export function renderBundle(summary: BundleSummary, theme: Theme, asked: boolean, verbose = false): string {
  const { written } = summary
  const lines = asked ? [] : bundleContents(summary, theme, verbose)
  if (written === null) return `${[...lines, 'Nothing was written.'].join('\n')}\n`
  return `${[...lines, `Written: ${clean(written)}`].join('\n')}\n`
}

const fewPlaces = 3

/** The files with the most of it. */
function placesOf(places: ReadonlyMap<string, number>): string {
  const sorted = [...places].sort((a, b) => b[1] - a[1])
  const named = sorted
    .slice(0, fewPlaces)
    .map(([place, n]) => `${/^(?:home|root)\//.test(place) ? (place.split('/').at(-1) ?? place) : place}${n === 1 ? '' : ` (${n})`}`)
  return [...named, ...(sorted.length > fewPlaces ? [`${sorted.length - fewPlaces} more`] : [])].join(', ')
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
const kibi = (bytes: number): string => (bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`)
