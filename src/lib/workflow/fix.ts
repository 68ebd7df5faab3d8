/**
 * Step 6: the remedy of a cause, as a diff or applied. What is applied is proven by a restart; what does not help is taken back.
 * Everything here works on the true text of the file; secrets are struck from what is shown, never from what is written.
 */
import { collectServers, collectShared, type Shared } from '../evidence/collect.ts'
import { configFor, configReading } from '../evidence/collect-config.ts'
import type { ConfigEvidence, Subject } from '../evidence/evidence.ts'
import { maskedConfig, type Redactor } from '../evidence/secrets.ts'
import { suggestNames, UserError } from '../errors.ts'
import { parseConfig, plain, valueAt, type ConfigPath } from '../formats/mcp-config.ts'
import { ownRestart, reloadWay } from '../mcpproxy/reloading.ts'
import { applyChange, applyConfigEdits } from '../remedies/config-edit.ts'
import type { ConfigEdit, EditClass, Remedy } from '../remedies/remedy.ts'
import { diffText, entryHunks } from '../report/edit-diff.ts'
import type { ServerReport } from '../report/report.ts'
import { rules } from '../rules/index.ts'
import type { Finding } from '../rules/rule.ts'
import { backUp, ConfigChanged, readConfigFile, realPath, removeBackup, replaceConfigFile, type ConfigFile } from '../system/config-file.ts'
import type { LiveSystem } from '../system/live.ts'
import type { PullResult } from '../system/replay-run.ts'
import type { System } from '../system/system.ts'
import { chooseServers, serverReport } from './check.ts'
import { withVariables } from './redact.ts'
import { replayServer, worthReplaying } from './replay.ts'
import { createStarter } from './start.ts'
import {
  restartAndProve,
  restartsAsBefore,
  serversNow,
  waitForReload,
  watchServer,
  type Proof,
  type ProofOptions,
  type ProofStep,
  type Watched,
} from './proof.ts'
import { hitText, lookAround, othersHit, type Scene } from './reload.ts'

export interface FixOptions extends ProofOptions {
  server: string
  /** Only the remedies of this finding; null: of the cause. */
  code: string | null
  apply: boolean
  allow: readonly EditClass[]
  yes: boolean
  /** Also run a harmless command (`docker pull`). */
  run: boolean
  /** Variables for `${env:NAME}` in a replay. */
  env: Readonly<Record<string, string | undefined>>
  /** Milliseconds for looking, before anything is done. */
  timeoutMs: number
  /** Asks the person at the terminal; null: nobody can be asked. */
  confirm: ((report: FixReport) => Promise<boolean>) | null
  /** Called when the file has been written, so that an interruption can say so. */
  onWritten: (backup: string) => void
}

/** A remedy as it is shown: secrets struck. */
export interface ShownRemedy {
  code: string
  kind: Remedy['kind']
  title: string
  class: EditClass | null
  because: string | null
  /** Changed lines, each hunk after `@@ LINE @@`. */
  diff: string | null
  /** Other servers that a change of a global value concerns. */
  affects: string[]
  argv: string[] | null
  /** Would `--apply` apply it, with the classes that are allowed? */
  allowed: boolean
}

export interface FixReport {
  server: string
  code: string | null
  title: string | null
  rank: Finding['rank'] | null
  config: string | null
  remedies: ShownRemedy[]
  applied: ShownRemedy[]
  /** Null: it was not tried, or could not be told. */
  verified: boolean | null
  restored: boolean
  backup: string | null
  steps: ProofStep[]
  /** What is to be said beside the steps. */
  notes: string[]
  /** 0 verified or nothing to do, 1 something to do, 3 could not verify, 5 did not help and was undone. */
  exitCode: 0 | 1 | 3 | 5
}

interface Offer {
  remedy: Remedy
  shown: ShownRemedy
  /** The text of the file with the edits in it; null: nothing is written. */
  after: string | null
}

interface Plan {
  shared: Shared
  subject: Subject
  version: Subject['version']
  redact: Redactor
  report: ServerReport
  finding: Finding | null
  offers: Offer[]
  file: ConfigFile | null
}

/** Causes that hide behind each other are mended one after the other, so many at most. */
const mostRounds = 4

