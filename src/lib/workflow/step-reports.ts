/** The steps of the workflow on their own: what each saw, as data and as text. */
import { collectServers, collectShared, withStatus, type Collected } from '../evidence/collect.ts'
import type { ConfigEvidence, Needs, Subject } from '../evidence/evidence.ts'
import { maskedArgs, maskedWords, type Redactor } from '../evidence/secrets.ts'
import { parseDockerRun, type DockerRun } from '../formats/docker-run.ts'
import { tellStory } from '../formats/engine-events.ts'
import type { LogLine } from '../formats/log-line.ts'
import { position, valueAt, pointer, type ConfigPath, type ServerEntry } from '../formats/mcp-config.ts'
import type { Version } from '../mcpproxy/versions.ts'
import { lostFlags, lostSettings } from '../mcpproxy/effective.ts'
import { isolatedRun, type IsolationDecision } from '../mcpproxy/isolation.ts'
import { citeLog } from '../rules/cite.ts'
import { effectiveRun } from '../rules/helpers.ts'
import type { Step, StepName, StepReport } from '../report/report.ts'
import {
  argsDiffText,
  argsText,
  containerText,
  isolationText,
  logsText,
  shellLineOf,
  type ArgsDiffView,
  type ArgsView,
  type ContainerView,
  type IsolationView,
  type LogsView,
  type Place,
} from '../report/step-views.ts'
import type { System } from '../system/system.ts'
import type { Finding } from '../rules/rule.ts'
import { redactValue } from './redact.ts'
import { historyText } from '../report/history-text.ts'
import { effectiveArgv, flagsTogether } from './effective-argv.ts'
import { requireServer } from './servers.ts'
import { stepsOf } from './steps.ts'

export interface StepOptions {
  /** Milliseconds for everything together. */
  timeoutMs: number
  verbose?: boolean
  /** `isolation`: also what is overridden, and what has no effect. */
  explain?: boolean
  /** `args`: one line for a shell instead of the list. */
  shell?: boolean
  /** `args`: gets the report that will be returned if nothing more is found. */
  expected?: (report: StepReport) => void
  /** `args`: the log against the configuration against the running container. */
  diff?: boolean
}

/** What each step looks at: no more than it shows. `check` looks at everything. */
const needs = {
  isolation: new Set(['config', 'status', 'mainLog', 'setup', 'serverLog']),
  container: new Set(['config', 'serverLog', 'reachable', 'containers', 'events']),
  logs: new Set(['config', 'status', 'serverLog', 'mainLog']),
  history: new Set(['config', 'serverLog', 'mainLog', 'setup', 'events', 'image', 'containers']),
  args: new Set(['config', 'setup', 'serverLog', 'hostPaths']),
  argsDiff: new Set(['config', 'mainLog', 'setup', 'serverLog', 'hostPaths', 'containers']),
} satisfies Record<string, Needs>

interface Looked {
  subject: Subject
  redact: Redactor
  home: string
}

/** `expected`: gets what it will be if nothing is found in a log that is searched for long; if so, the same subject is returned. */
async function lookAt(
  system: System,
  server: string,
  { timeoutMs }: StepOptions,
  what: Needs,
  expected?: (looked: Looked) => void,
): Promise<Looked> {
  let shared = await collectShared(system, Date.now() + timeoutMs, what)
  // MCPProxy may know a server that the file has not.
  if (shared.config.ok && !shared.config.value.servers.some((s) => s.name === server)) shared = await withStatus(shared)
  requireServer(shared, server)
  const { home } = shared.locations
  const lookedOf = ({ subjects, redact }: Collected): Looked => ({ subject: subjects[0] as Subject, redact, home })
  return lookedOf(await collectServers(shared, [server], expected && ((collected) => expected(lookedOf(collected)))))
}

/** By the rules that need no more than was looked at. */
async function findingsOf({ subject }: Looked): Promise<Finding[]> {
  const { serverReport } = await import('./check.ts')
  return serverReport(subject).findings
}

const stepOf = ({ subject }: Looked, name: StepName, findings: readonly Finding[] = []): Step =>
  stepsOf(subject, findings).find((s) => s.step === name) as Step
const exitCodeOf = ({ outcome }: Step): 0 | 1 | 3 => (outcome === 'problem' ? 1 : outcome === 'unknown' ? 3 : 0)

