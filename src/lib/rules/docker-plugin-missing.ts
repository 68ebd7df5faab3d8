/** The docker subcommand is a CLI plugin that is not found in the environment of MCPProxy. */
import { citeConfig } from './cite.ts'
import { dockerFailure, refusal, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'docker-plugin-missing',
  severity: 'error',
  title: 'The docker subcommand is a plugin that docker does not find',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['config', 'events'],
  detect({ serverLog }, { config, events }) {
    const said = dockerFailure(serverLog, 'plugin-missing')
    if (!said) return null
    // `docker mcp/fetch`: a forgotten "run", not a plugin.
    if (config?.server && config.expected?.run.subcommand[0] !== said.subject) return null
    if (/[/:]/.test(said.subject ?? '')) return null
    const { observations, cites } = refusal(said, serverLog, events)
    return {
      observations,
      facts: { plugin: said.subject },
      cites: [...(config?.server ? [citeConfig(config, serverPath(config.server, 'args', 0))] : []), ...cites],
      detail: 'Plugins are looked up below HOME and in the folders of the installation.',
      remedies: [{ kind: 'instruction', title: 'Set HOME in the env of the server, or call the plugin program by its path.' }],
    }
  },
})