export async function fix(system: System, options: FixOptions): Promise<FixReport> {
  if (options.code !== null && !rules.some((r) => r.code === options.code)) {
    const near = suggestNames(
      options.code,
      rules.map((r) => r.code),
    )
    throw new UserError(
      `There is no finding "${options.code}".`,
      near.length > 0 ? [`Did you mean ${near.map((n) => `"${n}"`).join(' or ')}?`] : [],
    )
  }
  const plan = await makePlan(system, options)
  const report = emptyReport(plan, options)
  if (plan.finding === null) return nothingFound(report, plan, options)
  if (!options.apply && !options.run) return { ...report, exitCode: 1 }
  if (system.recording)
    throw new UserError('A capture is only looked at: nothing can be applied to it.', ['Leave out --from, --apply and --run.'])
  return carryOut(system as LiveSystem, plan, report, options)
}

/** A cause that is only suspected is put to the test before anything is offered for it. */
async function settled(system: System, subject: Subject, report: ServerReport, options: FixOptions): Promise<ServerReport> {
  const cause = report.findings.find((f) => f.severity === 'error')
  if (cause?.rank !== 'suspected' && report.verdict !== 'undetermined') return report
  const { env } = options
  if (!worthReplaying(subject, report, { env, allow: new Set(options.allow) })) return report
  const starter = await createStarter(system)
  if (!starter) return report
  const { allow, progress } = options
  return replayServer(subject, report, {
    allow: new Set(allow),
    starts: 8,
    budgetMs: 120_000,
    env,
    start: (spec, limitMs) => starter.start(spec, limitMs),
    judge: serverReport,
    progress,
  })
}

// ---- planning ---------------------------------------------------------------------

async function makePlan(system: System, options: FixOptions): Promise<Plan> {
  options.progress(`checking ${options.server}`)
  const shared = await collectShared(system, Date.now() + options.timeoutMs)
  chooseServers(shared, { servers: [options.server], all: false, timeoutMs: options.timeoutMs })
  const { subjects, version, redact: known } = await collectServers(shared, [options.server])
  const redact = withVariables(known, shared.config.ok ? shared.config.value.document.text : '', options.env)
  const [subject] = subjects
  if (!subject) throw new Error(`nothing was collected about ${options.server}`)
  const report = await settled(system, subject, serverReport(subject), options)
  const finding =
    options.code === null
      ? (report.findings.find((f) => f.severity === 'error') ?? null)
      : (report.findings.find((f) => f.code === options.code) ?? null)
  const path = shared.locations.config
  const file = path === null || system.recording !== null ? null : await readConfigFile(path)
  const text = file ? decoded(file) : shared.config.ok ? shared.config.value.document.text : null
  const offers = (finding?.remedies ?? []).map((remedy) => offerOf(remedy, finding as Finding, text, shared, redact, options))
  return { shared, subject, version, redact, report, finding, offers, file }
}

/** Null: not UTF-8, and so nothing that could be written back byte for byte. */
function decoded(file: ConfigFile): string | null {
  const text = file.bytes.toString('utf8')
  return Buffer.from(text).equals(file.bytes) ? text : null
}

function offerOf(remedy: Remedy, finding: Finding, text: string | null, shared: Shared, redact: Redactor, options: FixOptions): Offer {
  const { code } = finding
  // What one text says is changed only when the user names the finding.
  const sure = finding.rank !== 'suspected' || options.code === code
  const edit = remedy.kind === 'config-edit' ? remedy : null
  const after = edit && text !== null ? usable(text, applyChange(text, edit)) : null
  const allowed =
    edit !== null
      ? after !== null && sure && (edit.class === 'safe' || options.allow.includes(edit.class))
      : remedy.kind === 'reload' || (remedy.kind === 'command' && options.run && isHarmless(remedy.argv))
  const path = shared.config.ok ? shared.config.value.document.path : ''
  return {
    remedy,
    after,
    shown: {
      code,
      kind: remedy.kind,
      title: redact(remedy.title),
      class: edit?.class ?? null,
      because: edit ? redact(edit.because) : null,
      diff: after !== null && text !== null ? redact(maskedDiff(path, text, after)) : null,
      affects: edit ? affected(edit.edits, shared, options.server) : [],
      argv: remedy.kind === 'command' ? remedy.argv.map(redact) : null,
      allowed,
    },
  }
}

/** Only what MCPProxy takes, and only what changes something. */
function usable(before: string, after: string | null): string | null {
  if (after === null || after === before) return null
  try {
    JSON.parse(after)
    return after
  } catch {
    return null
  }
}

