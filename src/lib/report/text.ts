/** A report for people: the verdict first, then the steps, the evidence, what heals, and the next command. */
import type { Finding, Rank } from '../rules/rule.ts'
import { citationLines } from './citations.ts'
import { cleanLines } from './clean.ts'
import { interruptedLines } from './interrupted-text.ts'
import { firstError, nextStep } from './next.ts'
import { commandLines, remedyLines, remedyTitle, withoutStop } from './remedy-text.ts'
import { overallVerdict, type Report, type ServerReport, type Verdict } from './report.ts'
import { newestKnown } from '../mcpproxy/versions.ts'
import { affected } from './results.ts'
import { sinceWhen } from './history-text.ts'
import { replayLines } from './replay-text.ts'
import { stepLines, undeterminedLines } from './step-text.ts'
import type { TextOptions } from './text-options.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph, type Span } from './wrap.ts'

/** What has been explained already in this report, and the day of most times. */
interface Told {
  ranks: Set<Rank>
  day: string
}

const citesShown = 6
/** More are told in one line each; a name, or --verbose, brings the evidence. */
const manyServers = 10

export function renderReport(report: Report, options: TextOptions): string {
  const told: Told = { ranks: new Set(), day: (report.recordedAt ?? report.checkedAt).slice(0, 10) }
  const blocks: string[][] = []
  if (report.interrupted) blocks.push(interruptedLines(report.interrupted, options.theme, widthOf(options)))
  if (report.findings.length > 0) blocks.push(generalBlock(report, options, told))
  const many = report.servers.length > manyServers && !options.verbose
  if (report.servers.length > 1) blocks.push(summary(report, options))
  // Of whom nothing is left to say: the cause above names them.
  const toldAbove = (s: ServerReport): boolean =>
    s.verdict === 'problem' && s.shared !== undefined && s.findings.length === 0 && !options.verbose
  for (const server of report.servers.filter((s) => !toldAbove(s)))
    blocks.push(many ? shortBlock(server, options) : serverBlock(server, report, options, told))
  if (report.servers.length === 0 && report.findings.length === 0)
    blocks.push(verdictLine(report.verdict, [{ text: 'no server to look at' }], options))
  if (options.verbose) blocks.push(surroundings(report, options))
  else blocks.push(unseen(report, options))
  blocks.push(ending(report, options))
  return `${joinBlocks(blocks)}\n`
}

const widthOf = (options: TextOptions): number => options.width ?? options.theme.width

/** Verdicts of one line stay together; anything longer is set apart. */
function joinBlocks(blocks: readonly string[][]): string {
  const filled = blocks.filter((b) => b.length > 0)
  return filled
    .map((block, i) => {
      const before = filled[i - 1]
      const gap = before === undefined ? '' : before.length > 1 || block.length > 1 || i === filled.length - 1 ? '\n\n' : '\n'
      return gap + block.join('\n')
    })
    .join('')
}

function generalBlock(report: Report, options: TextOptions, told: Told): string[] {
  const error = report.findings.find((f) => f.severity === 'error')
  const lines = error ? verdictLine('problem', headline(error, '', options.theme), options) : []
  for (const finding of report.findings) {
    if (lines.length > 0) lines.push('')
    lines.push(...findingLines(finding, finding === error, report, options, told))
  }
  return lines
}

function serverBlock(server: ServerReport, report: Report, options: TextOptions, told: Told): string[] {
  const { theme, verbose = false } = options
  const width = widthOf(options)
  const name = theme.text(server.server)
  const error = server.findings.find((f) => f.severity === 'error')
  const said = theme.text(withoutStop(server.summary))
  const spans: Span[] =
    server.verdict === 'healthy'
      ? [{ text: `${name} works: ${said}` }]
      : server.verdict === 'undetermined'
        ? [{ text: `${name}: ${couldNotTell(said)}` }]
        : error
          ? headline(error, `${name} does not work: `, theme)
          : [{ text: `${name} does not work: ${said}` }]
  const lines = verdictLine(server.verdict, spans, options)
  if (server.verdict !== 'healthy' || verbose) {
    const steps = stepLines(server.steps, theme, width)
    if (steps.length > 0) lines.push('', ...steps)
    const since = server.history && sinceWhen(server.history)
    if (since) lines.push('', ...paragraph(theme.text(since), width, '  ', theme.faint))
  }
  for (const finding of server.findings) {
    const replay = finding === error && server.replayed ? replayLines(server.replays, server.replayed, theme, width, verbose) : []
    lines.push('', ...findingLines(finding, finding === error, report, options, told, replay))
  }
  if (!error && server.replayed) lines.push('', ...replayLines(server.replays, server.replayed, theme, width, verbose))
  const open = undeterminedLines(server, theme, width)
  if (open.length > 0) lines.push('', ...open)
  return lines
}

