/** Per-server isolation.mode is accepted, stored and without effect up to v0.60.0. */
import { citeConfig, citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'isolation-mode-ineffective',
  severity: 'error',
  title: 'isolation.mode of a server has no effect',
  needs: ['config'],
  // No release up to the newest known obeys it.
  releases: {},
  uses: ['setup', 'serverLog', 'status'],
  detect({ config }, { setup, serverLog, status }) {
    const { server, decision } = config
    const mode = server?.isolation?.mode
    if (!server || !mode || !decision) return null
    const wanted = mode === 'docker' ? 'docker' : mode === 'sandbox' ? 'sandbox' : 'host'
    if (wanted === decision.runs || (wanted === 'host' && decision.runs === 'own-docker')) return null
    const wrapped = setup !== undefined && setup !== null && !setup.olderRun
    const agrees = wrapped === (decision.runs === 'docker')
    const value = mode !== 'none'
    return {
      observations: ['config', ...(setup !== undefined && agrees ? (['setup'] as const) : [])],
      ...(wrapped && mode === 'none' ? { proof: 'The log shows that it was wrapped all the same.' } : {}),
      // More isolation than was asked for is no fault of a server that works.
      ...(mode === 'none' && isConnected(serverLog, status) ? { severity: 'warning' as const } : {}),
      facts: { mode, runs: decision.runs },
      cites: [citeConfig(config, serverPath(server, 'isolation', 'mode')), ...(wrapped && setup ? [citeLog(setup.line)] : [])],
      detail: `The entry says "${mode}", but MCPProxy (at least up to v0.60.0) loses this key on the way; what happens is decided otherwise: ${decision.because}.`,
      remedies: [
        mode === 'none'
          ? {
              kind: 'config-edit',
              class: 'unisolated',
              title: 'Use isolation.enabled',
              because: 'enabled: false is what MCPProxy obeys',
              edits: [{ path: serverPath(server, 'isolation', 'enabled'), value: false }],
            }
          : {
              kind: 'config-edit',
              class: 'safe',
              title: 'Switch isolation on globally',
              because: 'a server cannot switch it on for itself',
              edits: [{ path: ['docker_isolation', 'enabled'], value }],
            },
      ],
    }
  },
})
