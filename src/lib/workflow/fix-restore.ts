/** What did not help is taken back: the old bytes, or at least our values, and the server as it ran before. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { type ConfigPath, parseConfig, plain, valueAt } from '../formats/mcp-config.ts'
import { reloadWay } from '../mcpproxy/reloading.ts'
import { applyConfigEdits } from '../remedies/config-edit.ts'
import type { ConfigEdit } from '../remedies/remedy.ts'
import { ConfigChanged, type ConfigFile, readConfigFile, replaceConfigFile } from '../system/config-file.ts'
import type { Plan } from './fix-plan.ts'
import { dropBackup, type FixOptions, type FixReport, tell } from './fix-report.ts'
import { type Proof, restartsAsBefore, waitForReload, type Watched, watchServer } from './proof.ts'
import { othersHit, type Scene } from './reload.ts'

/** What was done so far, for taking it back. */
export interface Work {
  original: ConfigFile
  current: ConfigFile
  edits: ConfigEdit[]
  /** The configuration as it was understood before. */
  before: ConfigEvidence | null
  tried: Set<string>
  /** The logs since before the last writing. */
  watched: Watched
}

export async function takeBack(
  scene: Scene,
  plan: Plan,
  work: Work,
  proof: Proof,
  report: FixReport,
  options: FixOptions,
): Promise<FixReport> {
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
export async function putBack(work: Work): Promise<'bytes' | 'edits' | null> {
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
