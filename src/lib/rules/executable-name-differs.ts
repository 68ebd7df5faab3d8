/** The package has no program of its own name. */
import { baseName } from '../mcpproxy/images.ts'
import { citeLog } from './cite.ts'
import { effectiveRun, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'executable-name-differs',
  severity: 'error',
  title: 'The package has no program of its own name',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['config', 'setup'],
  detect({ serverLog }, { config, setup }) {
    // npx starts the program of the package through a shell: sh: 1: mcp-server: not found
    const runner = baseName(effectiveRun(config, setup)?.command[0] ?? config?.server?.command ?? '')
    const said = programSaid(serverLog, 'npm-no-program', 'uv-program-differs', ...(runner === 'npx' ? (['shell-not-found'] as const) : []))
    // Of the programs that an image should have npx and node are the runner's own.
    if (!said || ['node', 'npx', 'npm', 'docker'].includes(said.subject ?? '')) return null
    return {
      observations: ['serverLog'],
      facts: { program: said.subject },
      cites: [citeLog(said.line)],
      detail: 'The runner found the package, but no program to run in it.',
      remedies: [{ kind: 'instruction', title: 'Name both: uvx --from PACKAGE PROGRAM, npx -p PACKAGE PROGRAM.' }],
    }
  },
})
