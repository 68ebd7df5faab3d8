/** JSON, but a type or value that MCPProxy does not take; it refuses the whole file. */
import { citeLog, citeOffset } from './cite.ts'
import { refusedReload } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'config-shape',
  severity: 'error',
  title: 'A value in the configuration has a type or form that MCPProxy refuses, and with it the whole file',
  needs: ['config'],
  uses: ['mainLog', 'status'],
  detect({ config }, { mainLog, status }) {
    const problems = config.document.problems.filter((p) => p.kind === 'shape')
    const [first] = problems
    if (!first) return null
    // A daemon that runs with this very file took it.
    const running = status !== undefined && status !== null && first.what === 'bad-value'
    const refused = refusedReload(mainLog)
    return {
      observations: refused ? ['config', 'mainLog'] : ['config'],
      ...(running ? {} : { proof: 'MCPProxy reads the file into fixed types and takes nothing else.' }),
      facts: { problems: problems.map((p) => p.message) },
      cites: [
        ...problems.slice(0, 3).map((p) => citeOffset(config.document, p.offset, p.length, p.path)),
        ...(refused ? [citeLog(refused)] : []),
      ],
      detail: `${first.message}${problems.length > 1 ? ` (${problems.length} such places)` : ''}`,
      remedies: [
        {
          kind: 'instruction',
          title:
            'Write the value in the form that MCPProxy takes: mcpServers is an array of objects with a name, booleans and limits as in its own files, durations as "30s".',
        },
      ],
    }
  },
})
