/** The steps on their own, as text for people. */
import { clock, shortPath } from './citations.ts'
import { displayWidth, padEnd } from './clean.ts'
import type { Step } from './report.ts'
import { shellLine } from './shell.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph } from './wrap.ts'

/** A place in the configuration as people and programs find it. */
export interface Place {
  file: string
  line: number
  column: number
  pointer: string
}

export interface TokenView {
  tokens: string[]
  origin: string
  place: Place | null
  /** With --explain: docker takes a later flag in its place. Absent: it counts. */
  overriddenBy?: { origin: string; place: Place | null }
}

export interface IsolationView {
  server: string
  runs: string | null
  because: string
  place: Place | null
  /** A wish of the configuration that has no effect, and why. */
  ignored: { place: Place | null; why: string } | null
  version: { value: string; assumed: boolean }
  /** The docker command that follows from today's configuration; empty: MCPProxy wraps nothing. With --explain also the server's own. */
  tokens: TokenView[]
  /** What runs in the container. */
  command: string[]
  /** With --explain: where each word of `command` comes from. Absent: not asked. */
  commandOrigins?: { origin: string; place: Place | null }[]
  runtimeType: string | null
  /** The newest isolation setup in main.log. */
  lastRun: { at: string; file: string; line: number | null; image: string | null; sameArguments: boolean } | null
  /** With --explain: settings in the file that decide nothing for this server; null: not asked. */
  explained:
    | {
        name: string
        place: Place | null
        how: 'overridden' | 'no-effect'
        by: { name: string; place: Place | null } | null
        why: string
      }[]
    | null
  /** Settings that do nothing, or not what they seem to. */
  noEffect: { code: string; title: string; detail: string; places: Place[] }[]
  step: Step
}

export interface ContainerView {
  server: string
  engine: { host: string | null; decidedBy: string | null; reachable: boolean | null; version: string | null; message: string | null }
  containers: { id: string; name: string; image: string; state: string; status: string; createdAt: string; relation: string }[]
  /** What the engine's events tell, oldest first. */
  stories: {
    id: string
    name: string
    image: string
    told: string
    createdAt: string | null
    startedAt: string | null
    diedAt: string | null
    exitCode: number | null
    oom: boolean
    newest: boolean
  }[]
  /** False: the engine's memory of 256 events was full, so older ones are gone. Null: not asked. */
  eventsComplete: boolean | null
  step: Step
}

export interface LogsView {
  server: string
  files: string[]
  attempts: { startedAt: string; outcome: string; durationMs: number | null; error: string | null }[]
  /** Both logs as one timeline, oldest first. */
  lines: { at: string; source: 'server' | 'main'; level: string; text: string; file: string; line: number | null }[]
  /** Attempts that are counted above and not shown line by line. */
  attemptsLeftOut: number
  /** Logs that could not be read, and why. */
  unread: string[]
  step: Step
}

export interface ArgsView {
  server: string
  /** `log`: what ran. `config`: what today's configuration leads to. Null: no docker command at all. */
  source: 'log' | 'config' | null
  at: string | null
  place: { file: string; line: number | null } | null
  /** Why the log does not tell what ran, one sentence; null: it was looked at. */
  logError: string | null
  /** After the word `docker`; values of variables masked. */
  argv: string[]
  image: string | null
  /** The same, a flag with its value together, and where it comes from by today's configuration; null: from nowhere that is known. */
  groups: { tokens: string[]; origin: string | null }[]
  /** What runs in the container. */
  command: string[]
  /** What the server's own entry starts, when no docker command is involved. */
  hostCommand: string[]
  step: Step
}

type View = (theme: Theme) => string
const joined = (lines: readonly string[]): string => `${lines.join('\n')}\n`

/** The answer of a step comes first, as everywhere. */
function head(server: string, step: Step, theme: Theme): string[] {
  const { symbols } = theme
  const [symbol, style] =
    step.outcome === 'ok'
      ? [symbols.ok, theme.good]
      : step.outcome === 'problem'
        ? [symbols.problem, theme.bad]
        : step.outcome === 'unknown'
          ? [symbols.unknown, theme.warn]
          : [symbols.notApplicable, theme.faint]
  return flow([{ text: symbol, style }, { text: ' ' }, { text: theme.text(`${server}: ${step.summary}`), style: theme.strong }], {
    width: theme.width,
    rest: '  ',
  })
}

const placeText = (place: Place, home: string, theme: Theme): string =>
  `${shortPath(place.file, home, theme)}:${place.line}:${place.column}`

/** Rows of two columns; the right one wraps under itself. */
function table(rows: readonly { left: string; right: string }[], theme: Theme, indent = '  '): string[] {
  // A few long ones do not move the column for all.
  const column = Math.max(0, ...rows.map((r) => displayWidth(r.left)).filter((w) => w <= theme.width / 2))
  return rows.flatMap(({ left, right }) => {
    if (displayWidth(left) > column) {
      return [
        ...flow([{ text: left, whole: true }], { width: theme.width, first: indent }),
        ...flow([{ text: right, style: theme.faint }], { width: theme.width, first: indent + ' '.repeat(column + 2) }),
      ]
    }
    return flow([{ text: right, style: theme.faint }], {
      width: theme.width,
      first: `${indent}${padEnd(left, column)}  `,
      rest: indent + ' '.repeat(column + 2),
    })
  })
}

