/** The engine accepts connections but does not answer, or drops them. */
import { citeEngine, citeLog } from './cite.ts'
import { hasSwitch } from '../formats/docker-run.ts'
import { callsDocker, dockerFailure, failure, isConnected, story, unheardOf } from './helpers.ts'
import { defineRule } from './rule.ts'
import { givenToUs } from './wrong-engine.ts'

export default defineRule({
  code: 'engine-unresponsive',
  severity: 'error',
  title: 'The Docker engine accepts connections but does not answer, or drops them',
  needs: ['serverLog'],
  uses: ['config', 'engine', 'events', 'environment'],
  detect({ serverLog }, { config, engine, events, environment }) {
    const needsDocker = callsDocker(config)
    const said = dockerFailure(serverLog, 'connection-broken', 'docker-paused')
    const dropped = said && story(events)?.startedAt == null ? said : null
    const hung =
      engine &&
      !engine.reachable.yes &&
      !givenToUs(engine, environment, null) &&
      (engine.reachable.why === 'timed-out' || engine.reachable.why === 'failed')
        ? engine.reachable
        : null
    const attempt = failure(serverLog)
    // docker waited in silence, and the engine never heard of a container.
    // A pull that was told to be quiet waits in silence too.
    const quiet = config?.expected ? hasSwitch(config.expected.run, 'quiet') : false
    const silent = needsDocker && !quiet && attempt?.outcome === 'no-answer' && attempt.stderr.length === 0 && unheardOf(serverLog, events)
    if (!dropped && !silent && !(hung && needsDocker && !isConnected(serverLog))) return null
    return {
      observations: [
        ...(dropped || silent ? (['serverLog'] as const) : []),
        ...(hung ? (['engine'] as const) : []),
        ...(silent || (dropped && unheardOf(serverLog, events)) ? (['events'] as const) : []),
      ],
      facts: { host: engine?.endpoint.host ?? null },
      cites: [
        ...(dropped ? [citeLog(dropped.line)] : []),
        ...(silent && attempt?.errorLine ? [citeLog(attempt.errorLine)] : []),
        ...(hung && engine ? [citeEngine(engine.endpoint.host ?? 'engine', hung.message)] : []),
      ],
      detail:
        silent && !dropped
          ? 'docker waited until the time was up without a word, and no container was even created: it was the engine that did not answer.'
          : 'The connection to the engine is accepted and then lost or left without an answer. A paused Docker Desktop behaves like this.',
      remedies: [
        {
          kind: 'instruction',
          title: 'Resume or restart the engine (Docker Desktop: switch the resource saver off), then restart the server.',
        },
      ],
    }
  },
})