function finish<T extends object>(
  looked: Looked,
  step: Step,
  data: T,
  view: (data: T, home: string) => StepReport['text'],
  notes: string[] = [],
): StepReport {
  const struck = redactValue({ ...data, step: { ...step } }, looked.redact)
  const { subject } = looked
  const shown = { schemaVersion: 1, server: subject.server, ...struck }
  return { data: shown, text: view(shown, looked.home), notes, exitCode: exitCodeOf(step) }
}

function placeIn(subject: Subject, path: ConfigPath | null): Place | null {
  const { config } = subject.evidence
  if (!config.ok || path === null) return null
  const { document } = config.value
  const node = valueAt(document, path)
  return node ? { file: document.path, ...position(document, node.offset), pointer: pointer(path) } : null
}

// ---- step 1 -------------------------------------------------------------------------

const withoutEffect = new Set([
  'key-without-effect',
  'isolation-mode-ineffective',
  'global-isolation-off',
  'mode-without-enabled',
  'isolation-block-dropped',
])

export async function isolationReport(system: System, server: string, options: StepOptions): Promise<StepReport> {
  const looked = await lookAt(system, server, options, needs.isolation)
  const { subject } = looked
  const findings = await findingsOf(looked)
  const { config, setup } = subject.evidence
  const known = config.ok ? config.value : null
  const version = subject.version.value
  // Of a server's own docker command `args` shows the words.
  const argv = known && (options.explain || known.decision?.runs === 'docker') ? effectiveArgv(known, version) : null
  const { groups, command } = argv ?? { groups: [], command: [] }
  const replaced = options.explain ? lostFlags(groups) : []
  const tokens = groups.flatMap((t) => t.tokens)
  const masked = maskedArgs(tokens, parseDockerRun(tokens))
  const ignored = known?.decision?.ignored ?? null
  const last = setup.ok ? setup.value : null
  const view: Omit<IsolationView, 'server' | 'step'> = {
    runs: known?.decision?.runs ?? null,
    because: known?.decision?.because ?? (config.ok ? 'the file has no such server that could be read' : config.error.message),
    place: placeIn(subject, known?.decision?.place ?? null),
    ignored: ignored ? { place: placeIn(subject, ignored.path), why: ignored.why } : null,
    version: { value: version.text, assumed: subject.version.assumed },
    tokens: groups.map((t, i) => {
      const by = replaced.find((l) => l.token === i)?.by
      return {
        tokens: masked.splice(0, t.tokens.length),
        origin: t.origin,
        place: placeIn(subject, t.place),
        ...(by === undefined
          ? {}
          : { overriddenBy: { origin: groups[by]?.origin ?? '', place: placeIn(subject, groups[by]?.place ?? null) } }),
      }
    }),
    command: maskedWords(command.flatMap((t) => t.tokens)),
    ...(options.explain ? { commandOrigins: command.map((t) => ({ origin: t.origin, place: placeIn(subject, t.place) })) } : {}),
    runtimeType: argv?.runtimeType ?? null,
    lastRun: last
      ? {
          at: last.line.time,
          file: last.line.file,
          line: last.line.number,
          image: last.run.image,
          sameArguments: !findings.some((f) => f.code === 'not-restarted'),
        }
      : null,
    explained: options.explain && known?.server && known.decision ? explained(subject, known, known.server, known.decision) : null,
    noEffect: findings
      .filter((f) => withoutEffect.has(f.code))
      .map((f) => ({
        code: f.code,
        title: f.title,
        detail: f.detail,
        places: f.cites.flatMap((c) => (c.type === 'config' ? [{ file: c.file, line: c.line, column: c.column, pointer: c.pointer }] : [])),
      })),
  }
  return finish(looked, stepOf(looked, 'isolation', findings), view, (shown, home) => isolationText(shown as IsolationView, home))
}

function explained(
  subject: Subject,
  { document, global }: ConfigEvidence,
  server: ServerEntry,
  decision: IsolationDecision,
): IsolationView['explained'] {
  return lostSettings(document, server, global, decision, subject.version.value).map(({ name, path, how, by, why }) => ({
    name,
    how,
    why,
    place: placeIn(subject, path),
    by: by && { name: by.name, place: placeIn(subject, by.path) },
  }))
}

// ---- step 2 -------------------------------------------------------------------------

