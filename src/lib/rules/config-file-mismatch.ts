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
    const tracked = status?.configPath ?? (line ? field(line, 'config_path') : null) ?? config.trackedPath
    const read = config.document.path
    const [other] = config.otherPaths
    const differs = tracked !== null && tracked !== read
    // A server that the file does not have is what brings people here.
    const severity = config.server === null && !config.document.problems.some((p) => p.kind !== 'duplicate-key') ? 'error' : undefined
    if (!differs && other === undefined) return null
    const has = config.servers.length > 0 ? `it has ${config.servers.map((s) => `"${s.name}"`).join(', ')}` : 'it has none'
    const remedies = [{ kind: 'instruction' as const, title: 'Start MCPProxy with --config FILE, or keep only one of the two files.' }]
    const says = [
      ...(status?.configPath ? [citeApi('/api/v1/config', 'config_path', status.configPath)] : []),
      ...(line ? [citeLog(line, `${line.message}: ${field(line, 'config_path') ?? ''}`)] : []),
    ]
    if (!differs && other !== undefined)
      return {
        observations: ['config'],
        severity: severity ?? 'info',
        title: 'Two configuration files: which one MCPProxy reads depends on the folder in which it is started',
        facts: { read: other, tracked: read },
        cites: [citeHost(other, 'is read when MCPProxy is started in this folder'), citeHost(read, 'is saved to and watched'), ...says],
        detail: `Started in the folder of ${other}, MCPProxy reads that file and, at its first start, writes what it read over ${read}.${severity ? ` It knows no server of this name; ${has}.` : ''}`,
        remedies,
      }
    return {
      observations: [
        ...(status?.configPath ? (['status'] as const) : []),
        ...(line ? (['mainLog'] as const) : []),
        ...(config.trackedPath ? (['config'] as const) : []),
      ],
      ...(severity ? { severity } : {}),
      facts: { read, tracked },
      cites: [citeHost(read, 'is read at the start'), ...says],
      detail: `Edits of ${read} are not watched, and what MCPProxy saves goes to ${tracked}.${severity ? ` ${read} has no server of this name; ${has}.` : ''}`,
      remedies,
    }
  },
})