function verdictLine(verdict: Verdict, spans: readonly Span[], options: TextOptions): string[] {
  const { theme } = options
  const symbol = verdict === 'healthy' ? theme.symbols.ok : verdict === 'problem' ? theme.symbols.problem : theme.symbols.unknown
  const style = verdict === 'healthy' ? theme.good : verdict === 'problem' ? theme.bad : theme.warn
  return flow([{ text: symbol, style }, { text: ' ' }, ...spans.map((s) => ({ ...s, style: s.style ?? theme.strong }))], {
    width: widthOf(options),
    rest: '  ',
  })
}

/** The title of the cause, told as the end of a sentence, and how sure it is. */
function headline(finding: Finding, before: string, theme: Theme): Span[] {
  const title = theme.text(withoutStop(finding.title))
  return [{ text: before + (before === '' ? title : lowerArticle(title)) }, { text: '   ' }, { text: finding.rank, style: theme.note }]
}

const lowerArticle = (text: string): string => text.replace(/^(The|A|An|Its|No|Two|This|There|Both)(?= )/, (word) => word.toLowerCase())

const couldNotTell = (said: string): string => (/^could not tell/i.test(said) ? said.replace(/^C/, 'c') : `could not tell: ${said}`)

function findingLines(
  finding: Finding,
  isCause: boolean,
  report: Report,
  options: TextOptions,
  told: Told,
  replay: readonly string[] = [],
): string[] {
  const { theme, verbose = false } = options
  const width = widthOf(options)
  const short = finding.severity !== 'error' && !verbose
  const detail = cleanLines(finding.detail)
  // The verdict has just said the title of the cause.
  const title = isCause ? (detail.shift() ?? finding.title) : finding.title
  const lines = findingHead({ ...finding, title }, !isCause && told.ranks.has(finding.rank), theme, width)
  if (!short) lines.push(...detail.flatMap((line) => paragraph(theme.text(line), width, '  ')))
  if (finding.affects) lines.push(...paragraph(theme.text(affected(finding.affects)), width, '  '))
  if (!told.ranks.has(finding.rank)) {
    told.ranks.add(finding.rank)
    lines.push(...paragraph(`${finding.rank}: ${rankMeans[finding.rank]}`, width, '  ', theme.faint))
  }
  // The table of the replays says it better.
  const all = replay.length > 0 ? finding.cites.filter((c) => c.type !== 'replay') : finding.cites
  // What concerns no single server has more than one place, e.g. two files.
  const shown = all.slice(0, verbose ? all.length : !short ? citesShown : finding.server === null ? 2 : 1)
  const cites = citationLines(shown, options, told.day)
  if (!short && cites.length > 0) lines.push('')
  lines.push(...cites)
  const more = all.length - shown.length
  if (more > 0 && !short) lines.push(theme.faint(`  and ${more} more (--verbose)`))
  if (replay.length > 0) lines.push('', ...replay)
  if (!short && finding.ruledOut.length > 0)
    lines.push('', ...paragraph(theme.text(`Ruled out: ${finding.ruledOut.map(withoutStop).join(', ')}`), width, '  '))
  if (finding.remedies.length === 0) return lines
  if (short) return [...lines, ...finding.remedies.slice(0, 1).flatMap((r) => remedyTitle(r, theme, width))]
  const refuted = report.servers.find((s) => s.findings.includes(finding))?.replayed?.refuted ?? []
  const remedies = finding.remedies.flatMap((remedy, i) => [
    ...remedyLines(remedy, report.mcpproxy.config, options),
    ...(refuted.some((r) => r.code === finding.code && r.remedy === i)
      ? paragraph('Tried in a replay: it failed in the same way.', width, '    ', theme.warn)
      : []),
  ])
  return [...lines, '', ...remedies]
}

function findingHead({ code, title, severity, rank }: Finding, withRank: boolean, theme: Theme, width: number): string[] {
  const badge: Span[] =
    severity === 'error' ? [] : [{ text: severity, style: severity === 'warning' ? theme.warn : theme.note }, { text: '  ' }]
  const sure: Span[] = withRank ? [{ text: '   ' }, { text: rank, style: theme.faint }] : []
  return flow([...badge, { text: theme.text(code), style: theme.strong }, { text: '  ' }, { text: theme.text(title) }, ...sure], {
    width,
    rest: '  ',
  })
}

