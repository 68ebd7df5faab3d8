/** The server needs the network, but its container has none. */
import { flagValue } from '../formats/docker-run.ts'
import { baseName } from '../mcpproxy/images.ts'
import { citeConfig, citeLog } from './cite.ts'
import { configFlag, effectiveRun, failure, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'network-none',
  severity: 'error',
  title: 'The server needs the network, but its container has none',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'setup'],
  detect({ config }, { serverLog, setup }) {
    const run = effectiveRun(config, setup)
    if (!run || flagValue(run.run, 'network') !== 'none') return null
    const said = programSaid(serverLog, 'name-unresolved', 'npm-dns', 'npm-network', 'uv-dns', 'uv-network', 'connection-timeout')
    const attempt = failure(serverLog)
    const installs = ['npx', 'uvx', 'pip', 'npm', 'yarn', 'pipx'].includes(baseName(run.command[0] ?? ''))
    const waits = installs && attempt?.outcome === 'no-answer'
    if (!said && !waits && !(installs && !attempt)) return null
    const flag = configFlag(config, 'network')
    return {
      observations: ['config', ...(said || waits ? (['serverLog'] as const) : [])],
      facts: { installs },
      cites: [
        ...(flag ? [citeConfig(config, flag.place)] : []),
        ...(said ? [citeLog(said.line)] : attempt?.errorLine ? [citeLog(attempt.errorLine)] : []),
      ],
      detail: installs
        ? `${run.command[0] ?? 'The runner'} has to load the package at each cold start, and network_mode is "none".`
        : 'network_mode is "none", so no name can be resolved.',
      remedies: flag
        ? [
            {
              kind: 'config-edit',
              class: 'network',
              title: 'Use the bridge network',
              because: 'the package has to be loaded',
              edits: [{ path: flag.place, value: 'bridge' }],
            },
          ]
        : [],
    }
  },
})
