/** The one next command, at the end of a report. */
import type { Finding } from '../rules/rule.ts'
import type { Report, ServerReport } from './report.ts'

export type Next = { kind: 'run'; argv: string[] } | { kind: 'do'; text: string }

export interface NextOptions {
  /** Commands that this build has; all when not given. */
  commands?: readonly string[]
  /** Flags that say where to look, so that the next command looks there too. */
  flags?: readonly string[]
}

const bin = 'mcpproxy-doctor'

/** Null: nothing to do. */
export function nextStep(report: Report, { commands, flags = [] }: NextOptions): Next | null {
  const has = (command: string): boolean => !commands || commands.includes(command)
  // A name that looks like a flag stands behind `--`, and that behind the flags.
  const run = (command: string, name: string, ...rest: string[]): Next => ({
    kind: 'run',
    argv: name.startsWith('-') ? [bin, command, ...rest, ...flags, '--', name] : [bin, command, name, ...rest, ...flags],
  })
  const server = report.servers.find((s) => s.verdict === 'problem') ?? report.servers.find((s) => s.verdict === 'undetermined')
  const finding = firstError(report)
  const recorded = report.recordedAt !== null
  if (!finding) return server ? undecided(server, run, has) : null
  const subject = finding.server ?? finding.affects?.[0] ?? server?.server
  const refuted = report.servers.find((s) => s.findings.includes(finding))?.replayed?.refuted ?? []
  for (const [index, remedy] of finding.remedies.entries()) {
    if (refuted.some((r) => r.code === finding.code && r.remedy === index)) continue
    if (remedy.kind === 'command' && !recorded) return { kind: 'run', argv: remedy.argv }
    if (remedy.kind === 'config-edit' && subject !== undefined && !recorded) {
      if (has('fix')) return run('fix', subject, '--apply', ...(remedy.class === 'safe' ? [] : ['--allow', remedy.class]))
      return { kind: 'do', text: 'change the file as shown, then restart the server' }
    }
    if (remedy.kind === 'reload' && subject !== undefined && !recorded)
      return has('reload') ? run('reload', subject) : { kind: 'do', text: 'restart the server in MCPProxy' }
  }
  if (finding.remedies.length === 0 && finding.rank === 'suspected' && subject !== undefined && has('replay') && !recorded)
    return run('replay', subject)
  if (finding.remedies.length === 0 && subject !== undefined) return run('logs', subject)
  return { kind: 'run', argv: [bin, 'explain', finding.code] }
}

/** The cause: the first error of the file or the machine, else of a server. */
export function firstError(report: Report): Finding | null {
  const all = [...report.findings, ...report.servers.flatMap((s) => s.findings)]
  return all.find((f) => f.severity === 'error') ?? null
}

function undecided(server: ServerReport, run: (command: string, name: string) => Next, has: (command: string) => boolean): Next {
  const open = new Set(server.undetermined.map((u) => u.source))
  if (open.has('serverLog') && !open.has('engine')) return run('container', server.server)
  if (!open.has('serverLog')) return run('logs', server.server)
  return run(has('isolation') ? 'isolation' : 'check', server.server)
}
