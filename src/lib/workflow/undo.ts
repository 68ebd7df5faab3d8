/** `fix --undo`: the newest backup again, with the same reload and verification. */
import { collectServers, collectShared } from '../evidence/collect.ts'
import { configFor, configReading, type ConfigReading } from '../evidence/collect-config.ts'
import { UserError } from '../errors.ts'
import { parseConfig, plain, valueAt } from '../formats/mcp-config.ts'
import { ownRestart, reloadWay } from '../mcpproxy/reloading.ts'
import { backUp, ConfigChanged, listBackups, readBackup, readConfigFile, removeBackup, replaceConfigFile } from '../system/config-file.ts'
import type { LiveSystem } from '../system/live.ts'
import { maskedDiff } from './fix-plan.ts'
import type { FixReport } from './fix-report.ts'
import { restartAndProve, waitForReload, watchServer, type ProofOptions, type Watched } from './proof.ts'
import { hitText, lookAround, othersHit, type Scene } from './reload.ts'

export interface UndoOptions extends ProofOptions {
  /** Null: those whose entries change. */
  server: string | null
  yes: boolean
  timeoutMs: number
  confirm: ((report: FixReport) => Promise<boolean>) | null
  onWritten: (backup: string) => void
}

export async function undo(system: LiveSystem, options: UndoOptions): Promise<FixReport> {
  const { config } = await system.locations()
  if (config === null) throw new UserError('No mcp_config.json was found.', ['Name it with --config.'])
  const file = await readConfigFile(config)
  const backups = await listBackups(config)
  const [newest] = backups
  if (newest === undefined) throw new UserError(`There is no backup of ${config}: mcpproxy-doctor has not changed it.`)
  const bytes = await readBackup(newest)
  const report: FixReport = {
    server: options.server ?? '',
    code: null,
    title: `Back to ${newest}`,
    rank: null,
    config,
    remedies: [],
    applied: [],
    verified: null,
    restored: false,
    backup: null,
    steps: [],
    notes: backups.length > 1 ? [`Older backups: ${backups.slice(1).join(', ')}`] : [],
    exitCode: 1,
  }
  if (bytes.equals(file.bytes)) {
    report.notes.unshift(`Nothing to undo: ${config} holds the same bytes as its newest backup ${newest}.`)
    return { ...report, exitCode: 0 }
  }
  options.progress('looking at the configuration, MCPProxy and the engine')
  const shared = await collectShared(system, Date.now() + options.timeoutMs)
  const { version, redact } = await collectServers(shared, [])
  const before = readingOf(config, file.bytes)
  const after = readingOf(config, bytes)
  const names = options.server === null ? changedServers(before, after) : [options.server]
  if (options.server !== null && !after.servers.some((s) => s.name === options.server))
    throw new UserError(`The backup ${newest} has no server "${options.server}".`)
  report.server = names.join(', ')
  const change = {
    code: 'undo',
    kind: 'config-edit' as const,
    title: `Back to ${newest}`,
    class: null,
    because: null,
    diff: redact(maskedDiff(config, file.bytes.toString('utf8'), bytes.toString('utf8'))),
    affects: [],
    argv: null,
    allowed: true,
  }
  report.remedies.push(change)
  if (!shared.status.ok) {
    report.notes.unshift(redact(`MCPProxy cannot be asked: ${shared.status.error.message} Nothing was changed.`))
    return { ...report, exitCode: 3 }
  }
  const scene = shared.status.value === null ? null : await lookAround(system, shared, version.value)
  if (!options.yes) {
    for (const name of names) {
      const hit = scene ? othersHit(scene, name).filter((o) => !names.includes(o)) : []
      if (hit.length > 0)
        throw new UserError(hitText(name, hit), ['--yes does it all the same, and restarts those that were hit after it.'])
    }
    if (options.confirm === null)
      throw new UserError('Nobody can be asked here whether to go back.', ['Give --yes to do it without a question.'])
    if (!(await options.confirm(report))) return { ...report, notes: ['Nothing was changed.'] }
  }
  // Going back can be taken back as well.
  const saved = await backUp(file, system.now())
  report.backup = saved.backup
  if (saved.removed.length > 0) report.notes.push(`Of the backups the last ten are kept; removed: ${saved.removed.join(', ')}`)
  const watched = await Promise.all(names.map((name) => watchServer(system, name, version.value)))
  try {
    await replaceConfigFile(file, bytes)
  } catch (error) {
    await removeBackup(saved.backup)
    if (error instanceof ConfigChanged) throw new UserError(`${error.message}; nothing was written.`, ['Try again.'])
    throw error
  }
  options.onWritten(saved.backup)
  report.steps.push({ name: 'backup', ok: true, text: saved.backup }, { name: 'restored', ok: true, text: `${config} is as in ${newest}` })
  report.restored = true
  report.applied.push(change)
  if (scene === null) {
    report.notes.push('MCPProxy does not run, so nothing could be verified; its next start takes the file.')
    return { ...report, exitCode: 3 }
  }
  return verify(scene, after, watched, report, options, redact)
}

async function verify(
  scene: Scene,
  after: ConfigReading,
  servers: readonly Watched[],
  report: FixReport,
  options: UndoOptions,
  redact: (text: string) => string,
): Promise<FixReport> {
  const way = reloadWay(scene.version, [['mcpServers']])
  if (way.way === 'own-restart') {
    report.notes.push(`${way.because}. ${ownRestart(scene.status.pid)}`)
    return { ...report, exitCode: 3 }
  }
  const verdicts: (boolean | null)[] = []
  let reloaded = false
  for (const watched of servers) {
    const name = watched.server
    if (way.way === 'watch' && !reloaded) {
      const taken = await waitForReload(watched, options.progress)
      report.steps.push({ name: 'reloaded', ok: taken.taken, text: redact(taken.text) })
      reloaded = true
      if (taken.taken === false) return { ...report, verified: false, exitCode: 1 }
    }
    const intended = configFor(after, name, scene.version)
    if (intended.server?.enabled !== true) {
      report.notes.push(`${name} is not enabled in the backup, so it was not restarted.`)
      continue
    }
    const proof = await restartAndProve(watched, intended, { now: scene.now, configs: scene.configs, hit: othersHit(scene, name) }, options)
    report.steps.push(...proof.steps.map((s) => ({ ...s, text: redact(s.text) })))
    verdicts.push(proof.verdict === 'works' ? true : proof.verdict === 'fails' ? false : null)
  }
  if (servers.length === 0)
    report.notes.push('Only global values changed; each server takes them at its next restart (mcpproxy-doctor reload --all).')
  report.verified = verdicts.includes(false) ? false : verdicts.length === 0 || verdicts.includes(null) ? null : true
  return { ...report, exitCode: report.verified === true ? 0 : report.verified === false ? 1 : 3 }
}

const readingOf = (path: string, bytes: Buffer): ConfigReading =>
  configReading(parseConfig(path, bytes), { trackedPath: null, otherPaths: [], mtimeMs: null })

/** Names of servers whose entry is not the same in both. */
function changedServers(a: ConfigReading, b: ConfigReading): string[] {
  const entry = (reading: ConfigReading, name: string): string => {
    const index = reading.servers.find((s) => s.name === name)?.index
    return index === undefined ? '' : JSON.stringify(plain(valueAt(reading.document, ['mcpServers', index])))
  }
  return b.servers.map((s) => s.name).filter((name) => entry(a, name) !== entry(b, name))
}
