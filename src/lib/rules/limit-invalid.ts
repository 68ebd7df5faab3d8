/** docker refuses the memory or CPU limit. */
import { lastFlag, parseBytes } from '../formats/docker-run.ts'
import { citeConfig, citeEngine } from './cite.ts'
import { dockerFailure, effectiveRun, placeOfToken, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

const smallest = 6 * 1024 * 1024

export default defineRule({
  code: 'limit-invalid',
  severity: 'error',
  title: 'docker refuses the memory or CPU limit',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'engine', 'setup'],
  detect({ config }, { serverLog, events, engine, setup }) {
    const said = dockerFailure(serverLog, 'memory-limit', 'cpu-limit')
    const run = effectiveRun(config, setup)?.run
    const memory = run ? lastFlag(run, 'memory') : undefined
    const cpus = run ? lastFlag(run, 'cpus') : undefined
    const bytes = memory?.value == null ? null : parseBytes(memory.value)
    const available = engine?.info?.cpus ?? null
    const badMemory = memory?.value != null && (bytes === null || (bytes > 0 && bytes < smallest))
    const cpuNumber = Number(cpus?.value)
    const badCpus = cpus?.value != null && (!/^\d*\.?\d+$/.test(cpus.value) || (available !== null && cpuNumber > available))
    if (!said && !((badMemory || badCpus) && !serverLog?.failed)) return null
    const which = said ? (said.kind === 'memory-limit' ? 'memory' : 'cpus') : badMemory ? 'memory' : 'cpus'
    const flag = config.expected ? lastFlag(config.expected.run, which) : undefined
    const place = flag ? placeOfToken(config, flag.valueIndex) : null
    const refused = said ? refusal(said, serverLog, events) : null
    const agrees = which === 'memory' ? badMemory : badCpus
    return {
      observations: [
        ...(agrees ? (['config'] as const) : []),
        ...(refused?.observations ?? []),
        ...(which === 'cpus' && available !== null && cpuNumber > available ? (['engine'] as const) : []),
      ],
      ...(said && agrees ? { proof: 'docker refuses the value, and it is one that docker cannot take.' } : {}),
      facts: { limit: which, value: (which === 'memory' ? memory : cpus)?.value ?? said?.subject ?? null, available },
      cites: [
        ...(place ? [citeConfig(config, place)] : []),
        ...(refused?.cites ?? []),
        ...(which === 'cpus' && available !== null ? [citeEngine('/info', `NCPU is ${available}`)] : []),
      ],
      detail:
        which === 'memory'
          ? 'A memory limit is a number with b, k, m or g, and at least 6 MB.'
          : `A CPU limit is a number${available === null ? '' : ` of at most ${available}, what this engine has`}.`,
      remedies:
        place && agrees
          ? [
              {
                kind: 'config-edit',
                class: 'safe',
                title: 'A limit that docker takes',
                because: which === 'memory' ? "MCPProxy's own default" : 'not more than the machine has',
                edits: [
                  {
                    path: place,
                    value: which === 'memory' ? '512m' : String(Math.max(1, Math.min(available ?? 1, cpuNumber > 0 ? cpuNumber : 1))),
                  },
                ],
              },
            ]
          : [{ kind: 'instruction', title: 'Write a limit that docker takes, e.g. "512m" and at most the number of CPUs of the engine.' }],
    }
  },
})
