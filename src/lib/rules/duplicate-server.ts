/** The same program with the same arguments and variables, under two names. */
import { citeConfig } from './cite.ts'
import type { ServerEntry } from '../formats/mcp-config.ts'
import { grouped, oncePerFile, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

const key = (s: ServerEntry): string => JSON.stringify([s.command, s.args, Object.entries(s.env).sort(), s.url])
const twins = oncePerFile(({ servers }) =>
  grouped(
    servers.filter((s) => s.enabled === true && s.command !== ''),
    (s) => [key(s)],
  ),
)

export default defineRule({
  code: 'duplicate-server',
  severity: 'warning',
  title: 'The same server is configured twice under two names',
  needs: ['config'],
  detect({ config }, _, { version }) {
    const { server } = config
    if (!server || server.command === '' || server.enabled !== true) return null
    const twin = twins(config, version.value)
      .get(key(server))
      ?.find((s) => s.index !== server.index && s.name !== server.name)
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