export function isolationText(view: IsolationView, home: string): View {
  return (theme) => {
    const lines = head(view.server, view.step, theme)
    if (view.place)
      lines.push(
        ...flow([{ text: `decided at ${placeText(view.place, home, theme)}`, style: theme.faint }], { width: theme.width, first: '  ' }),
      )
    if (view.tokens.length > 0) {
      const rows = view.tokens.map((t) => ({
        left: theme.text(shellLine(t.tokens)),
        right:
          theme.text(t.origin) +
          at(t.place) +
          (t.overriddenBy ? `, overridden by ${theme.text(t.overriddenBy.origin)}${at(t.overriddenBy.place)}` : ''),
      }))
      const words = view.command.map((word, i) => {
        const from = view.commandOrigins?.[i]
        return { left: theme.text(shellLine([word])), right: from ? theme.text(from.origin) + at(from.place) : '' }
      })
      lines.push('', 'docker', ...table(rows, theme))
      if (view.commandOrigins && words.length > 0) lines.push('in the container', ...table(words, theme))
      else if (words.length > 0) lines.push(theme.text(shellLine(view.command)))
      const assumed = view.version.assumed ? `; the version is not known, ${view.version.value} is assumed` : ''
      lines.push(
        '',
        ...paragraph(
          `What follows from today's configuration, as MCPProxy ${view.version.value} builds it${assumed}.`,
          theme.width,
          '',
          theme.faint,
        ),
      )
    }
    if (view.lastRun) {
      const { at, file, line, sameArguments } = view.lastRun
      const where = `${shortPath(file, home, theme)}${line === null ? '' : `:${line}`}`
      lines.push(
        ...paragraph(
          `Last run at ${theme.text(at)} (${where}): ${sameArguments ? 'nothing shows that its arguments differ' : 'with other arguments; the configuration was changed since'}.`,
          theme.width,
          '',
          theme.faint,
        ),
      )
    }
    if (view.explained) lines.push(...explainedLines(view.explained, theme))
    else if (view.ignored)
      lines.push(
        '',
        ...paragraph(
          theme.text(
            `No effect: ${view.ignored.why}${view.ignored.place ? ` (${view.ignored.place.line}:${view.ignored.place.column})` : ''}`,
          ),
          theme.width,
        ),
      )
    for (const { title, places } of view.explained ? [] : view.noEffect) {
      const at = places.map((p) => `${p.line}:${p.column}`).join(', ')
      lines.push('', ...paragraph(theme.text(`No effect: ${title}${at ? ` (${at})` : ''}`), theme.width))
    }
    return joined(lines)
  }
}

const at = (place: Place | null): string => (place ? `  ${place.line}:${place.column}` : '')

/** Each setting that is lost in two columns: it with its place, and what happens instead. */
function explainedLines(settings: NonNullable<IsolationView['explained']>, theme: Theme): string[] {
  if (settings.length === 0) return ['', 'Every setting of the file that concerns this server counts.']
  const block = (title: string, how: 'overridden' | 'no-effect'): string[] => {
    const rows = settings
      .filter((s) => s.how === how)
      .map((s) => ({
        left: theme.text(s.name) + at(s.place),
        right: theme.text(`${s.by ? `${how === 'overridden' ? 'by' : 'because of'} ${s.by.name}${at(s.by.place)}. ` : ''}${s.why}`),
      }))
    return rows.length === 0 ? [] : ['', title, ...table(rows, theme)]
  }
  return [...block('Overridden:', 'overridden'), ...block('No effect:', 'no-effect')]
}

export function containerText(view: ContainerView): View {
  return (theme) => {
    const { engine } = view
    const lines = head(view.server, view.step, theme)
    lines.push(
      '',
      ...table(
        view.containers.map((c) => ({
          left: theme.text(`${c.name} ${c.id.slice(0, 12)}`),
          right: theme.text(`${c.image}, ${c.status}${c.relation === 'image' ? ' (by its image)' : ''}`),
        })),
        theme,
      ),
    )
    if (view.stories.length > 0) {
      lines.push('Engine events:')
      lines.push(
        ...table(
          view.stories.map((s) => ({
            left: theme.text(`${clock(s.createdAt ?? s.startedAt ?? s.diedAt, '', theme)} ${s.name || s.id.slice(0, 12)}`),
            right: theme.text(s.told),
          })),
          theme,
        ),
      )
    } else if (view.eventsComplete !== null) lines.push('Engine events: none about this server.')
    if (view.eventsComplete === false)
      lines.push(...paragraph('The engine keeps only the last 256 events; older ones are gone.', theme.width, '', theme.warn))
    const state = engine.reachable ? `answers${engine.version ? `, ${engine.version}` : ''}` : (engine.message ?? 'was not asked')
    lines.push(
      ...paragraph(
        theme.text(`Engine ${engine.host ?? '(no address)'}${engine.decidedBy ? ` (${engine.decidedBy})` : ''}: ${state}`),
        theme.width,
        '',
        theme.faint,
      ),
    )
    return joined(lines.filter((l, i) => l !== '' || (i > 0 && lines[i - 1] !== '' && lines[i + 1] !== undefined)))
  }
}

