/** No Docker engine answers where the docker command looks. */
import { citeEngine, citeLog, citeStory } from './cite.ts'
import { isConnected } from './connected.ts'
import { callsDocker, dockerFailure, failure, story, unheardOf } from './helpers.ts'
import { defineRule } from './rule.ts'
import { aboutOurs, doubtfulAddress, elsewhere, givenToUs } from './wrong-engine.ts'

export default defineRule({
  code: 'engine-down',
  severity: 'error',
  title: 'No Docker engine answers where the docker command looks',
  needs: ['serverLog'],
  uses: ['config', 'engine', 'events', 'mainLog', 'environment', 'hostPaths'],
  detect({ serverLog }, { config, engine, events, mainLog, environment, hostPaths }) {
    const said = dockerFailure(serverLog, 'cannot-connect')
    const broke = dockerFailure(serverLog, 'connection-broken')
    const unanswered = engine && !engine.reachable.yes && ['missing', 'refused'].includes(engine.reachable.why) ? engine.reachable : null
    const given = givenToUs(engine, environment, said?.subject ?? null)
    const dead = given ? null : unanswered
    const s = story(events)
    // The text came from inside a container that ran: then docker is nested.
    if (said && s?.startedAt != null) return null
    const lost = broke && s?.startedAt != null && /waiting for container/i.test(broke.text) ? broke : null
    const needsDocker = callsDocker(config)
    if (said && elsewhere(said.subject, engine)) return null
    const text = said ?? lost
    if (engine && given && unanswered && !text && needsDocker && !isConnected(serverLog))
      return {
        observations: ['engine'],
        ...aboutOurs(engine, environment),
        severity: 'warning',
        rank: 'suspected',
        facts: { host: engine.endpoint.host, decidedBy: engine.endpoint.decidedBy },
        cites: [citeEngine(engine.endpoint.host ?? 'endpoint', `${unanswered.message} (${engine.endpoint.decidedBy})`)],
        remedies: [{ kind: 'instruction', title: 'Leave the option out, or give the address that MCPProxy uses.' }],
      }
    if (!text && !(dead && needsDocker && !isConnected(serverLog))) return null
    // Another engine at that very address may have come up since.
    const host = said?.subject ?? engine?.endpoint.host ?? null
    const doubtful = doubtfulAddress(host, engine, environment, hostPaths)
    const recovery = mainLog?.general
      .filter((l) => l.message.startsWith('Docker unavailable') || l.message.startsWith('Docker became unavailable'))
      .at(-1)
    return {
      observations: [
        ...(text ? (['serverLog'] as const) : []),
        ...(dead ? (['engine'] as const) : []),
        ...(text && unheardOf(serverLog, events) ? (['events'] as const) : []),
        ...(recovery ? (['mainLog'] as const) : []),
      ],
      ...(dead && text && !doubtful ? { proof: 'docker says so, and nothing answers there now either.' } : {}),
      facts: { host, decidedBy: engine?.endpoint.decidedBy ?? null },
      cites: [
        ...(text ? [citeLog(text.line)] : []),
        ...(dead && engine ? [citeEngine(engine.endpoint.host ?? 'endpoint', `${dead.message} (${engine.endpoint.decidedBy})`)] : []),
        ...(recovery ? [citeLog(recovery)] : []),
        ...(lost && s ? [citeStory(s)] : []),
      ],
      detail: `docker looks for the engine at ${host ?? 'its default address'}${engine ? ` (${engine.endpoint.decidedBy})` : ''}.${engine?.reachable.yes && failure(serverLog) ? ` Now an engine answers at ${engine.endpoint.host ?? 'the default address'}${engine.reachable.version ? ` (${engine.reachable.version})` : ''}.` : ''}`,
      remedies: [
        {
          kind: 'instruction',
          title: doubtful
            ? 'Look first whether this is the address that is meant; else start the engine there. Then restart the server.'
            : 'Start the engine, then restart the server: after an outage only servers whose own command is docker come back by themselves.',
        },
      ],
    }
  },
})
