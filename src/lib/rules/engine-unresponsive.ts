/** The engine accepts connections but does not answer, or drops them. */
import { citeEngine, citeLog } from './cite.ts'
import { isBrokenAnswer } from '../formats/docker-error.ts'
import { hasSwitch } from '../formats/docker-run.ts'
import { field } from '../formats/log-line.ts'
import { isConnected } from './connected.ts'
import { callsDocker, dockerFailure, failure, story, unheardOf } from './helpers.ts'
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
    const attempt = failure(serverLog)
    const s = story(events)
    // The container was made and not started, so that the words are docker's own.
    const last = s !== null && s.startedAt === null ? attempt?.stderr.at(-1) : undefined
    const unclear = last !== undefined && isBrokenAnswer((field(last, 'message') ?? '').trim()) ? last : null
    const dropped = said && s?.startedAt == null ? said.line : unclear
    const hung =
      engine &&
      !engine.reachable.yes &&
      !givenToUs(engine, environment, null) &&
      (engine.reachable.why === 'timed-out' || engine.reachable.why === 'failed')
        ? engine.reachable
        : null
    // docker waited in silence, and the engine never heard of a container.
    // A pull that was told to be quiet waits in silence too.
    const quiet = config?.expected ? hasSwitch(config.expected.run, 'quiet') : false
    const silent = needsDocker && !quiet && attempt?.outcome === 'no-answer' && attempt.stderr.length === 0 && unheardOf(serverLog, events)
    if (!dropped && !silent && !(hung && needsDocker && !isConnected(serverLog))) return null
    return {
      observations: [
        ...(dropped || silent ? (['serverLog'] as const) : []),
        ...(hung ? (['engine'] as const) : []),
        ...(silent || unclear || (dropped && unheardOf(serverLog, events)) ? (['events'] as const) : []),
      ],
      facts: { host: engine?.endpoint.host ?? null },
      cites: [
        ...(dropped ? [citeLog(dropped)] : []),
        ...(silent && attempt?.errorLine ? [citeLog(attempt.errorLine)] : []),
        ...(hung && engine ? [citeEngine(engine.endpoint.host ?? 'engine', hung.message)] : []),
      ],
      detail:
        silent && !dropped
          ? 'docker waited until the time was up without a word, and no container was even created: it was the engine that did not answer.'
          : unclear
            ? 'docker got no answer from the engine that it could understand when it was about to start the container, which was made and never started.'
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