export function logsText(view: LogsView, home: string): View {
  return (theme) => {
    const lines = head(view.server, view.step, theme)
    if (view.attemptsLeftOut > 0)
      lines.push(...paragraph(`The newest of ${view.attempts.length} attempts (--verbose shows all).`, theme.width, '  ', theme.faint))
    for (const line of view.lines) {
      const level = /^(ERROR|FATAL|PANIC)$/.test(line.level) ? theme.bad : line.level === 'WARN' ? theme.warn : theme.faint
      const place = `${line.source}${line.line === null ? '' : `:${line.line}`}`
      lines.push(
        ...flow(
          [
            { text: `${timeOfDay(line.at)} `, style: theme.faint },
            { text: `${line.level.padEnd(5)} `, style: level, whole: true },
            { text: theme.text(line.text) },
          ],
          { width: theme.width, first: `  ${place.padEnd(12)} `, rest: ' '.repeat(34) },
        ),
      )
    }
    if (view.files.length > 0) lines.push('')
    for (const file of view.files)
      lines.push(...flow([{ text: shortPath(file, home, theme), style: theme.faint }], { width: theme.width, first: '  ' }))
    for (const why of view.unread) lines.push(...paragraph(theme.text(`Not read: ${why}`), theme.width, '  ', theme.warn))
    return joined(lines)
  }
}

export function argsText(view: ArgsView, home: string): View {
  return (theme) => {
    const lines = head(view.server, view.step, theme)
    if (view.source === null) {
      if (view.hostCommand.length > 0) lines.push('', ...paragraph(theme.text(shellLine(view.hostCommand)), theme.width, '  '))
      return joined(lines)
    }
    const from =
      view.source === 'log' && view.place
        ? `ran at ${theme.text(view.at ?? '')}, from ${shortPath(view.place.file, home, theme)}${view.place.line === null ? '' : `:${view.place.line}`}`
        : `what follows from today's configuration; ${view.logError === null ? 'no run of it was found in the log' : `the log does not tell: ${theme.text(view.logError)}`}`
    lines.push(...paragraph(from, theme.width, '  ', theme.faint), '', 'docker')
    lines.push(
      ...table(
        view.groups.map((g) => ({ left: theme.text(shellLine(g.tokens)), right: theme.text(g.origin ?? '') })),
        theme,
      ),
    )
    if (view.command.length > 0) lines.push(...flow([{ text: theme.text(shellLine(view.command)) }], { width: theme.width, rest: '  ' }))
    return joined(lines)
  }
}

export const shellLineOf =
  (argv: readonly string[]): View =>
  () =>
    argv.length > 0 ? `${shellLine(argv)}\n` : ''

/** `16:28:53.123` of a time as it is written. */
const timeOfDay = (at: string): string => /T(\d\d:\d\d:\d\d\.\d{3})/.exec(at)?.[1] ?? at

export interface ArgsDiffView {
  diff: {
    rows: { what: string; log: string | null | undefined; config: string | null | undefined; container: string | null | undefined }[]
    known: { log: boolean; config: boolean; container: boolean }
  }
}

export function argsDiffText(view: ArgsView & ArgsDiffView): View {
  return (theme) => {
    const { rows, known } = view.diff
    const sides = (['log', 'config', 'container'] as const).filter((side) => known[side])
    const names = { log: 'log', config: 'configuration', container: 'running container' }
    const lines = head(view.server, view.step, theme)
    const missing = (['log', 'config', 'container'] as const).filter((side) => !known[side]).map((side) => names[side])
    if (sides.length < 2)
      lines.push(
        '',
        ...paragraph(
          `There is nothing to compare: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not known.`,
          theme.width,
        ),
      )
    else if (rows.length === 0)
      lines.push(
        '',
        ...paragraph(`${sides.map((s) => names[s]).join(', ')}: the same, but for what MCPProxy makes anew for each start.`, theme.width),
      )
    for (const row of rows) {
      lines.push('', theme.text(row.what))
      for (const side of sides)
        if (row[side] !== undefined)
          lines.push(
            ...flow([{ text: theme.text(row[side] ?? 'not there') }], {
              width: theme.width,
              first: `  ${names[side].padEnd(17)} `,
              rest: ' '.repeat(20),
            }),
          )
    }
    if (missing.length > 0 && sides.length >= 2)
      lines.push('', ...paragraph(`Not known: ${missing.join(', ')}.`, theme.width, '', theme.faint))
    return joined(lines)
  }
}