/** Both texts masked on their own, so that no secret of either is seen. */
export function maskedDiff(path: string, before: string, after: string): string {
  const masked = (text: string): string => maskedConfig(parseConfig(path, Buffer.from(text))).text
  return diffText(entryHunks(masked(before), masked(after)))
}

/** A global value concerns the others at their next start. */
function affected(edits: readonly ConfigEdit[], shared: Shared, server: string): string[] {
  if (!shared.config.ok || edits.every((e) => e.path[0] === 'mcpServers')) return []
  return shared.config.value.servers.filter((s) => s.enabled === true && s.name !== server && s.command !== '').map((s) => s.name)
}

const isHarmless = (argv: readonly string[]): boolean => argv[0] === 'docker' && argv[1] === 'pull' && argv.length === 3

function emptyReport(plan: Plan, options: FixOptions): FixReport {
  const { finding, redact } = plan
  return {
    server: options.server,
    code: finding?.code ?? null,
    title: finding ? redact(finding.title) : null,
    rank: finding?.rank ?? null,
    config: plan.shared.locations.config,
    remedies: plan.offers.map((o) => o.shown),
    applied: [],
    verified: null,
    restored: false,
    backup: null,
    steps: [],
    notes: [],
    exitCode: 1,
  }
}

function nothingFound(report: FixReport, plan: Plan, options: FixOptions): FixReport {
  const { verdict, summary } = plan.report
  if (options.code !== null) report.notes.push(`${options.code} was not found at ${options.server}.`)
  report.notes.push(plan.redact(`${options.server}: ${summary}.`))
  return { ...report, exitCode: verdict === 'healthy' ? 0 : verdict === 'undetermined' ? 3 : 1 }
}

// ---- applying ---------------------------------------------------------------------

/** What was done so far, for taking it back. */
interface Work {
  original: ConfigFile
  current: ConfigFile
  edits: ConfigEdit[]
  /** The configuration as it was understood before. */
  before: ConfigEvidence | null
  tried: Set<string>
  /** The logs since before the last writing. */
  watched: Watched
}

async function carryOut(system: LiveSystem, plan: Plan, report: FixReport, options: FixOptions): Promise<FixReport> {
  const offer = plan.offers.find((o) => o.shown.allowed)
  if (!offer) {
    report.notes.push(...whyNothing(plan))
    return { ...report, exitCode: 1 }
  }
  const scene = await sceneOf(system, plan, report)
  if (scene === 'unasked') return { ...report, exitCode: 3 }
  if (scene) refuseToHit(scene, options)
  if (!options.yes) {
    if (options.confirm === null)
      throw new UserError('Nobody can be asked here whether to apply this.', ['Give --yes to apply it without a question.'])
    if (!(await options.confirm(report))) {
      report.notes.push('Nothing was changed.')
      return { ...report, exitCode: 1 }
    }
  }
  if (offer.remedy.kind === 'command') return runCommand(system, plan, offer.remedy.argv, scene, report, options)
  if (offer.remedy.kind === 'reload' || offer.after === null) return reloadOnly(plan, scene, offer, report, options)
  return applyEdits(system, plan, offer, scene, report, options)
}

function whyNothing(plan: Plan): string[] {
  const classes = plan.offers.flatMap((o) =>
    o.remedy.kind === 'config-edit' && o.after !== null && o.remedy.class !== 'safe' ? [o.remedy.class] : [],
  )
  if (plan.finding?.rank === 'suspected' && plan.offers.some((o) => o.after !== null && !o.shown.allowed))
    return [
      `Nothing was changed: ${plan.finding.code} is only suspected. To try its remedy all the same, name it: fix SERVER ${plan.finding.code}.`,
    ]
  if (classes.length > 0) return [`Nothing was changed: it needs --allow ${[...new Set(classes)].join(' or --allow ')}.`]
  if (plan.offers.some((o) => o.remedy.kind === 'config-edit')) return ['Nothing was changed: the file cannot be edited as it is.']
  if (plan.offers.some((o) => o.remedy.kind === 'command')) return ['Nothing was changed: no edit of the configuration helps here.']
  return ['Nothing was changed: this is nothing that an edit of the configuration heals.']
}

