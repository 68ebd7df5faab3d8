/** The server asks for isolation, but it is off globally, and that wins without a word. */
import { citeConfig, citeLog } from './cite.ts'
import { serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'global-isolation-off',
  severity: 'error',
  title: 'The server asks for isolation, but isolation is off globally, and that wins silently',
  needs: ['config'],
  uses: ['mainLog', 'setup'],
  detect({ config }, { mainLog, setup }) {
    const { server, decision } = config
    if (!server || server.isolation?.enabled !== true || (decision?.runs !== 'host' && decision?.runs !== 'own-docker')) return null
    if (decision.ignored?.path.at(-1) !== 'enabled') return null
    if (decision.runs === 'own-docker') return null
    const attempted = mainLog?.lines.some((l) => l.message === 'Connecting to upstream MCP server') ?? false
    const wrapped = setup !== undefined && setup !== null && !setup.olderRun
    if (wrapped) return null
    const warned = mainLog?.lines.find((l) => l.message.includes('opt-in ignored'))
    return {
      observations: ['config', ...(attempted ? (['mainLog'] as const) : [])],
      proof: attempted
        ? 'It was started, and no line "Docker isolation enabled for server" precedes it.'
        : 'docker_isolation.enabled decides before the server is asked.',
      facts: { globally: config.global.docker_isolation.enabled, server: true },
      cites: [
        citeConfig(config, serverPath(server, 'isolation', 'enabled')),
        citeConfig(config, ['docker_isolation', 'enabled']),
        ...(warned ? [citeLog(warned)] : []),
      ],
      detail: 'It runs on the host, without a container.',
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Switch isolation on globally',
          because: 'a server can only opt out, not in; give others "isolation": {"enabled": false} where they must stay on the host',
          edits: [{ path: ['docker_isolation', 'enabled'], value: true }],
        },
      ],
    }
  },
})
