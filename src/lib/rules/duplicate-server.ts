/** The same program with the same arguments and variables, under two names. */
import { citeConfig } from './cite.ts'
import type { ServerEntry } from '../formats/mcp-config.ts'
import { grouped, oncePerFile, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

const key = (s: ServerEntry): string => JSON.stringify([s.command, s.args, Object.entries(s.env).sort(), s.url])

/** The other enabled server that is the same, by the place of each. */
const twins = oncePerFile(({ servers }) => {
  const enabled = servers.filter((s) => s.enabled === true && s.command !== '')
  // Most differ in their last argument, which is cheaper to compare.
  const alike = [...grouped(enabled, (s) => s.args.at(-1) ?? s.command).values()].filter((group) => group.length > 1)
  const same = alike.flatMap((group) => [...grouped(group, key).values()])
  return new Map(
    same.flatMap((group) => {
      const [first, ...others] = group
      const other = others.find((s) => s.name !== first?.name)
      return other ? group.map((s) => [s.index, s.name === first?.name ? other : first] as const) : []
    }),
  )
})

export default defineRule({
  code: 'duplicate-server',
  severity: 'warning',
  title: 'The same server is configured twice under two names',
  needs: ['config'],
  detect({ config }, _, { version }) {
    const { server } = config
    if (!server || server.command === '' || server.enabled !== true) return null
    const twin = twins(config, version.value).get(server.index)
    if (!twin) return null
    return {
      observations: ['config'],
      rank: 'supported',
      facts: { other: twin.name },
      cites: [citeConfig(config, serverPath(server, 'name')), citeConfig(config, serverPath(twin, 'name'))],
      detail: `"${twin.name}" and "${server.name}" have the same command, args and env: their tools appear twice.`,
      remedies: [{ kind: 'instruction', title: 'Remove one of them.' }],
    }
  },
})