export async function containerReport(system: System, server: string, options: StepOptions): Promise<StepReport> {
  const looked = await lookAt(system, server, options, needs.container)
  const { engine, containers, events } = looked.subject.evidence
  const time = (at: Date | null): string | null => at?.toISOString() ?? null
  const view: Omit<ContainerView, 'server' | 'step'> = {
    engine: {
      host: engine.ok ? engine.value.endpoint.host : null,
      decidedBy: engine.ok ? engine.value.endpoint.decidedBy : null,
      reachable: engine.ok ? engine.value.reachable.yes : null,
      version: engine.ok && engine.value.reachable.yes ? engine.value.reachable.version : null,
      message: engine.ok ? (engine.value.reachable.yes ? null : engine.value.reachable.message) : engine.error.message,
    },
    containers: containers.ok
      ? containers.value
          .filter((c) => c.relation !== 'other')
          .map((c) => ({
            id: c.id,
            name: c.names[0] ?? '',
            image: c.image,
            state: c.state,
            status: c.status,
            createdAt: c.createdAt.toISOString(),
            relation: c.relation,
          }))
      : [],
    stories: events.ok
      ? events.value.stories.map((s) => ({
          id: s.id,
          name: s.name,
          image: s.image,
          told: tellStory(s),
          createdAt: time(s.createdAt),
          startedAt: time(s.startedAt),
          diedAt: time(s.diedAt),
          exitCode: s.exitCode,
          oom: s.oom,
          newest: s.id === events.value.newest?.id,
        }))
      : [],
    eventsComplete: events.ok ? !events.value.history.full : null,
  }
  return finish(looked, stepOf(looked, 'container'), view, (shown) => containerText(shown as ContainerView))
}

// ---- step 3 -------------------------------------------------------------------------

/** The newest attempt line by line (all of them with `verbose`), between the lines of main.log of the same time. */
export async function logsReport(system: System, server: string, options: StepOptions): Promise<StepReport> {
  const looked = await lookAt(system, server, options, needs.logs)
  const { serverLog, mainLog } = looked.subject.evidence
  const log = serverLog.ok ? serverLog.value : null
  const attempts = log?.attempts ?? []
  const shownAttempts = options.verbose ? attempts : attempts.slice(-1)
  const from = options.verbose ? 0 : (shownAttempts[0]?.startedAt.getTime() ?? 0)
  const main = mainLog.ok ? mainLog.value.lines.filter((l) => l.at.getTime() >= from) : []
  const toView = (source: 'server' | 'main') => (line: LogLine) => ({
    time: line.at.getTime(),
    at: line.time,
    source,
    level: line.level,
    text: textOf(line),
    file: line.file,
    line: line.number,
  })
  const lines = [...shownAttempts.flatMap((a) => a.lines).map(toView('server')), ...main.map(toView('main'))]
    .sort((a, b) => a.time - b.time)
    .map(({ time: _, ...line }) => line)
  const view: Omit<LogsView, 'server' | 'step'> = {
    files: [...(log?.files ?? []), ...(mainLog.ok ? mainLog.value.files : [])],
    attempts: attempts.map((a) => ({ startedAt: a.startedAt.toISOString(), outcome: a.outcome, durationMs: a.durationMs, error: a.error })),
    lines,
    attemptsLeftOut: attempts.length - shownAttempts.length,
    unread: [...(serverLog.ok ? [] : [serverLog.error.message]), ...(mainLog.ok ? [] : [mainLog.error.message])],
  }
  return finish(looked, stepOf(looked, 'logs'), view, (shown, home) => logsText(shown as LogsView, home))
}

/** Since when it fails; exit code 1 when it does, 3 when the logs do not tell. */
export async function historyReport(system: System, server: string, options: StepOptions): Promise<StepReport> {
  const looked = await lookAt(system, server, options, needs.history)
  const { serverHistory } = await import('./history.ts')
  const history = redactValue(await serverHistory(system, looked.subject, Date.now() + options.timeoutMs), looked.redact)
  const known = history.lastSuccess !== null || history.firstFailure !== null
  return {
    data: { schemaVersion: 1, server, history: { ...history } } as unknown as StepReport['data'],
    text: (theme) => historyText(server, history, looked.home, theme),
    exitCode: history.firstFailure ? 1 : known && history.unread.length === 0 ? 0 : 3,
  }
}

function textOf(line: LogLine): string {
  const cite = citeLog(line)
  return cite.type === 'log' ? cite.text : ''
}

// ---- step 4 -------------------------------------------------------------------------

export async function argsReport(system: System, server: string, options: StepOptions): Promise<StepReport> {
  if (options.diff) return argsReportOf(await lookAt(system, server, options, needs.argsDiff), system, options)
  let ready: { subject: Subject; report: Promise<StepReport> } | undefined
  const looked = await lookAt(system, server, options, needs.args, (expected) => {
    const report = argsReportOf(expected, system, options)
    // If it is of use, who waits for it is told.
    report.then(options.expected, () => undefined)
    ready = { subject: expected.subject, report }
  })
  return ready?.subject === looked.subject ? ready.report : argsReportOf(looked, system, options)
}

