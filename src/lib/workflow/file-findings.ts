/** What is to be said of the configuration file as a whole: that there is none, or that it names no server. */
import { configFor } from '../evidence/collect-config.ts'
import type { Shared } from '../evidence/collect.ts'
import type { ObservedEvidence, Subject } from '../evidence/evidence.ts'
import { citeHost, citeOffset } from '../rules/cite.ts'
import type { ServerReport } from '../report/report.ts'
import type { Finding } from '../rules/rule.ts'
import { notObserved, observed } from '../system/system.ts'

/** Nothing of this where a capture just does not hold the file: that is undetermined. */
export function fileFindings({ config, locations, status, environment }: Shared): Finding[] {
  const path = locations.config
  // It has read its file: then it is only us who cannot.
  const running = (status.ok && status.value !== null) || (environment.ok && environment.value.source === 'process')
  const severity = running ? 'warning' : 'error'
  if (!config.ok) {
    const { kind, message } = config.error
    if (kind === 'not-recorded' || kind === 'timed-out' || kind === 'interrupted') return []
    const missing = kind === 'unreachable'
    return [
      finding({
        code: missing ? 'config-missing' : 'config-unreadable',
        severity,
        rank: running || kind === 'denied' ? 'suspected' : 'proven',
        title: missing ? 'There is no configuration file' : 'The configuration file cannot be read',
        detail: message,
        facts: { path, how: locations.how },
        cites: path === null ? [] : [citeHost(path, missing ? 'is not there' : 'cannot be read')],
        remedies: [
          {
            kind: 'instruction',
            title: missing
              ? 'Name the file with --config FILE. MCPProxy writes one, without servers, when it starts for the first time.'
              : 'Make it a regular file that the user of MCPProxy may read, or name another one with --config FILE.',
          },
        ],
      }),
    ]
  }
  const { document } = config.value
  if (document.root !== null || document.problems.length > 0) return []
  return [
    finding({
      code: 'config-empty',
      severity,
      rank: 'proven',
      title: 'The configuration file is empty',
      detail: 'MCPProxy takes an empty file as its defaults, which name no server.',
      facts: { path },
      cites: [citeOffset(document, 0, 1, null)],
      remedies: [{ kind: 'instruction', title: 'Add the servers to mcpServers, or put a backup of the file back.' }],
    }),
  ]
}

/**
 * What is found of every one of several servers in the same words and places is about the file or the machine: told
 * once. Errors stay with their servers, whose verdicts rest on them.
 */
export function toldOnce(servers: readonly ServerReport[]): { servers: ServerReport[]; findings: Finding[] } {
  const [first, ...others] = servers
  if (!first || others.length === 0) return { servers: [...servers], findings: [] }
  const common = (reports: readonly ServerReport[]): ((f: Finding) => boolean)[] =>
    reports.map((r) => {
      const keys = new Set(r.findings.map(keyOf))
      const causes = new Set(r.findings.filter((f) => f.severity === 'error').map((f) => f.code))
      return (f) => keys.has(keyOf(f)) || causes.has(f.code)
    })
  const has = common(servers)
  const shared = new Map<string, Finding>()
  for (const f of servers.flatMap((s) => s.findings))
    if (f.severity !== 'error' && !shared.has(keyOf(f)) && has.every((h) => h(f))) shared.set(keyOf(f), { ...f, server: null })
  return {
    servers: servers.map((s) => ({ ...s, findings: s.findings.filter((f) => !shared.has(keyOf(f))) })),
    findings: [...shared.values()],
  }
}

const keyOf = (f: Finding): string => JSON.stringify({ ...f, server: null })

const finding = (f: Omit<Finding, 'server' | 'ruledOut'>): Finding => ({ ...f, server: null, ruledOut: [] })

/** The file without any server of it, for the rules that look at nothing else. Null: it could not be read. */
export function fileSubject({ system, config }: Shared, version: Subject['version']): Subject | null {
  if (!config.ok) return null
  const other = notObserved('failed', 'No server was looked at.')
  const evidence: ObservedEvidence = {
    config: observed(configFor(config.value, '', version.value)),
    ...{ mainLog: other, serverLog: other, setup: other, engine: other, containers: other, events: other },
    ...{ image: other, hostPaths: other, status: other, environment: other },
  }
  return { server: '', recorded: system.recording !== null, now: system.now(), platform: system.platform, version, evidence }
}
