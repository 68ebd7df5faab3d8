/** The package, or the version of it, does not exist in the index. */
import { citeConfig, citeLog } from './cite.ts'
import { programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'package-unknown',
  severity: 'error',
  title: 'The package, or the version of it, does not exist in the index',
  only: 'failed',
  needs: ['config', 'serverLog'],
  detect({ config, serverLog }) {
    const said = programSaid(serverLog, 'npm-not-found', 'npm-no-version', 'uv-not-found', 'uv-no-version')
    if (!said || !config.server) return null
    const name = (said.subject ?? '').replace(/@\*$/, '').replace(/[=<>~!].*$/, '')
    const index = config.server.args.findIndex((a) => name !== '' && a.includes(name))
    return {
      observations: ['serverLog', ...(index >= 0 ? (['config'] as const) : [])],
      facts: { package: said.subject },
      cites: [citeConfig(config, serverPath(config.server, 'args', Math.max(0, index))), citeLog(said.line)],
      detail: `The index does not know ${said.subject ?? 'it'}.`,
      remedies: [{ kind: 'instruction', title: 'Correct the name or the version.' }],
    }
  },
})
