/** DOCKER_HOST, DOCKER_CONTEXT or DOCKER_TLS_VERIFY has a value that docker cannot use. */
import { citeEngine, citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { callsDocker, dockerFailure, story, unheardOf } from './helpers.ts'
import { defineRule } from './rule.ts'
import { aboutOurs, givenToUs, noSocketAt, socketPath } from './wrong-engine.ts'

export default defineRule({
  code: 'docker-endpoint-invalid',
  severity: 'error',
  title: 'The address of the engine that docker was given cannot be used',
  needs: ['serverLog'],
  uses: ['config', 'engine', 'events', 'environment', 'hostPaths'],
  detect({ serverLog }, { config, engine, events, environment, hostPaths }) {
    const said = dockerFailure(serverLog, 'endpoint-invalid', 'not-docker')
    const theirs = dockerFailure(serverLog, 'cannot-connect', 'endpoint-invalid', 'not-docker')?.subject ?? null
    const given = givenToUs(engine, environment, theirs)
    const bad = engine && !engine.reachable.yes && ['misconfigured', 'not-docker'].includes(engine.reachable.why) ? engine.reachable : null
    const unusable = given ? null : bad
    // A host without a scheme is taken for tcp, and nothing listens there.
    const configured = environment?.env['DOCKER_HOST'] ?? null
    const noScheme =
      configured !== null && configured !== '' && !configured.includes('://') ? dockerFailure(serverLog, 'cannot-connect') : null
    const needsDocker = callsDocker(config)
    const noSocket = noSocketAt(dockerFailure(serverLog, 'cannot-connect')?.subject ?? engine?.endpoint.host ?? null, hostPaths)
      ? dockerFailure(serverLog, 'cannot-connect')
      : null
    const text = story(events)?.startedAt == null ? (said ?? noScheme ?? noSocket) : null
    if (engine && given && bad && !text && needsDocker && !isConnected(serverLog))
      return {
        observations: ['engine'],
        ...aboutOurs(engine, environment),
        severity: 'warning',
        rank: 'suspected',
        facts: { host: engine.endpoint.host, context: engine.endpoint.context, why: bad.message },
        cites: [citeEngine(engine.endpoint.decidedBy, bad.message)],
        remedies: [{ kind: 'instruction', title: 'Leave the option out, or give the address that MCPProxy uses.' }],
      }
    if (!text && !(unusable && needsDocker && !isConnected(serverLog))) return null
    return {
      observations: [
        ...(text ? (['serverLog'] as const) : []),
        ...(unusable || noScheme ? (['engine'] as const) : []),
        ...(noSocket ? (['hostPaths'] as const) : []),
        ...(text && unheardOf(serverLog, events) ? (['events'] as const) : []),
      ],
      facts: { host: engine?.endpoint.host ?? configured, context: engine?.endpoint.context ?? null, why: text?.detail ?? null },
      cites: [
        ...(text ? [citeLog(text.line)] : []),
        ...(unusable && engine ? [citeEngine(engine.endpoint.decidedBy, unusable.message)] : []),
      ],
      detail: noSocket
        ? `${socketPath(noSocket.subject ?? engine?.endpoint.host ?? null) ?? 'The address'} is no socket, so that no engine can listen there.`
        : `docker refuses before it asks any engine: ${text?.detail ?? unusable?.message ?? text?.text ?? ''}`,
      remedies: [
        {
          kind: 'instruction',
          title:
            'Correct or remove DOCKER_HOST, DOCKER_CONTEXT and DOCKER_TLS_VERIFY in the environment of MCPProxy (or in the env of the server), or create the context; then restart.',
        },
      ],
    }
  },
})
