/** MCPProxy reads one file and saves to (and watches) another. */
import { citeApi, citeHost, citeLog } from './cite.ts'
import { field } from '../formats/log-line.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'config-file-mismatch',
  severity: 'warning',
  title: 'MCPProxy reads one configuration file and saves to another',
  needs: ['config'],
  uses: ['status', 'mainLog'],
  detect({ config }, { status, mainLog }) {
    const line = mainLog?.general.filter((l) => l.message === 'ConfigService initialized').at(-1)
    const logged = line ? field(line, 'config_path') : null
    const read = config.document.path
    // A server that the file does not have is what brings people here.
    const severity = config.server === null && !config.document.problems.some((p) => p.kind !== 'duplicate-key') ? 'error' : undefined
    const [other] = config.otherPaths
    // Several MCPProxys can share a log: one that tells of another file counts only where this one lacks the server.
    const fits = logged === read || logged === config.trackedPath
    const tracked = status?.configPath ?? (fits || (severity !== undefined && config.trackedPath === null) ? logged : config.trackedPath)
    const differs = tracked !== null && tracked !== read
    // Only where it is to be said: a file may have thousands.
    const has = (): string => (config.servers.length > 0 ? `it has ${config.servers.map((s) => `"${s.name}"`).join(', ')}` : 'it has none')
    const remedies = [{ kind: 'instruction' as const, title: 'Start MCPProxy with --config FILE, or keep only one of the two files.' }]
    const says = [
      ...(status?.configPath ? [citeApi('/api/v1/config', 'config_path', status.configPath)] : []),
      ...(line && logged !== null && logged === tracked ? [citeLog(line, `${line.message}: ${logged}`)] : []),
    ]
    if (!differs)
      return other === undefined
        ? null
        : {
            observations: ['config'],
            severity: severity ?? 'info',
            title: 'Two configuration files: which one MCPProxy reads depends on the folder in which it is started',
            facts: { read: other, tracked: read },
            cites: [citeHost(other, 'is read when MCPProxy is started in this folder'), citeHost(read, 'is saved to and watched'), ...says],
            detail: `Started in the folder of ${other}, MCPProxy reads that file and, at its first start, writes what it read over ${read}.${severity ? ` It knows no server of this name; ${has()}.` : ''}`,
            remedies,
          }
    const own = tracked === config.trackedPath
    const observations = [
      ...(status?.configPath ? (['status'] as const) : []),
      ...(logged === tracked ? (['mainLog'] as const) : []),
      ...(own ? (['config'] as const) : []),
    ]
    const unknown = severity ? ` ${read} has no server of this name; ${has()}.` : ''
    // That this file is read follows from the search order only; MCPProxy may have been started with another one.
    if (!own)
      return {
        observations,
        ...(severity ? { severity } : {}),
        title: status?.configPath
          ? 'The MCPProxy that runs saves to and watches another configuration file than the one looked at'
          : 'MCPProxy last saved to and watched another configuration file than the one looked at',
        facts: { read, tracked },
        cites: [citeHost(read, 'was looked at'), ...says],
        detail: `That is ${tracked}; it takes no note of edits of ${read}.${unknown}`,
        remedies: [
          {
            kind: 'instruction',
            title: `Look at ${tracked} with --config, or start MCPProxy with --config FILE for the one that you mean.`,
          },
        ],
      }
    return {
      observations,
      ...(severity ? { severity } : {}),
      facts: { read, tracked },
      cites: [citeHost(read, 'is read at the start'), citeHost(tracked, 'is saved to and watched'), ...says],
      detail: `Edits of ${read} are not watched, and what MCPProxy saves goes to ${tracked}.${unknown}`,
      remedies,
    }
  },
})
