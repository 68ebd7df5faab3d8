/** The same program with the same arguments and variables, under two names. */
import { citeConfig } from './cite.ts'
import { serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'duplicate-server',
  severity: 'warning',
  title: 'The same server is configured twice under two names',
  needs: ['config'],
  detect({ config }) {
    const { server } = config
    if (!server || server.command === '') return null
    const key = (s: typeof server): string => JSON.stringify([s.command, s.args, Object.entries(s.env).sort(), s.url])
    const twin = config.servers.find(
      (s) => s.index !== server.index && s.enabled === true && server.enabled === true && s.name !== server.name && key(s) === key(server),
    )
    if (!twin) return null
    return {
      observations: ['config'],
      rank: 'supported',
      facts: { other: twin.name },
      cites: [citeConfig(config, serverPath(server, 'name')), citeConfig(config, serverPath(twin, 'name'))],
      detail: `"${twin.name}" has the same command, args and env: its tools appear twice.`,
      remedies: [{ kind: 'instruction', title: 'Remove one of them.' }],
    }
  },
})
