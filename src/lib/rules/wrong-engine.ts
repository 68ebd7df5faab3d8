/** The docker that MCPProxy starts looks at another engine than the one that runs. */
import type { DockerEngine, ProxyEnvironment } from '../evidence/evidence.ts'
import type { HostPath } from '../system/system.ts'
import { citeEngine, citeLog } from './cite.ts'
import { dockerFailure, story } from './helpers.ts'
import { defineRule } from './rule.ts'

// Sockets that a context of Docker Desktop, Colima, OrbStack, Rancher Desktop or Lima leaves behind.
const contextSocket = /\/\.(?:docker\/(?:desktop|run)|colima|orbstack|rd|lima)\//

/** An engine answers, but not at the address that the text names, and that address is a context's. */
export function elsewhere(host: string | null, engine: DockerEngine | undefined): boolean {
  return (
    host !== null &&
    engine?.reachable.yes === true &&
    (contextSocket.test(host) || (engine.endpoint.context !== null && engine.endpoint.host !== host))
  )
}

/** The path of a unix socket in an engine's address; null: it is another kind of address. */
export const socketPath = (host: string | null): string | null => (host?.startsWith('unix://') ? host.slice('unix://'.length) : null)

/** Something lies at that path, and it is no socket. */
export function noSocketAt(host: string | null, paths: Record<string, HostPath> | undefined): boolean {
  const found = paths?.[socketPath(host) ?? '']
  return found !== undefined && found.type !== 'missing' && found.type !== 'socket'
}

/** Nothing answers at this address, and that may as well be because another one is meant: then it is no proof that the engine is down. */
export function doubtfulAddress(
  host: string | null,
  engine: DockerEngine | undefined,
  environment: ProxyEnvironment | undefined,
  paths: Record<string, HostPath> | undefined,
): boolean {
  const named = environment?.env['DOCKER_HOST'] ?? ''
  return (named !== '' && !named.includes('://')) || noSocketAt(host, paths) || pointsAway(engine)
}

/**
 * The address was given to us with --docker-host or --context, and is not known to be the one that MCPProxy uses: what is
 * seen there says nothing about MCPProxy.
 */
export const givenToUs = (engine: DockerEngine | undefined, environment: ProxyEnvironment | undefined, said: string | null): boolean =>
  engine !== undefined &&
  engine.endpoint.decidedBy.startsWith('--') &&
  engine.endpoint.host !== said &&
  (engine.endpoint.host === null || environment?.env['DOCKER_HOST'] !== engine.endpoint.host)

/** What is to be said of such an address. */
export const aboutOurs = (engine: DockerEngine, environment: ProxyEnvironment | undefined): { title: string; detail: string } => {
  const its = environment && environment.source !== 'assumed' ? environment.env['DOCKER_HOST'] : undefined
  return {
    title: `No Docker engine could be asked at the address given with ${engine.endpoint.decidedBy.split(/[ ,]/)[0] ?? ''}`,
    detail: `Nothing usable answers at ${engine.endpoint.host ?? 'that address'}. That is not known to be the engine of MCPProxy${its ? `, whose DOCKER_HOST is ${its}` : ''}, so that nothing follows for the server.`,
  }
}

/** The address is that of a context, not the default one, and no engine answers there. */
const pointsAway = (engine: DockerEngine | undefined): boolean =>
  engine?.reachable.yes === false &&
  ['missing', 'refused'].includes(engine.reachable.why) &&
  engine.endpoint.context !== null &&
  engine.endpoint.context !== 'default'

export default defineRule({
  code: 'wrong-engine',
  severity: 'error',
  title: 'The docker command of MCPProxy looks at another engine than the one that runs',
  only: 'failed',
  needs: ['serverLog', 'engine'],
  uses: ['events', 'environment'],
  detect({ serverLog, engine }, { events, environment }) {
    const said = dockerFailure(serverLog, 'cannot-connect')
    if (!said || story(events)?.startedAt != null) return null
    if (!elsewhere(said.subject, engine)) {
      if (!pointsAway(engine) || givenToUs(engine, environment, said.subject)) return null
      return {
        observations: ['serverLog', 'engine'],
        // Whether another engine runs on this machine was not seen.
        rank: 'suspected',
        title: `The context "${engine.endpoint.context ?? ''}" of docker leads to an engine that is not there`,
        facts: { looksAt: said.subject, answers: null, context: engine.endpoint.context },
        cites: [citeLog(said.line), citeEngine(engine.endpoint.host ?? 'engine', engine.endpoint.decidedBy)],
        detail: `docker was sent to ${said.subject ?? 'another address'} by a context. Either that engine is to be started, or another one is meant.`,
        remedies: [{ kind: 'command', title: 'Look which engines there are', argv: ['docker', 'context', 'ls'] }],
      }
    }
    return {
      observations: ['serverLog', 'engine'],
      facts: { looksAt: said.subject, answers: engine.endpoint.host },
      cites: [citeLog(said.line), citeEngine(engine.endpoint.host ?? 'engine', `answers (${engine.endpoint.decidedBy})`)],
      detail: `docker was sent to ${said.subject ?? 'another address'}, where nothing answers, while an engine answers here. The address comes from DOCKER_HOST, DOCKER_CONTEXT or the current context of the user that runs MCPProxy.`,
      remedies: [
        {
          kind: 'command',
          title: 'Select the running engine for the user that runs MCPProxy, then restart the server',
          argv: ['docker', 'context', 'use', 'default'],
        },
      ],
    }
  },
})
