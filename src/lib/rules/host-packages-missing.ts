/** The packages are installed on the host (virtual environment, node_modules), not in the container. */
import { citeConfig, citeLog } from './cite.ts'
import { isIsolated, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'host-packages-missing',
  severity: 'error',
  title: 'A package that the server imports is not in the container',
  only: 'failed',
  needs: ['config', 'serverLog'],
  detect({ config, serverLog }) {
    const said = programSaid(serverLog, 'module-missing')
    const { server } = config
    if (!said || !server || !isIsolated(config) || /^[./~]/.test(said.subject ?? '')) return null
    const environment = /\/(?:bin|Scripts)\/python[\w.]*$/.test(server.command) && !/^\/usr\/(?:local\/)?bin\//.test(server.command)
    return {
      observations: ['serverLog', ...(environment ? (['config'] as const) : [])],
      facts: { module: said.subject },
      cites: [citeConfig(config, serverPath(server, 'command')), citeLog(said.line)],
      detail: `${said.subject ?? 'It'} is not there: packages of the host (a virtual environment, node_modules) stay on the host.`,
      remedies: [
        {
          kind: 'instruction',
          title: 'Run the package with uvx or npx, mount the whole project, or switch isolation off for this server.',
        },
      ],
    }
  },
})
