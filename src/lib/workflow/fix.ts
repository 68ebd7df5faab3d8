/** Step 6: the remedy of a cause, as a diff or applied. What is applied is proven by a restart; what does not help is taken back. */
import { suggestNames, UserError } from '../errors.ts'
import { configFor, configReading } from '../evidence/collect-config.ts'
import { parseConfig } from '../formats/mcp-config.ts'
import { ownRestart, reloadWay } from '../mcpproxy/reloading.ts'
import { rules } from '../rules/index.ts'
import { backUp, ConfigChanged, realPath, replaceConfigFile } from '../system/config-file.ts'
import type { LiveSystem } from '../system/live.ts'
import type { PullResult } from '../system/replay-run.ts'
import type { System } from '../system/system.ts'
import { makePlan, type Offer, type Plan } from './fix-plan.ts'
import { dropBackup, type FixOptions, type FixReport, tell } from './fix-report.ts'
import { putBack, takeBack, type Work } from './fix-restore.ts'
import { type Proof, restartAndProve, serversNow, waitForReload, watchServer } from './proof.ts'
import { hitText, lookAround, othersHit, type Scene } from './reload.ts'

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
