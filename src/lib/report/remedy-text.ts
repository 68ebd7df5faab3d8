/** What would heal, as text: a diff, a line to paste, or an instruction. */
import type { EditClass, Remedy } from '../remedies/remedy.ts'
import { cleanLines } from './clean.ts'
import { shortPath } from './citations.ts'
import { inline } from '../remedies/config-edit.ts'
import { editHunks, type Hunk } from './edit-diff.ts'
import { shellLine } from './shell.ts'
import type { TextOptions } from './text-options.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph, type Span } from './wrap.ts'

export const classMeanings: Record<EditClass, string> = {
  safe: 'reversible, the server stays isolated',
  unisolated: 'takes isolation away from this server',
  network: 'gives the server another network',
  mounts: 'shows the server more of the host',
  limits: 'loosens a limit',
}

type ConfigEditRemedy = Extract<Remedy, { kind: 'config-edit' }>

export function remedyLines(remedy: Remedy, config: string | null, options: TextOptions): string[] {
  const { theme } = options
  const width = options.width ?? theme.width
  switch (remedy.kind) {
    case 'config-edit':
      return [
        ...heading(`${withoutStop(remedy.title)}: ${remedy.because}`, theme, width),
        ...editLines(remedy, config, options),
        ...flow(
          [
            {
              text: `Class: ${remedy.class} (${classMeanings[remedy.class]}).${remedy.class === 'safe' ? '' : ` It needs --allow ${remedy.class}.`}`,
              style: theme.faint,
            },
          ],
          { width, first: '    ' },
        ),
      ]
    case 'command':
      return [...heading(remedy.title, theme, width), ...commandLines(remedy.argv, theme, width, '      ')]
    case 'instruction':
    case 'reload':
      return heading(remedy.title, theme, width)
  }
}

/** Only what to do, for findings that are told in short. */
export const remedyTitle = (remedy: Remedy, theme: Theme, width: number): string[] => heading(remedy.title, theme, width)

function heading(text: string, theme: Theme, width: number): string[] {
  const arrow = theme.symbols.proposed
  return cleanLines(text).flatMap((line, i) =>
    flow([{ text: theme.text(line) }], { width, first: i === 0 ? `  ${arrow} ` : '    ', rest: '    ' }),
  )
}

/** A command in one line, or with `\` where it does not fit; an argument is never broken, so that it can be pasted. */
export function commandLines(argv: readonly string[], theme: Theme, width: number, indent: string): string[] {
  const spans: Span[] = argv.flatMap((argument, i): Span[] => [
    ...(i > 0 ? [{ text: ' ' }] : []),
    { text: shellLine([argument]), whole: true },
  ])
  const lines = flow(spans, { width: width - 2, first: indent, rest: `${indent}  ` })
  return lines.map((line, i) => {
    const shown = i < lines.length - 1 ? `${line} \\` : line
    const lead = shown.length - shown.trimStart().length
    return shown.slice(0, lead) + theme.strong(shown.slice(lead))
  })
}

function editLines(remedy: ConfigEditRemedy, config: string | null, options: TextOptions): string[] {
  const { theme } = options
  const width = options.width ?? theme.width
  const source = config === null ? undefined : options.sources?.[config]
  // Without a mask nothing of the file is shown: it may hold secrets.
  const hunks = source !== undefined && options.mask ? editHunks(source, remedy) : []
  if (config === null || hunks.length === 0) return remedy.edits.flatMap((edit) => describeEdit(edit.path, edit.value, options, width))
  return hunks.flatMap((hunk) => [
    ...flow([{ text: `${shortPath(config, options.home, theme)}:${firstChange(hunk)}`, style: theme.note }], { width, first: '    ' }),
    ...hunkLines(hunk, options, width),
  ])
}

const firstChange = (hunk: Hunk): number =>
  hunk.line +
  Math.max(
    0,
    hunk.lines.findIndex((l) => l.kind !== 'same'),
  )

function hunkLines(hunk: Hunk, { theme, mask = (line) => line }: TextOptions, width: number): string[] {
  const lines = hunk.lines.map((line) => ({ ...line, text: theme.text(mask(line.text).replaceAll('\t', '  ')) }))
  const indents = lines.filter((l) => l.text.trim() !== '').map((l) => l.text.length - l.text.trimStart().length)
  const common = indents.length === 0 ? 0 : Math.min(...indents)
  return lines.flatMap(({ kind, text }) => {
    const sign = kind === 'added' ? '+' : kind === 'removed' ? '-' : ' '
    const style = kind === 'added' ? theme.good : kind === 'removed' ? theme.bad : theme.faint
    const own = Math.min(text.length - text.trimStart().length - common, 12)
    const indent = ' '.repeat(Math.max(0, own))
    return flow([{ text: text.trim() }], { width, first: `    ${sign}  ${indent}`, rest: `       ${indent}  ` }).map(
      (line) => `    ${style(line.slice(4))}`,
    )
  })
}

/** `mcpServers[0].args[1] becomes "-i"`, where the text of the file is not at hand. */
function describeEdit(path: readonly (string | number)[], value: unknown, { theme, mask }: TextOptions, width: number): string[] {
  const place = path
    .map((p, i) => (typeof p === 'number' ? `[${p}]` : /^[\w-]+$/.test(p) ? `${i > 0 ? '.' : ''}${p}` : `[${JSON.stringify(p)}]`))
    .join('')
  const shown = value === undefined ? '' : showable(path, value) || mask ? (mask ?? String)(inline(value)) : 'a new value'
  return paragraph(theme.text(value === undefined ? `take out ${place}` : `set ${place} to ${shown}`), width, '      ')
}

/** Values under these names may be secret, and text of any kind may hold one. */
const showable = (path: readonly (string | number)[], value: unknown): boolean =>
  !path.some((p) => /^(env|headers|args|extra_args|.*(key|token|secret|passw).*)$/i.test(String(p))) &&
  JSON.stringify(value ?? null).length < 60

export const withoutStop = (text: string): string => text.trimEnd().replace(/[.:]$/, '')
