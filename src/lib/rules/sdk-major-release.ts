/** An unpinned server gets a new major release of the MCP SDK that it cannot use. */
import type { ServerEntry } from '../formats/mcp-config.ts'
import { baseName } from '../mcpproxy/images.ts'
import { since } from '../mcpproxy/versions.ts'
import { citeConfig, citeLog } from './cite.ts'
import { failure, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

/** mcp 2.0.0 removed mcp.server.fastmcp; before that day the same line meant a file or an SDK of one's own. */
const released = Date.parse('2026-07-28T00:00:00Z')

export default defineRule({
  code: 'sdk-major-release',
  severity: 'error',
  title: 'The server was written for an older MCP SDK than the one that is installed now',
  only: 'failed',
  needs: ['config', 'serverLog'],
  detect({ config, serverLog }, _, { version }) {
    const said = programSaid(serverLog, 'sdk-major')
    const { server } = config
    if (!said || !server || said.line.at.getTime() < released) return null
    const named = failure(serverLog)?.stderr.find((l) => /This is mcp 2\./i.test(l.raw))
    const resolved = resolvesItself(server)
    // Without uvx the packages come from an environment of somebody's own: another cause, unless the SDK itself says so.
    if (!resolved && !named) return null
    // Before v0.24.0 the words go through a shell without quotes, for which < is a redirection.
    const bound = since(version.value, 'uvImages') ? 'mcp<2' : 'mcp~=1.0'
    const place = server.args.findIndex((a) => !a.startsWith('-'))
    return {
      observations: ['serverLog', ...(resolved ? (['config'] as const) : [])],
      facts: { sdk: named ? '2' : null },
      cites: [citeConfig(config, serverPath(server, 'args', Math.max(0, place))), citeLog(named ?? said.line)],
      detail: `Release 2 of the package mcp has no mcp.server.fastmcp any more${resolved ? ', and nothing here holds it back' : ''}.`,
      remedies: resolved
        ? [
            {
              kind: 'config-edit',
              class: 'safe',
              title: 'Keep the SDK below 2',
              because: 'uvx resolves the newest release of every dependency that is not pinned',
              edits: [{ path: serverPath(server, 'args'), value: ['--with', bound, ...server.args] }],
            },
          ]
        : [{ kind: 'instruction', title: 'Install mcp<2 beside the server, or a release of the server for mcp 2.' }],
    }
  },
})

/** uvx without a bound on mcp. */
const resolvesItself = (server: ServerEntry): boolean =>
  /^uvx(?:\.exe)?$/.test(baseName(server.command)) && !server.args.some((a) => /^(?:--with=)?mcp(?:\[[\w,]*\])?[<=~>!]/.test(a))
