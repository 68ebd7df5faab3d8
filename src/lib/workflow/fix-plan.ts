/** What heals a cause, as edits of the true text of the file; secrets are struck from what is shown. */
import { collectServers, collectShared, type Shared } from '../evidence/collect.ts'
import type { Subject } from '../evidence/evidence.ts'
import { maskedConfig, type Redactor } from '../evidence/secrets.ts'
import { parseConfig } from '../formats/mcp-config.ts'
import { applyChange } from '../remedies/config-edit.ts'
import type { ConfigEdit, Remedy } from '../remedies/remedy.ts'
import { diffText, entryHunks } from '../report/edit-diff.ts'
import type { ServerReport } from '../report/report.ts'
import type { Finding } from '../rules/rule.ts'
import { type ConfigFile, readConfigFile } from '../system/config-file.ts'
import type { System } from '../system/system.ts'
import { chooseServers, serverReport } from './check.ts'
import type { FixOptions, ShownRemedy } from './fix-report.ts'
import { withVariables } from './redact.ts'
import { replayServer, worthReplaying } from './replay.ts'
import { createStarter } from './start.ts'

export interface Offer {
  remedy: Remedy
  shown: ShownRemedy
  /** The text of the file with the edits in it; null: nothing is written. */
  after: string | null
}

export interface Plan {
  shared: Shared
  subject: Subject
  version: Subject['version']
  redact: Redactor
  report: ServerReport
  finding: Finding | null
  offers: Offer[]
  file: ConfigFile | null
}

export async function makePlan(system: System, options: FixOptions): Promise<Plan> {
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

/** Milliseconds for all replays together. */
const budgetMs = 120_000

/** A cause that is only suspected is put to the test before anything is offered for it. */
async function settled(system: System, subject: Subject, report: ServerReport, options: FixOptions): Promise<ServerReport> {
  const cause = report.findings.find((f) => f.severity === 'error')
  if (cause?.rank !== 'suspected' && report.verdict !== 'undetermined') return report
  const { env } = options
  if (!worthReplaying(subject, report, { env, allow: new Set(options.allow) })) return report
  const starter = await createStarter(system, { deadline: Date.now() + budgetMs })
  if (!starter) return report
  const { allow, progress } = options
  return replayServer(subject, report, {
    allow: new Set(allow),
    starts: 8,
    budgetMs,
    env,
    start: (spec, limitMs) => starter.start(spec, limitMs),
    judge: serverReport,
    progress,
  })
}
