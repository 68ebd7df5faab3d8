/** docker comes from a snap, whose confinement hides folders or refuses to start. */
import { citeHost, citeLog } from './cite.ts'
import { dockerFailure } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'snap-docker',
  severity: 'error',
  title: 'docker comes from a snap, whose confinement refuses to start it here',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['environment'],
  detect({ serverLog }, { environment }) {
    const said = dockerFailure(serverLog, 'snap')
    if (!said) return null
    const docker = environment?.programs['docker'] ?? null
    const snap = docker?.startsWith('/snap/') ?? false
    return {
      observations: ['serverLog', ...(snap ? (['environment'] as const) : [])],
      facts: { docker },
      cites: [citeLog(said.line), ...(snap && docker ? [citeHost(docker, 'a snap')] : [])],
      detail: 'A hardened service and snap confinement exclude each other.',
      remedies: [
        { kind: 'instruction', title: 'Install docker-ce instead of the snap, or loosen the unit settings that the message names.' },
      ],
    }
  },
})