/** Null: MCPProxy does not run. `unasked`: it runs, but could not be asked, so nothing may be done. */
async function sceneOf(system: LiveSystem, plan: Plan, report: FixReport): Promise<Scene | null | 'unasked'> {
  const { shared, redact } = plan
  if (shared.status.ok && shared.status.value === null) return null
  if (!shared.status.ok) {
    report.notes.push(redact(`MCPProxy cannot be asked, so nothing could be proven: ${shared.status.error.message} Nothing was changed.`))
    return 'unasked'
  }
  const tracked = shared.status.value?.configPath ?? null
  if (plan.file && tracked !== null && (await realPath(tracked)) !== plan.file.target)
    throw new UserError(`MCPProxy saves to and watches ${tracked}, not ${plan.file.path}: a change there would not reach it.`, [
      `Use --config ${tracked}.`,
    ])
  return lookAround(system, shared, plan.version.value)
}

function refuseToHit(scene: Scene, options: FixOptions): void {
  const hit = othersHit(scene, options.server)
  if (hit.length > 0 && !options.yes)
    throw new UserError(hitText(options.server, hit), ['--yes does it all the same, and restarts those that were hit after it.'])
}

async function runCommand(
  system: LiveSystem,
  plan: Plan,
  argv: readonly string[],
  scene: Scene | null,
  report: FixReport,
  options: FixOptions,
): Promise<FixReport> {
  const image = argv[2] ?? ''
  const done = await pulled(system, image, (line) => options.progress(`docker pull ${image}: ${line}`))
  report.applied = plan.offers.filter((o) => o.remedy.kind === 'command').map((o) => o.shown)
  if (!done.ok) {
    report.notes.push(plan.redact(`docker pull ${image} failed: ${done.message}`))
    return { ...report, exitCode: 1 }
  }
  return reloadOnly(plan, scene, null, report, options)
}

async function pulled(system: LiveSystem, image: string, onProgress: (line: string) => void): Promise<PullResult> {
  try {
    return await system.replays.pullImage(image, { onProgress })
  } catch (error) {
    return { ok: false, kind: null, message: error instanceof Error ? error.message : String(error) }
  }
}

/** A restart is all it takes: nothing is written, so nothing can be taken back. */
async function reloadOnly(
  plan: Plan,
  scene: Scene | null,
  offer: Offer | null,
  report: FixReport,
  options: FixOptions,
): Promise<FixReport> {
  if (scene === null) {
    report.notes.push('MCPProxy does not run; its next start does the same.')
    return { ...report, exitCode: 3 }
  }
  const config = plan.subject.evidence.config
  if (!config.ok) throw new UserError(config.error.message)
  const way = reloadWay(scene.version, plan.finding?.code === 'not-restarted' ? [['mcpServers', config.value.server?.index ?? 0]] : [])
  if (way.way === 'own-restart') {
    report.notes.push(`${way.because}. ${ownRestart(scene.status.pid)}`)
    return { ...report, exitCode: 3 }
  }
  if (offer) report.applied.push(offer.shown)
  const watched = await watchServer(scene.system, options.server, scene.version)
  const proof = await restartAndProve(
    watched,
    config.value,
    { now: scene.now, configs: scene.configs, hit: othersHit(scene, options.server) },
    options,
  )
  tell(report, proof.steps, plan.redact)
  report.verified = proof.verdict === 'works' ? true : proof.verdict === 'fails' ? false : null
  return { ...report, exitCode: proof.verdict === 'works' ? 0 : proof.verdict === 'fails' ? 1 : 3 }
}

const tell = (report: FixReport, steps: readonly ProofStep[], redact: Redactor): void =>
  void report.steps.push(...steps.map((s) => ({ ...s, text: redact(s.text) })))

async function applyEdits(
  system: LiveSystem,
  first: Plan,
  firstOffer: Offer,
  firstScene: Scene | null,
  report: FixReport,
  options: FixOptions,
): Promise<FixReport> {
  let [plan, offer, scene]: [Plan, Offer, Scene | null] = [first, firstOffer, firstScene]
  let work = await write(system, plan, offer, null, report, options)
  if (work === null) {
    // Somebody saved the file in between: look again once, and go on only with the same change.
    const again = await makePlan(system, options)
    const same = again.offers.find((o) => o.shown.allowed && o.shown.diff === offer.shown.diff && o.shown.code === offer.shown.code)
    if (same) [plan, offer, work] = [again, same, await write(system, again, same, null, report, options)]
    if (work === null)
      throw new UserError(`${report.config ?? 'The file'} was changed by another program in the meantime; nothing was written.`, [
        'Try again.',
      ])
  }
  if (scene === null) {
    report.notes.push('MCPProxy does not run, so the change could not be verified; its next start takes it.')
    return { ...report, exitCode: 3 }
  }
  try {
    for (let round = 1; ; round++) {
      const proof = await prove(scene, plan, offer, work, report, options)
      if (proof === null || proof.verdict === 'unknown') return { ...report, exitCode: 3 }
      if (proof.verdict === 'works') return { ...report, verified: true, exitCode: 0 }
      const more = proof.verdict === 'fails' && round < mostRounds && options.code === null
      const next: { plan: Plan; offer: Offer } | null = more ? await nextCause(system, work, options) : null
      const further: Work | null =
        next && (await consent(next.plan, next.offer, report, options))
          ? await write(system, next.plan, next.offer, work, report, options)
          : null
      if (next === null || further === null) return await takeBack(scene, plan, work, proof, report, options)
      ;({ plan, offer } = next)
      work = further
      const now = await serversNow(system)
      // What worked before the first change is what has to work in the end.
      if (now.ok) scene = { ...scene, now: { api: scene.now.api, containers: now.value.containers } }
    }
  } catch (error) {
    await putBack(work)
    throw error
  }
}

