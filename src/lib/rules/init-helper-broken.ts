/** The --init helper of this engine does not run in the image. */
import { hasSwitch } from '../formats/docker-run.ts'
import { citeConfig } from './cite.ts'
import { configFlag, dockerSaid, effectiveRun, failure, refusal } from './helpers.ts'
import { citeLog } from './cite.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'init-helper-broken',
  severity: 'error',
  title: 'The --init helper of this engine does not run in the image',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['events', 'setup'],
  detect({ config, serverLog }, { events, setup }) {
    const run = effectiveRun(config, setup)?.run
    if (!run || !hasSwitch(run, 'init')) return null
    const said = dockerSaid(serverLog, 'init-helper')
    const line = said?.line ?? failure(serverLog)?.stderr.find((l) => /docker-init.*(?:GLIBC|not found)|\/sbin\/docker-init/.test(l.raw))
    if (!line) return null
    const flag = configFlag(config, 'init')
    return {
      observations: ['config', 'serverLog'],
      facts: {},
      cites: [...(flag ? [citeConfig(config, flag.place)] : []), ...(said ? refusal(said, serverLog, events).cites : [citeLog(line)])],
      detail: 'docker-init of the host is put into the container, and its libraries are not there.',
      remedies: [{ kind: 'instruction', title: 'Run without --init, or update the engine.' }],
    }
  },
})
