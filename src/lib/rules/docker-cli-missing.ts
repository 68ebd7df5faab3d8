/** MCPProxy cannot find the docker program. */
import { citeHost, citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { dockerFailure, failure, story, unheardOf } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'docker-cli-missing',
  severity: 'error',
  title: 'MCPProxy cannot find the docker program',
  needs: ['serverLog'],
  uses: ['config', 'environment', 'events', 'mainLog', 'containers'],
  detect({ serverLog }, { config, environment, events, mainLog, containers }) {
    const runs = config?.decision?.runs
    if (runs === 'host' || runs === 'remote' || runs === 'sandbox' || isConnected(serverLog)) return null
    const said = dockerFailure(serverLog, 'docker-missing')
    const unresolved = mainLog?.lines.filter((l) => l.message.startsWith('Could not resolve docker to an absolute path')).at(-1)
    const hint = failure(serverLog)?.lines.find((l) => /Docker CLI not found on PATH|docker not found in (?:PATH|login shell)/i.test(l.raw))
    const absent = environment && environment.source !== 'assumed' ? environment.programs['docker'] === null : false
    // "sh: docker: not found" from a container that ran comes from inside.
    if (story(events)?.startedAt != null) return null
    const text = said?.line ?? hint ?? null
    if (!text && !(unresolved && absent)) return null
    if (said && !unheardOf(serverLog, events) && events !== undefined && containers?.some((c) => c.relation === 'label')) return null
    return {
      observations: [
        ...(text ? (['serverLog'] as const) : []),
        ...(unresolved ? (['mainLog'] as const) : []),
        ...(absent ? (['environment'] as const) : []),
        ...(text && unheardOf(serverLog, events) ? (['events'] as const) : []),
      ],
      facts: { path: environment?.env['PATH'] ?? null },
      cites: [
        ...(text ? [citeLog(text)] : []),
        ...(unresolved ? [citeLog(unresolved)] : []),
        ...(absent ? [citeHost('PATH of MCPProxy', environment?.env['PATH'] ?? '')] : []),
      ],
      detail: 'A program started by a tray, by launchd or by systemd has a shorter PATH than a terminal.',
      remedies: [
        {
          kind: 'instruction',
          title:
            "Put docker on the PATH of the process of MCPProxy, or upgrade MCPProxy (v0.40 and later look in the usual places). In WSL switch on Docker Desktop's integration for the distribution.",
        },
      ],
    }
  },
})
