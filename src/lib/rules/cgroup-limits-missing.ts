/** The engine (rootless, old cgroups) cannot enforce the limits that MCPProxy sets. */
import { citeEngine } from './cite.ts'
import { dockerFailure, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'cgroup-limits-missing',
  severity: 'error',
  title: 'The engine cannot enforce the limits that MCPProxy sets',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['engine', 'events'],
  detect({ serverLog }, { engine, events }) {
    const said = dockerFailure(serverLog, 'cgroup-missing')
    if (!said) return null
    const refused = refusal(said, serverLog, events)
    const limits = engine?.info?.limits
    const lacks = limits?.memory === false || limits?.cpuQuota === false
    return {
      observations: ['serverLog', ...(lacks ? (['engine'] as const) : [])],
      facts: { controller: said.subject, cgroups: engine?.info?.cgroupVersion ?? null },
      cites: [
        ...refused.cites,
        ...(lacks ? [citeEngine('/info', `MemoryLimit ${limits?.memory ?? '?'}, CpuCfsQuota ${limits?.cpuQuota ?? '?'}`)] : []),
      ],
      detail: 'A rootless engine needs the controllers delegated by systemd.',
      remedies: [{ kind: 'instruction', title: 'Delegate the controllers to the user (systemd Delegate=), or drop the limits knowingly.' }],
    }
  },
})
