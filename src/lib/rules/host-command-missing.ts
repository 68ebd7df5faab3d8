/** The program of a server that is not isolated is not on MCPProxy's PATH. */
import { citeConfig, citeHost, citeLog } from './cite.ts'
import { failure, programSaid, serverPath } from './helpers.ts'
import { baseName } from '../mcpproxy/images.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'host-command-missing',
  severity: 'error',
  title: 'The program of this server is not there, where MCPProxy looks for it',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['environment', 'hostPaths'],
  detect({ config, serverLog }, { environment, hostPaths }) {
    const { server, decision } = config
    if (!server || (decision?.runs !== 'host' && decision?.runs !== 'sandbox')) return null
    const attempt = failure(serverLog)
    if (!attempt) return null
    const name = baseName(server.command)
    const said = programSaid(serverLog, 'shell-not-found', 'file-missing')
    const mine = said && (said.subject === server.command || said.subject === name) ? said : null
    const error =
      attempt.errorLine &&
      /not found on the spawn PATH|executable file not found|no such file or directory/.test(attempt.error ?? '') &&
      (attempt.error ?? '').includes(name)
        ? attempt.errorLine
        : null
    if (!mine && !error) return null
    const path = hostPaths?.[server.command]
    const absent = server.command.startsWith('/')
      ? path?.type === 'missing'
      : environment !== undefined && environment.source !== 'assumed' && environment.programs[name] === null
    return {
      observations: ['serverLog', ...(absent ? (['environment'] as const) : [])],
      facts: { command: server.command },
      cites: [
        citeConfig(config, serverPath(server, 'command')),
        ...(mine ? [citeLog(mine.line)] : error ? [citeLog(error)] : []),
        ...(absent ? [citeHost(server.command, 'not found')] : []),
      ],
      detail: `It runs on the host (${decision.because}), and "${server.command}" is not on the PATH that MCPProxy has there.`,
      remedies: [{ kind: 'instruction', title: 'Write the absolute path of the program, or set PATH in the env of the server.' }],
    }
  },
})
