/** The word "docker" anywhere in the command switches isolation off: a security finding. */
import { citeConfig, citeLog } from './cite.ts'
import { failure, isMounted, programSaid, serverPath } from './helpers.ts'
import { parseDockerRun } from '../formats/docker-run.ts'
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
    const attempt = failure(serverLog)
    // What the settings of this server would have mounted is what the program misses on the host.
    const said = programSaid(serverLog, 'script-missing', 'file-missing', 'module-missing')
    const wanted =
      said?.subject != null && isMounted(parseDockerRun(['run', ...(server.isolation?.extra_args ?? []), 'x']).mounts, said.subject)
    const unwrapped = setup === null && (serverLog?.attempts.length ?? 0) > 0
    return {
      observations: ['config', ...(wanted ? (['serverLog'] as const) : unwrapped && !attempt ? (['setup'] as const) : [])],
      // Why it failed is then as good as any other guess, as long as no rule knows better.
      severity: attempt ? 'error' : 'warning',
      facts: { command: server.command, missing: wanted ? (said?.subject ?? null) : null },
      cites: [citeConfig(config, serverPath(server, 'command')), ...(wanted && said ? [citeLog(said.line)] : [])],
      detail: `MCPProxy takes any command with that word in it for docker itself and does not wrap it.${wanted ? ` It misses ${said?.subject ?? ''} there, which isolation.extra_args would have mounted.` : ''}`,
      remedies: [{ kind: 'instruction', title: 'Move or rename the program, or call it by a name without that word.' }],
    }
  },
})
