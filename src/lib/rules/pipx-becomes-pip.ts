/** MCPProxy runs pip instead of pipx in the container, and pip has no run. */
import { baseName } from '../mcpproxy/images.ts'
import { citeConfig, citeLog } from './cite.ts'
import { failure, isIsolated, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'pipx-becomes-pip',
  severity: 'error',
  title: 'MCPProxy runs pip instead of pipx in the container, and pip has no run',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'setup'],
  detect({ config }, { serverLog, setup }) {
    const { server } = config
    if (!server || baseName(server.command) !== 'pipx' || !isIsolated(config)) return null
    const pip = setup?.containerCommand === 'pip'
    return {
      observations: ['config', ...(pip ? (['setup'] as const) : [])],
      ...(pip && failure(serverLog) ? { proof: 'The log shows that pip was started for it.' } : {}),
      facts: { containerCommand: setup?.containerCommand ?? null },
      cites: [
        citeConfig(config, serverPath(server, 'command')),
        ...(pip && setup ? [citeLog(setup.line, `${setup.line.message}: container_command is pip`)] : []),
      ],
      detail: 'In the container the command becomes pip with the same arguments.',
      remedies: [{ kind: 'instruction', title: 'Use uvx instead of pipx run.' }],
    }
  },
})
