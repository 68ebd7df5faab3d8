/** Names cannot be resolved inside containers. */
import { flagValue } from '../formats/docker-run.ts'
import { citeLog } from './cite.ts'
import { effectiveRun, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'container-dns',
  severity: 'error',
  title: 'Names cannot be resolved inside the container',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup'],
  detect({ config, serverLog }, { setup }) {
    const said = programSaid(serverLog, 'npm-dns', 'uv-dns', 'name-unresolved')
    const run = effectiveRun(config, setup)?.run
    if (!said || !run || flagValue(run, 'network') === 'none' || said.subject === 'host.docker.internal') return null
    return {
      observations: ['serverLog'],
      facts: { name: said.subject },
      cites: [citeLog(said.line)],
      detail: `${said.subject ?? 'A name'} was not found. The name may be wrong, or DNS is dead inside containers (VPN, resolver on loopback).`,
      remedies: [{ kind: 'instruction', title: 'Give the engine a DNS server ("dns" in daemon.json) or add --dns to extra_args.' }],
    }
  },
})
