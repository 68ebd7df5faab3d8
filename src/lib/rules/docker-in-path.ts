/** The word "docker" anywhere in the command switches isolation off: a security finding. */
import { citeConfig } from './cite.ts'
import { serverPath } from './helpers.ts'
import { isDockerCommand } from '../mcpproxy/isolation.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'docker-in-path',
  severity: 'warning',
  title: 'The command contains the word "docker", so MCPProxy runs it on the host, without isolation',
  needs: ['config'],
  uses: ['setup', 'serverLog'],
  detect({ config }, { setup, serverLog }) {
    const { server, decision } = config
    if (
      !server ||
      isDockerCommand(server.command) ||
      !server.command.includes('docker') ||
      decision?.runs !== 'host' ||
      decision.place?.at(-1) !== 'command'
    )
      return null
    const unwrapped = setup === null && (serverLog?.attempts.length ?? 0) > 0
    return {
      observations: ['config', ...(unwrapped ? (['setup'] as const) : [])],
      facts: { command: server.command },
      cites: [citeConfig(config, serverPath(server, 'command'))],
      detail: 'MCPProxy takes any command with that word in it for docker itself and does not wrap it.',
      remedies: [{ kind: 'instruction', title: 'Move or rename the program, or call it by a name without that word.' }],
    }
  },
})
