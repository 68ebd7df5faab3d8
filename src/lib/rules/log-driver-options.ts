/** MCPProxy always adds `--log-opt max-size` and `max-file`, which only json-file and local take. */
import { flagValue } from '../formats/docker-run.ts'
import { citeConfig, citeEngine } from './cite.ts'
import { dockerFailure, effectiveRun, isIsolated, placeOfToken, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

const takesSizes = ['json-file', 'local', '']

export default defineRule({
  code: 'log-driver-options',
  severity: 'error',
  title: 'The log driver does not take the size options that MCPProxy always adds, or is not installed',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'engine', 'setup'],
  detect({ config }, { serverLog, events, engine, setup }) {
    const said = dockerFailure(serverLog, 'log-option', 'log-driver')
    const run = effectiveRun(config, setup)?.run
    const named = run ? flagValue(run, 'log-driver') : null
    const driver = named ?? engine?.info?.loggingDriver ?? null
    const unfit =
      isIsolated(config) &&
      driver !== null &&
      !takesSizes.includes(driver) &&
      run !== undefined &&
      run.flags.some((f) => f.name === 'log-opt' && /^max-(?:size|file)=/.test(f.value ?? ''))
    // Other drivers may take some of them; only known ones are predicted.
    const predicted = unfit && !serverLog?.failed && ['journald', 'syslog', 'none', 'gelf'].includes(driver ?? '')
    if (!said && !predicted) return null
    const refused = said ? refusal(said, serverLog, events) : null
    const index = config.expected?.run.flags.find((f) => f.name === 'log-driver')?.valueIndex
    const place = index === undefined ? null : placeOfToken(config, index)
    return {
      observations: [
        ...(place ? (['config'] as const) : []),
        ...(refused?.observations ?? []),
        ...(named === null && unfit ? (['engine'] as const) : []),
      ],
      ...(said && (place || unfit) ? { proof: 'docker names the driver, and it is the one that is used.' } : {}),
      facts: { driver, installed: said?.kind !== 'log-driver' },
      cites: [
        ...(place ? [citeConfig(config, place)] : named === null && driver ? [citeEngine('/info', `LoggingDriver is ${driver}`)] : []),
        ...(refused?.cites ?? []),
      ],
      detail:
        said?.kind === 'log-driver'
          ? `The engine has no log driver "${said.subject ?? driver ?? ''}".`
          : `"${driver ?? said?.detail ?? ''}" does not know max-size and max-file.`,
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Name json-file as log driver',
          because: "it takes the options; emptying them does not survive MCPProxy's next save",
          edits: [
            {
              path: place && place[0] === 'mcpServers' && place.at(-1) === 'log_driver' ? place : ['docker_isolation', 'log_driver'],
              value: 'json-file',
            },
          ],
        },
      ],
    }
  },
})
