/** The isolated command itself calls docker, and the container has no docker program or engine. */
import { citeConfig, citeLog, citeStory } from './cite.ts'
import { dockerFailure, dockerSaid, failure, isIsolated, programSaid, serverPath, story } from './helpers.ts'
import { baseName } from '../mcpproxy/images.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'docker-in-docker',
  severity: 'error',
  title: 'The isolated command itself calls docker, and the container has no docker program or engine',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events'],
  detect({ config }, { serverLog, events }) {
    const { server } = config
    const own = config.expected?.kind === 'own' ? config.expected : null
    if (!server || !(isIsolated(config) || own)) return null
    const calls = (word: string): boolean => /(?:^|[\s;&|(/])docker(?:\s|$)/.test(word)
    const inContainer = own ? own.command.findIndex(calls) : -1
    // The outer docker of a server that runs its own is as it should be.
    if (own && inContainer < 0) return null
    const argument = own ? server.args.length - own.command.length + inContainer : server.args.findIndex(calls)
    const not = dockerFailure(serverLog, 'exec-not-found')
    const missing = not?.subject === 'docker' ? not : dockerSaid(serverLog, 'docker-missing')
    const program = programSaid(serverLog, 'shell-not-found', 'script-missing', 'spawn-missing')
    const inner = program?.subject != null && baseName(program.subject) === 'docker' ? program : null
    const s = story(events)
    const noEngine = s?.startedAt != null ? dockerFailure(serverLog, 'cannot-connect', 'socket-denied') : null
    const text = missing ?? inner ?? noEngine
    const asked = failure(serverLog)?.stderr.find((l) => /docker.*(?:not installed|is required)/i.test(l.raw))
    if (!text && !asked && (own || !(argument >= 0 && !serverLog?.failed))) return null
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
      detail: own
        ? 'The command in the container calls docker, and inside there is no docker or no engine.'
        : 'MCPProxy wraps this command in a container, and inside there is no docker and no engine.',
      remedies: own
        ? [{ kind: 'instruction', title: 'Run the inner docker command itself, without a container around it.' }]
        : [
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