async function argsReportOf(looked: Looked, system: System, options: StepOptions): Promise<StepReport> {
  const { config, setup } = looked.subject.evidence
  const known = config.ok ? config.value : undefined
  const run = effectiveRun(known, setup.ok ? setup.value : null)
  const logged = run?.logged ?? null
  const argv = run ? maskedArgs(run.runArgs, run.run) : []
  const view: Omit<ArgsView, 'server' | 'step'> = {
    source: run ? (logged ? 'log' : 'config') : null,
    at: logged?.line.time ?? null,
    place: logged ? { file: logged.line.file, line: logged.line.number } : null,
    logError: setup.ok ? null : setup.error.message,
    argv,
    groups: run ? groupsOf(argv, run.runArgs, run.run, known, looked.subject.version.value) : [],
    image: run?.run.image ?? null,
    command: run ? maskedWords(run.command) : [],
    hostCommand: run || !known?.server ? [] : maskedWords([known.server.command, ...known.server.args]),
  }
  const step = stepOf(looked, 'args', await findingsOf(looked))
  const seen: Step = run === null && !config.ok ? { step: 'args', outcome: 'unknown', summary: config.error.message } : step
  if (options.diff) {
    const { argsDiff } = await import('./args-diff.ts')
    const diff = await argsDiff(looked.subject, system)
    return finish(looked, seen, { ...view, diff }, (shown) => argsDiffText(shown as ArgsView & ArgsDiffView))
  }
  if (!options.shell) return finish(looked, seen, view, (shown, home) => argsText(shown as ArgsView, home))
  const line = run ? pasteable(run.runArgs, run.run, run.command) : null
  const notes =
    (line?.variables ?? []).length > 0 ? [`Set before you run it: ${line?.variables.map((n) => `export ${n}=…`).join('; ')}`] : []
  return finish(looked, seen, { ...view, shell: line ? ['docker', ...line.argv] : [] }, (shown) => shellLineOf(shown.shell), notes)
}

/** Each flag with its value, `masked`, and its origin where today's configuration gives the same. */
function groupsOf(
  masked: readonly string[],
  runArgs: readonly string[],
  run: DockerRun,
  config: ConfigEvidence | undefined,
  version: Version,
): ArgsView['groups'] {
  const origins = new Map<string, string>()
  if (config?.server && config.decision?.runs === 'docker')
    for (const t of flagsTogether(isolatedRun(config.server, config.global, version).tokens)) origins.set(t.tokens.join('\0'), t.origin)
  const valueOf = new Map(run.flags.map((f) => [f.index, f.valueIndex]))
  const groups: ArgsView['groups'] = []
  for (let i = 0; i < runArgs.length;) {
    const end = Math.max(i, valueOf.get(i) ?? i)
    const [flag = '', value = ''] = runArgs.slice(i, end + 1)
    // MCPProxy makes these anew for each start; the first three stand together.
    const own =
      ['run', '--rm', '-i'].includes(flag) || (flag === '--name' && value.startsWith('mcpproxy-')) || value.startsWith('com.mcpproxy.')
    const origin = config?.decision?.runs === 'docker' && own ? 'MCPProxy' : (origins.get(runArgs.slice(i, end + 1).join('\0')) ?? null)
    groups.push({ tokens: masked.slice(i, end + 1), origin: config?.decision?.runs === 'own-docker' ? "the server's args" : origin })
    i = end + 1
  }
  return groups
}

/**
 * The command without what is MCPProxy's own (its name, labels and cidfile, by which it would take the container for its
 * own), and with every variable handed over by name, so that no value stands in a line or a process list.
 */
export function pasteable(runArgs: readonly string[], run: DockerRun, command: readonly string[]): { argv: string[]; variables: string[] } {
  const variables: string[] = []
  const masked = maskedArgs(runArgs, run, (name) => {
    variables.push(name)
    return name
  })
  const dropped = new Set<number>()
  for (const flag of run.flags) {
    const own =
      flag.name === 'cidfile' ||
      (flag.name === 'name' && flag.value?.startsWith('mcpproxy-')) ||
      (flag.name === 'label' && flag.value?.startsWith('com.mcpproxy.'))
    if (own) for (let i = flag.index; i <= flag.valueIndex; i++) dropped.add(i)
  }
  return { argv: [...masked.filter((_, i) => !dropped.has(i)), ...maskedWords(command)], variables }
}
