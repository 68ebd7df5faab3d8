/** Replays as text: a small table of what was started, and what follows from it. */
import { displayWidth, padEnd } from './clean.ts'
import { interruptedLines } from './interrupted-text.ts'
import type { InterruptedLook, ReplayResult, ReplayRun, ServerReport } from './report.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph } from './wrap.ts'

/** What was changed, how it ended, how long it took, what it said. */
export function replayTable(runs: readonly ReplayRun[], theme: Theme, width: number, indent = '  '): string[] {
  if (runs.length === 0) return []
  const rows = runs.map((run) => ({
    run,
    what: theme.text(run.what),
    ended: endOf(run, theme),
    time: run.ms === null ? '' : `${(run.ms / 1000).toFixed(1)} s`,
  }))
  const widest = (cells: readonly string[]): number => Math.max(...cells.map(displayWidth))
  const column = Math.min(widest(rows.map((r) => r.what)), Math.floor(width / 2))
  const ended = widest(rows.map((r) => r.ended))
  const time = widest(rows.map((r) => r.time))
  return rows.flatMap(({ run, what, ...cells }) => {
    const style = run.outcome === 'works' ? theme.good : run.outcome === 'fails' ? theme.bad : theme.warn
    const right = `${padEnd(cells.ended, ended)}  ${cells.time.padStart(time)}`
    const says = run.outcome === 'works' || run.says === null ? '' : theme.text(run.says)
    const lines = flow([{ text: what }], { width: indent.length + column, first: indent })
    const first = padEnd(lines[0] ?? indent, indent.length + column)
    const rest = ' '.repeat(indent.length + column + 2)
    const beside = flow([{ text: right, style, whole: true }, { text: '   ' }, { text: says }], { width, first: rest, rest: `${rest}  ` })
    return [first + (beside[0] ?? '').slice(first.length), ...pair(lines.slice(1), beside.slice(1))]
  })
}

/** Two columns that both go on: the left one's lines in front of the right one's. */
function pair(left: readonly string[], right: readonly string[]): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const [a = '', b = ''] = [left[i], right[i]]
    return b === '' ? a : padEnd(a, displayWidth(b) - displayWidth(b.trimStart())) + b.trimStart()
  })
}

function endOf(run: ReplayRun, theme: Theme): string {
  switch (run.outcome) {
    case 'works':
      return `${theme.symbols.ok} ${run.tools ?? 0} tool${run.tools === 1 ? '' : 's'}`
    case 'fails':
      return run.exitCode === null ? 'no answer' : `exit ${run.exitCode}`
    case 'disturbed':
      return 'ended by others'
    case 'cut-short':
      return 'cut short'
    case 'not-run':
      return 'not run'
  }
}

/** The table, what it shows, what was not tried, and with `verbose` what was changed to make it safe. */
export function replayLines(runs: readonly ReplayRun[], result: ReplayResult, theme: Theme, width: number, verbose: boolean): string[] {
  const lines = ['  replay', ...replayTable(runs, theme, width, '    '), ...paragraph(theme.text(result.summary), width, '    ')]
  for (const { title, why } of result.untried)
    lines.push(...paragraph(theme.text(`Not tried: ${title}: ${why}.`), width, '    ', theme.faint))
  if (verbose)
    for (const { what, why } of result.changes)
      lines.push(...paragraph(theme.text(`Changed for the replay: ${what}: ${why}`), width, '    ', theme.faint))
  return lines
}

/** `replay` on its own: the answer, the table, and how the first start went. */
export function replayReport(
  server: Pick<ServerReport, 'server' | 'replays' | 'replayed'>,
  theme: Theme,
  verbose: boolean,
  interrupted?: InterruptedLook,
): string {
  const { width, symbols } = theme
  const { replays, replayed } = server
  const conclusion = replayed?.conclusion ?? 'not-run'
  const [symbol, style] =
    conclusion === 'works'
      ? [symbols.ok, theme.good]
      : conclusion === 'not-run'
        ? [symbols.unknown, theme.warn]
        : [symbols.problem, theme.bad]
  const said = theme.text(`${server.server}: ${replayed?.summary ?? (interrupted ? 'it was not run' : 'there was nothing to run')}`)
  const lines = [
    ...(interrupted ? interruptedLines(interrupted, theme, width) : []),
    ...flow([{ text: symbol, style }, { text: ' ' }, { text: said, style: theme.strong }], { width, rest: '  ' }),
  ]
  if (replays.length > 0) lines.push('', ...replayTable(replays, theme, width, '  '))
  const shown = verbose ? replays : replays.slice(0, 1)
  for (const run of shown) lines.push(...handshakeLines(run, theme))
  for (const { title, why } of replayed?.untried ?? []) lines.push('', ...paragraph(theme.text(`Not tried: ${title}: ${why}.`), width))
  const changes = replayed?.changes ?? []
  if (changes.length > 0) lines.push('', 'Changed to make it safe:')
  for (const { what, why } of changes)
    lines.push(
      ...flow([{ text: theme.text(what) }, { text: theme.text(`: ${why}`), style: theme.faint }], { width, first: '  ', rest: '    ' }),
    )
  return `${lines.join('\n')}\n`
}

function handshakeLines({ what, handshake }: ReplayRun, theme: Theme): string[] {
  if (!handshake) return []
  const { times, foreign, serverInfo, protocolVersion } = handshake
  const names = {
    created: 'created',
    started: 'started',
    firstByte: 'first byte',
    initialize: 'initialize',
    tools: 'tools/list',
    died: 'died',
  }
  const steps = Object.entries(names).flatMap(([key, name]) => {
    const at = times[key as keyof typeof times]
    return at === null ? [] : [`${name} ${(at / 1000).toFixed(2)} s`]
  })
  const lines = ['', ...paragraph(theme.text(`${what}: ${steps.join(', ') || 'nothing was seen of it'}`), theme.width, '  ', theme.faint)]
  if (serverInfo)
    lines.push(
      ...paragraph(
        theme.text(`${serverInfo.name}${serverInfo.version ? ` ${serverInfo.version}` : ''}, protocol ${protocolVersion ?? 'unknown'}`),
        theme.width,
        '  ',
        theme.faint,
      ),
    )
  if (foreign) {
    const count = `${foreign.count} line${foreign.count === 1 ? '' : 's'} on standard output ${foreign.count === 1 ? 'is' : 'are'} no protocol`
    lines.push(
      ...paragraph(
        theme.text(`${count}; the first at byte ${foreign.offset} (${foreign.kind}): ${foreign.text}`),
        theme.width,
        '  ',
        theme.warn,
      ),
    )
    lines.push(...paragraph(foreign.hex.replace(/(..)/g, '$1 ').trim(), theme.width, '    ', theme.faint))
  }
  return lines
}
