/** The server writes to a place that is mounted or started read-only. */
import { hasSwitch } from '../formats/docker-run.ts'
import { citeLog } from './cite.ts'
import { effectiveRun, isMounted, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'read-only-filesystem',
  severity: 'error',
  title: 'The server writes to a place that is mounted or started read-only',
  needs: ['config', 'serverLog'],
  uses: ['setup'],
  detect({ config, serverLog }, { setup }) {
    const said = programSaid(serverLog, 'read-only', 'npm-read-only')
    const run = effectiveRun(config, setup)?.run
    if (!said || !run) return null
    const root = hasSwitch(run, 'read-only')
    const mount =
      said.subject !== null &&
      isMounted(
        run.mounts.filter((m) => /\bro\b/.test(m.options)),
        said.subject,
      )
    if (said.kind === 'npm-read-only' && !root) return null
    return {
      observations: ['serverLog', ...(root || mount ? (['config'] as const) : [])],
      facts: { path: said.subject, root, mount },
      cites: [citeLog(said.line)],
      detail: `${said.subject ?? 'The place'} cannot be written.`,
      remedies: [{ kind: 'instruction', title: 'Give it a writable place (a --tmpfs or a volume), or mount this one folder writable.' }],
    }
  },
})
