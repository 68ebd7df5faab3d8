/** The isolated command itself calls docker, and the container has no docker program or engine. */
import { citeConfig, citeLog, citeStory } from './cite.ts'
import { dockerFailure, dockerSaid, failure, isConnected, isIsolated, programSaid, serverPath, story } from './helpers.ts'
import { baseName } from '../mcpproxy/images.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'docker-in-docker',
  severity: 'error',
  title: 'The isolated command itself calls docker, and the container has no docker program or engine',
  needs: ['config'],
  uses: ['serverLog', 'events', 'status'],
  detect({ config }, { serverLog, events, status }) {
    const { server } = config
    if (!server || !isIsolated(config) || isConnected(serverLog, status)) return null
    const argument = server.args.findIndex((a) => /(?:^|[\s;&|(/])docker(?:\s|$)/.test(a))
    const not = dockerFailure(serverLog, 'exec-not-found')
    const missing = not?.subject === 'docker' ? not : dockerSaid(serverLog, 'docker-missing')
    const program = programSaid(serverLog, 'shell-not-found', 'script-missing', 'spawn-missing')
    const inner = program?.subject != null && baseName(program.subject) === 'docker' ? program : null
    const s = story(events)
    const noEngine = s?.startedAt != null ? dockerFailure(serverLog, 'cannot-connect', 'socket-denied') : null
    const text = missing ?? inner ?? noEngine
    const asked = failure(serverLog)?.stderr.find((l) => /docker.*(?:not installed|is required)/i.test(l.raw))
    if (!text && !asked && !(argument >= 0 && !serverLog?.failed)) return null
    if (text && text === missing && s === null && argument < 0 && failure(serverLog)?.isolated == null) return null
    return {
      observations: [
        ...(argument >= 0 ? (['config'] as const) : []),
        ...(text || asked ? (['serverLog'] as const) : []),
        ...(s?.startedAt != null || (s && s.destroyedAt) ? (['events'] as const) : []),
      ],
      ...(text && argument >= 0 && s ? { proof: 'The container was there, and its own shell says that docker is not.' } : {}),
      facts: { exitCode: s?.exitCode ?? null },
      cites: [
        citeConfig(config, argument >= 0 ? serverPath(server, 'args', argument) : serverPath(server, 'command')),
        ...(text ? [citeLog(text.line)] : asked ? [citeLog(asked)] : []),
        ...(s ? [citeStory(s)] : []),
      ],
      detail: 'MCPProxy wraps this command in a container, and inside there is no docker and no engine.',
      remedies: [
        {
          kind: 'config-edit',
          class: 'unisolated',
          title: 'Run this server without isolation',
          because: 'it starts a container of its own; what is lost is the isolation of the command that starts it',
          edits: [{ path: serverPath(server, 'isolation', 'enabled'), value: false }],
        },
      ],
    }
  },
})
