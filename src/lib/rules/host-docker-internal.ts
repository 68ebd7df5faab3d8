/** The name host.docker.internal is not defined on this engine. */
import { citeLog } from './cite.ts'
import { effectiveRun, programSaid, serverPath } from './helpers.ts'
import { flagsNamed } from '../formats/docker-run.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'host-docker-internal',
  severity: 'error',
  title: 'The name host.docker.internal is not defined on this engine',
  needs: ['config', 'serverLog'],
  uses: ['setup'],
  detect({ config, serverLog }, { setup }) {
    const said = programSaid(serverLog, 'name-unresolved')
    const run = effectiveRun(config, setup)?.run
    if (said?.subject !== 'host.docker.internal' || !run || !config.server) return null
    const added = flagsNamed(run, 'add-host').some((f) => f.value?.startsWith('host.docker.internal'))
    return {
      observations: ['serverLog', ...(added ? [] : (['config'] as const))],
      facts: {},
      cites: [citeLog(said.line)],
      detail: 'Plain Linux engines do not define it unless it is asked for.',
      remedies:
        config.decision?.runs === 'docker'
          ? [
              {
                kind: 'config-edit',
                class: 'safe',
                title: 'Define the name',
                because: 'host-gateway is the address of the host',
                edits: [
                  {
                    path: serverPath(config.server, 'isolation', 'extra_args'),
                    value: [...(config.server.isolation?.extra_args ?? []), '--add-host=host.docker.internal:host-gateway'],
                  },
                ],
              },
            ]
          : [{ kind: 'instruction', title: 'Add --add-host=host.docker.internal:host-gateway before the image.' }],
    }
  },
})
