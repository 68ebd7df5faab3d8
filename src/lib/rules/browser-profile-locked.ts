/** Two sessions share one browser profile. */
import { citeEngine, citeLog } from './cite.ts'
import { programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'browser-profile-locked',
  severity: 'error',
  title: 'Another browser uses the same profile',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['containers'],
  detect({ config, serverLog }, { containers }) {
    const said = programSaid(serverLog, 'browser-locked')
    const { server } = config
    if (!said || !server) return null
    const alive = (containers ?? []).filter((c) => c.relation !== 'other' && c.state === 'running')
    return {
      observations: ['serverLog', ...(alive.length > 0 ? (['containers'] as const) : [])],
      facts: { profile: said.subject },
      cites: [citeLog(said.line), ...alive.map((c) => citeEngine('container', `${c.names[0] ?? c.id}: ${c.status}`))],
      detail: `${said.subject ?? 'The profile'} is in use; a browser locks the folder of its profile.`,
      remedies: server.args.includes('--isolated')
        ? [{ kind: 'instruction', title: 'Give each server a profile folder of its own, and end the browser that holds this one.' }]
        : [
            {
              kind: 'config-edit',
              class: 'safe',
              title: 'Start it with --isolated',
              because: 'the message names this option: the profile is then kept in memory, one for each session',
              edits: [{ path: serverPath(server, 'args'), value: [...server.args, '--isolated'] }],
            },
          ],
    }
  },
})