/** Null: the file was changed by somebody else, and nothing was written. */
async function write(
  system: LiveSystem,
  plan: Plan,
  offer: Offer,
  work: Work | null,
  report: FixReport,
  options: FixOptions,
): Promise<Work | null> {
  const file = work?.current ?? plan.file
  if (!file || offer.after === null || offer.remedy.kind !== 'config-edit') throw new Error('nothing to write')
  if (report.backup === null) {
    const { backup, removed } = await backUp(file, system.now())
    report.backup = backup
    report.steps.push({ name: 'backup', ok: true, text: backup })
    if (removed.length > 0) report.notes.push(`Of the backups the last ten are kept; removed: ${removed.join(', ')}`)
  }
  try {
    const watched = await watchServer(system, options.server, plan.version.value)
    const current = await replaceConfigFile(file, Buffer.from(offer.after))
    options.onWritten(report.backup ?? '')
    report.applied.push(offer.shown)
    const edits = offer.remedy.edits.length
    report.steps.push({ name: 'written', ok: true, text: `${offer.shown.title}${edits > 1 ? ` (${edits} values)` : ''}` })
    const config = plan.subject.evidence.config
    return {
      original: work?.original ?? file,
      current,
      edits: [...(work?.edits ?? []), ...offer.remedy.edits],
      before: work?.before ?? (config.ok ? config.value : null),
      tried: new Set([...(work?.tried ?? []), offer.shown.code]),
      watched,
    }
  } catch (error) {
    if (work === null) await dropBackup(report, 'nothing was written')
    if (error instanceof ConfigChanged) return null
    throw error
  }
}

async function dropBackup(report: FixReport, why: string): Promise<void> {
  if (report.backup === null) return
  await removeBackup(report.backup)
  report.steps = report.steps.filter((s) => s.name !== 'backup')
  report.notes.push(`The backup ${report.backup} was removed: ${why}.`)
  report.backup = null
}

/** Null: this MCPProxy does not take the file while it runs. */
async function prove(scene: Scene, plan: Plan, offer: Offer, work: Work, report: FixReport, options: FixOptions): Promise<Proof | null> {
  const { redact } = plan
  const paths = offer.remedy.kind === 'config-edit' ? offer.remedy.edits.map((e) => e.path) : []
  const way = reloadWay(scene.version, paths.length > 0 ? paths : [[]])
  if (way.way === 'own-restart') {
    report.notes.push(`The change is written, but not verified: ${way.because}. ${ownRestart(scene.status.pid)}`)
    return null
  }
  const { watched } = work
  if (way.way === 'watch') {
    const reloaded = await waitForReload(watched, options.progress)
    tell(report, [{ name: 'reloaded', ok: reloaded.taken, text: reloaded.text }], redact)
    if (reloaded.taken === false) return { verdict: 'fails', steps: [], why: reloaded.text }
  }
  const reading = configReading(parseConfig(work.current.path, work.current.bytes), scene.reading)
  const intended = configFor(reading, options.server, scene.version)
  if (intended.server?.enabled !== true) {
    report.notes.push(`${options.server} is not enabled, so it was not restarted and the change is not verified.`)
    return { verdict: 'unknown', steps: [], why: null }
  }
  const proof = await restartAndProve(
    watched,
    intended,
    { now: scene.now, configs: scene.configs, hit: othersHit(scene, options.server) },
    options,
  )
  tell(report, proof.steps, redact)
  return proof
}

