/** The name host.docker.internal is not defined on this engine. */
import { citeConfig, citeLog } from './cite.ts'
import { effectiveRun, programSaid, serverPath } from './helpers.ts'
import { flagsNamed } from '../formats/docker-run.ts'
import { defineRule } from './rule.ts'

const name = 'host.docker.internal'

export default defineRule({
  code: 'host-docker-internal',
  severity: 'error',
  title: 'The name host.docker.internal is not defined on this engine',
  only: 'failed',
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
  hint(config) {
    const { server, expected } = config
    if (!server || !expected) return null
    const argument = server.args.findIndex((a) => a.includes(name))
    const variable = Object.keys(server.env).find((n) => server.env[n]?.includes(name))
    if (argument < 0 && variable === undefined) return null
    if (flagsNamed(expected.run, 'add-host').some((f) => f.value?.startsWith(name))) return null
    return {
      observations: ['config'],
      severity: 'info',
      facts: {},
      cites: [citeConfig(config, argument >= 0 ? serverPath(server, 'args', argument) : serverPath(server, 'env', variable ?? ''))],
      detail: 'Docker Desktop defines host.docker.internal, a plain Linux engine only where it is asked for.',
      remedies: [{ kind: 'instruction', title: 'For Linux, add --add-host=host.docker.internal:host-gateway to extra_args.' }],
    }
  },
})
