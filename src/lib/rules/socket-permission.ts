/** The user that runs MCPProxy may not use the Docker socket. */
import { citeEngine, citeHost, citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { callsDocker, dockerFailure, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'socket-permission',
  severity: 'error',
  title: 'The user that runs MCPProxy may not use the Docker socket',
  needs: ['serverLog'],
  uses: ['config', 'engine', 'environment', 'events', 'hostPaths'],
  detect({ serverLog }, { config, engine, environment, events, hostPaths }) {
    const said = dockerFailure(serverLog, 'socket-denied')
    const denied = engine && !engine.reachable.yes && engine.reachable.why === 'denied' ? engine.reachable : null
    const needsDocker = callsDocker(config)
    const text = said && story(events)?.startedAt == null ? said : null
    if (!text && !(denied && needsDocker && !isConnected(serverLog))) return null
    const path = (text?.subject ?? engine?.endpoint.host ?? '').replace(/^unix:\/\//, '')
    const socket = hostPaths?.[path]
    const groups = environment?.user?.groups ?? null
    const outside = groups !== null && !groups.includes('docker') && environment?.user?.uid !== 0 && environment?.source !== 'assumed'
    // The engine refused this program, whose user need not be that of MCPProxy.
    const ours = !text && !outside
    return {
      ...(ours
        ? {
            severity: 'warning' as const,
            title: 'The user of this check may not use the Docker socket; whether the user that runs MCPProxy may is not known',
          }
        : {}),
      observations: [
        ...(text ? (['serverLog'] as const) : []),
        ...(denied ? (['engine'] as const) : []),
        ...(outside ? (['environment'] as const) : []),
      ],
      facts: { socket: path || null, groups },
      cites: [
        ...(text ? [citeLog(text.line)] : []),
        ...(denied && engine ? [citeEngine(engine.endpoint.host ?? 'engine', denied.message)] : []),
        ...(socket && socket.type !== 'missing'
          ? [citeHost(path, `mode ${socket.mode.toString(8)}, uid ${socket.uid}, gid ${socket.gid}`)]
          : []),
        ...(outside ? [citeHost('groups of the process', groups.join(' '))] : []),
      ],
      detail: ours
        ? 'The engine could not be asked: the socket is there and refuses this user.'
        : `The socket is there and refuses this user.${outside ? ' The process of MCPProxy is not in the group docker.' : ''} A group that was added later counts only after a new login.`,
      ruledOut: ['engine down (its socket exists and refuses)'],
      remedies: [
        {
          kind: 'instruction',
          title: ours
            ? 'Run the check as the user that runs MCPProxy.'
            : 'Add the user that runs MCPProxy to the group docker and restart its session, or use rootless Docker. Never open the socket to everybody.',
        },
      ],
    }
  },
})