/** What is found now that the first cause is gone, if it can be mended too. */
async function nextCause(system: LiveSystem, work: Work, options: FixOptions): Promise<{ plan: Plan; offer: Offer } | null> {
  const plan = await makePlan(system, options)
  if (plan.finding === null || work.tried.has(plan.finding.code) || plan.file?.bytes.equals(work.current.bytes) !== true) return null
  const offer = plan.offers.find((o) => o.shown.allowed && o.remedy.kind === 'config-edit')
  return offer ? { plan, offer } : null
}

async function consent(plan: Plan, offer: Offer, report: FixReport, options: FixOptions): Promise<boolean> {
  report.remedies.push(offer.shown)
  report.notes.push(plan.redact(`Behind it was another cause: ${plan.finding?.title ?? ''} (${offer.shown.code}).`))
  return options.yes || (options.confirm !== null && (await options.confirm({ ...emptyReport(plan, options), remedies: [offer.shown] })))
}

// ---- taking back ------------------------------------------------------------------

async function takeBack(scene: Scene, plan: Plan, work: Work, proof: Proof, report: FixReport, options: FixOptions): Promise<FixReport> {
  options.progress('putting the old configuration back')
  const exitCode = proof.verdict === 'fails' ? 5 : 3
  const watched = await watchServer(scene.system, options.server, scene.version)
  const put = await putBack(work)
  report.restored = put !== null
  report.verified = proof.verdict === 'fails' ? false : null
  if (put === null) {
    report.steps.push({
      name: 'restored',
      ok: false,
      text: 'the file was changed by another program in the meantime, so it was left alone',
    })
    report.notes.push(`The old configuration is in ${report.backup ?? 'no backup'}.`)
    return { ...report, exitCode: 3 }
  }
  const old = await oldState(scene, watched, work, options)
  tell(report, [{ name: 'restored', ok: old.ok, text: old.text }], plan.redact)
  if (put === 'bytes') await dropBackup(report, 'the file holds the same bytes again')
  return { ...report, exitCode }
}

/** The array that an edit of one of its elements is about: numbers move when elements go. */
function wholeValue(path: ConfigPath): ConfigPath {
  const at = path.findIndex((step, i) => i > 1 && typeof step === 'number')
  return at < 0 ? path : path.slice(0, at)
}

/** Is it still the same server that stands there? */
const nameOf = (path: ConfigPath): ConfigPath => (path[0] === 'mcpServers' ? [...path.slice(0, 2), 'name'] : path)

/** `edits`: the file was saved by MCPProxy meanwhile, and only our values went back. Null: they could not. */
async function putBack(work: Work): Promise<'bytes' | 'edits' | null> {
  try {
    await replaceConfigFile(work.current, work.original.bytes)
    return 'bytes'
  } catch (error) {
    if (!(error instanceof ConfigChanged)) throw error
  }
  const now = await readConfigFile(work.current.path)
  const [then, ours] = [parseConfig('', work.original.bytes), parseConfig('', work.current.bytes)]
  const text = now.bytes.toString('utf8')
  const saved = parseConfig('', now.bytes)
  const paths = work.edits.map((e) => wholeValue(e.path))
  const same = (path: ConfigPath): boolean => JSON.stringify(plain(valueAt(saved, path))) === JSON.stringify(plain(valueAt(ours, path)))
  const after = paths.every((p) => same(p) && same(nameOf(p)))
    ? applyConfigEdits(
        text,
        paths.map((path) => ({ path, value: plain(valueAt(then, path)) })),
      )
    : null
  if (after === null) return null
  try {
    await replaceConfigFile(now, Buffer.from(after))
    return 'edits'
  } catch (error) {
    if (error instanceof ConfigChanged) return null
    throw error
  }
}

/** MCPProxy has the old configuration again, and the server runs with it as it did before. */
async function oldState(scene: Scene, watched: Watched, work: Work, options: FixOptions): Promise<{ ok: boolean | null; text: string }> {
  if (reloadWay(scene.version, [['mcpServers']]).way === 'watch') {
    const reloaded = await waitForReload(watched, options.progress)
    if (reloaded.taken === false) return { ok: null, text: `the old bytes are back; ${reloaded.text}` }
  }
  const { before } = work
  if (before?.server?.enabled !== true) return { ok: true, text: 'the old configuration is back' }
  return restartsAsBefore(watched, before, { now: scene.now, configs: scene.configs, hit: othersHit(scene, options.server) }, options)
}
