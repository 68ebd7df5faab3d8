/** The mounted path is not visible in the virtual machine of the engine. */
import { dockerFailure, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'path-not-shared',
  severity: 'error',
  title: 'The mounted path is not shared with the virtual machine of the engine',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['events', 'engine'],
  detect({ serverLog }, { events, engine }) {
    const said = dockerFailure(serverLog, 'mount-denied')
    if (!said) return null
    const { observations, cites } = refusal(said, serverLog, events)
    return {
      observations,
      facts: { text: said.detail, engine: engine?.info?.operatingSystem ?? null },
      cites,
      detail: 'Docker Desktop, Colima and Podman machines see only the folders that they are configured to share.',
      remedies: [{ kind: 'instruction', title: 'Share the folder in the settings of the engine, or move it below the home folder.' }],
    }
  },
})
