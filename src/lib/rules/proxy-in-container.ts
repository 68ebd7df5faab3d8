/** MCPProxy itself runs in a container, so that docker, paths and names are not what the configuration means. */
import { containerMarks } from '../evidence/collect-engine.ts'
import type { ServerLog } from '../evidence/evidence.ts'
import type { Mount } from '../formats/docker-run.ts'
import type { LogLine } from '../formats/log-line.ts'
import type { HostPath } from '../system/system.ts'
import { citeHost, citeLog } from './cite.ts'
import { callsDocker, dockerFailure, effectiveRun, failure, programSaid, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'proxy-in-container',
  severity: 'error',
  title: 'MCPProxy runs in a container itself, and sees another docker and other paths than the engine',
  only: 'failed',
  needs: ['config', 'serverLog', 'hostPaths'],
  uses: ['environment', 'setup', 'events'],
  detect({ config, serverLog, hostPaths }, { environment, setup, events }) {
    const mark = containerMarks.find((m) => hostPaths[m] !== undefined && hostPaths[m].type !== 'missing')
    if (!mark || !callsDocker(config) || !failure(serverLog)) return null
    const mounts = effectiveRun(config, setup)?.run.mounts ?? []
    // What is said after the server's own container has started is said in there, not by the shell of MCPProxy.
    const inside = story(events)?.startedAt != null
    const found = environment !== undefined && environment.source !== 'assumed' && environment.programs['docker'] != null
    const what =
      (inside ? null : noDocker(serverLog, found)) ??
      notSeen(serverLog, hostPaths, mounts) ??
      otherNetwork(serverLog, environment?.env['DOCKER_HOST'])
    if (!what) return null
    // Without its process we know of our own container only.
    const sure = what.sure && environment !== undefined && environment.source !== 'assumed'
    const absent = environment?.programs['docker'] === null && what.kind === 'docker'
    return {
      observations: ['hostPaths', 'serverLog', ...(absent ? (['environment'] as const) : [])],
      rank: sure ? 'supported' : 'suspected',
      facts: { mark, what: what.kind },
      cites: [
        citeHost(mark, 'exists: this is the inside of a container'),
        ...(what.path === null ? [] : [citeHost(what.path, 'exists here, where the engine does not look')]),
        citeLog(what.line),
      ],
      detail: what.detail,
      remedies: [
        {
          kind: 'instruction',
          title:
            what.kind === 'path'
              ? 'Write paths as the machine of the engine knows them, share a named volume, or run MCPProxy on the host.'
              : what.kind === 'name'
                ? 'Use addresses that the engine reaches, or run MCPProxy on the host.'
                : 'Run MCPProxy on the host; or give its image the docker program and mount the socket, which is as much as root on the host.',
        },
      ],
    }
  },
})

interface Trouble {
  kind: 'docker' | 'path' | 'name'
  line: LogLine
  path: string | null
  sure: boolean
  detail: string
}

/** `found`: MCPProxy has the docker program. */
function noDocker(log: ServerLog, found: boolean): Trouble | null {
  const said = dockerFailure(log, 'docker-missing', 'cannot-connect')
  if (found && said?.kind !== 'cannot-connect') return null
  const line =
    said?.line ??
    failure(log)?.lines.find((l) =>
      /Docker CLI not found on PATH|No such file or directory: 'docker'|docker not found in (?:PATH|login shell)/i.test(l.raw),
    )
  return line
    ? {
        kind: 'docker',
        line,
        path: null,
        sure: true,
        detail:
          said?.kind === 'cannot-connect'
            ? 'The docker program is there, but the socket of an engine is not.'
            : 'Its image has no docker program, which it needs to start this server.',
      }
    : null
}

/** A path that exists here, while the engine or the container says that it does not. */
function notSeen(log: ServerLog, paths: Record<string, HostPath>, mounts: readonly Mount[]): Trouble | null {
  const here = (path: string): boolean => paths[path] !== undefined && paths[path].type !== 'missing'
  const source = dockerFailure(log, 'mount-source', 'mount-kind')
  const refused = mounts.find((m) => m.type === 'bind' && source?.text.includes(m.source) === true && here(m.source))
  const said = programSaid(log, 'script-missing', 'file-missing')
  const inSource = (m: Mount): string => `${m.source}${(said?.subject ?? '').slice(m.target.length)}`
  // A file that this side does not have either says nothing about sides.
  const empty = mounts.find(
    (m) =>
      m.type === 'bind' && said?.subject?.startsWith(`${m.target}/`) === true && here(m.source) && paths[inSource(m)]?.type !== 'missing',
  )
  const mount = source ? refused : empty
  const line = source?.line ?? said?.line
  if (!mount || !line) return null
  return {
    kind: 'path',
    line,
    path: mount.source,
    // Only of a file that was looked at here it is certain that it should be there.
    sure: mount === refused || here(inSource(mount)),
    detail: `The engine looks for ${mount.source} on its own machine, not in the container of MCPProxy.`,
  }
}

function otherNetwork(log: ServerLog, dockerHost: string | undefined): Trouble | null {
  const said = programSaid(log, 'name-unresolved')
  return said && /^tcp:/.test(dockerHost ?? '')
    ? {
        kind: 'name',
        line: said.line,
        path: null,
        sure: false,
        detail: `${said.subject ?? 'The name'} may be known to MCPProxy, but the engine behind DOCKER_HOST has a network of its own.`,
      }
    : null
}