const rankMeans: Record<Rank, string> = {
  proven: 'nothing else leaves this trace',
  supported: 'independent observations agree',
  suspected: 'one observation says so, nothing confirms it yet',
}

function summary({ servers }: Report, options: TextOptions): string[] {
  const count = (verdict: Verdict): number => servers.filter((s) => s.verdict === verdict).length
  const [healthy, problem, open] = [count('healthy'), count('problem'), count('undetermined')]
  const parts = [
    healthy > 0 ? `${healthy} ${healthy === 1 ? 'works' : 'work'}` : '',
    problem > 0 ? `${problem} ${problem === 1 ? 'does' : 'do'} not` : '',
    open > 0 ? `${open} could not be told` : '',
  ]
  return verdictLine(overallVerdict(servers, []), [{ text: `${servers.length} servers: ${parts.filter(Boolean).join(', ')}` }], options)
}

/** One of many: what is the matter, in one line. */
function shortBlock(server: ServerReport, options: TextOptions): string[] {
  const { theme } = options
  const error = server.findings.find((f) => f.severity === 'error')
  const said = error ? `${error.code}: ${withoutStop(error.title)}` : withoutStop(server.summary)
  const spans: Span[] = [
    { text: `${theme.text(server.server)}  `, style: theme.strong },
    { text: theme.text(said), style: (text) => text },
  ]
  return verdictLine(server.verdict, error ? [...spans, { text: `   ${error.rank}`, style: theme.note }] : spans, options)
}

/** Why it is not known whether MCPProxy runs, where no server's block has said it. */
function whyUnseen({ mcpproxy: { why }, servers }: Report): string | null {
  const told = servers.length <= manyServers && servers.some((s) => s.undetermined.some((u) => u.error.message === why))
  return why === undefined || told ? null : why
}

function surroundings(report: Report, options: TextOptions): string[] {
  const { theme } = options
  const { mcpproxy, engine, recordedAt, checkedAt } = report
  const why = whyUnseen(report)
  const rows: [string, string][] = [
    [
      'MCPProxy',
      `${mcpproxy.version ?? 'version unknown'}, ${mcpproxy.running === null ? `not known whether it runs${why === null ? '' : `: ${why}`}` : mcpproxy.running ? 'running' : 'not running'}`,
    ],
    ['config', mcpproxy.config ?? 'none found'],
    [
      'engine',
      `${engine.host ?? 'address unknown'}, ${engine.reachable ? `answers${engine.version ? `, ${engine.version}` : ''}` : engine.reachable === null ? 'not asked' : 'does not answer'}`,
    ],
    recordedAt === null ? ['checked', checkedAt] : ['recorded', recordedAt],
  ]
  return rows.flatMap(([name, value]) =>
    flow([{ text: theme.text(value), style: theme.faint }], {
      width: widthOf(options),
      first: `  ${name.padEnd(9)} `,
      rest: ' '.repeat(12),
    }),
  )
}

/** What the reader should know when MCPProxy itself was not seen; of a recording too, it is part of what is known. */
function unseen(report: Report, options: TextOptions): string[] {
  const { mcpproxy } = report
  if (mcpproxy.running === true) return []
  const version =
    mcpproxy.version === null ? `its version is not known, ${newestKnown.text} is assumed` : `its log is of ${mcpproxy.version}`
  const state = mcpproxy.running === null ? 'Whether MCPProxy runs could not be told' : 'MCPProxy does not run'
  const why = whyUnseen(report)
  return paragraph(options.theme.text(`${state}; ${version}.${why === null ? '' : ` ${why}`}`), widthOf(options), '', options.theme.faint)
}

function ending(report: Report, options: TextOptions): string[] {
  const { theme } = options
  const next = nextStep(report, options)
  const cause = firstError(report)
  const label = (name: string, argv: readonly string[]): string[] =>
    commandLines(argv, theme, widthOf(options), ' '.repeat(6)).map((line, i) => (i === 0 ? `${name} ${line.slice(6)}` : line))
  const lines =
    next === null ? [] : next.kind === 'run' ? label('Next:', next.argv) : paragraph(`Next: ${theme.text(next.text)}`, widthOf(options))
  const told = next?.kind === 'run' && next.argv[1] === 'explain'
  if (cause && !told) lines.push(...label('More:', ['mcpproxy-doctor', 'explain', cause.code]))
  return lines
}
