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
    if (!tracked || tracked === config.document.path) return null
    return {
      observations: [
        ...(status?.configPath ? (['status'] as const) : []),
        ...(line ? (['mainLog'] as const) : []),
        ...(config.trackedPath ? (['config'] as const) : []),
      ],
      facts: { read: config.document.path, tracked },
      cites: [
        citeHost(config.document.path, 'is read at the start'),
        ...(status?.configPath ? [citeApi('/api/v1/config', 'config_path', status.configPath)] : []),
        ...(line ? [citeLog(line, `${line.message}: ${tracked}`)] : []),
      ],
      detail: `Edits of ${config.document.path} are not watched, and what MCPProxy saves goes to ${tracked}.`,
      remedies: [{ kind: 'instruction', title: `Start it with --config FILE, or keep only one of the two files.` }],
    }
  },
})
