/** No command, or a runner without a package: MCPProxy does not even start it. */
import { citeConfig, citeLog } from './cite.ts'
import { failure, serverPath } from './helpers.ts'
import { isStdio } from '../formats/mcp-config.ts'
import { baseName } from '../mcpproxy/images.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'command-incomplete',
  severity: 'error',
  title: 'The server has no command, or its runner has no package to run',
  needs: ['config'],
  uses: ['serverLog'],
  detect({ config }, { serverLog }) {
    const { server } = config
    if (!server) return null
    const runner = isStdio(server) && ['uvx', 'npx', 'pipx'].includes(baseName(server.command))
    const withoutPackage = runner && server.args.every((a) => a.startsWith('-') || a.trim() === '')
    const withoutCommand = server.command.trim() === '' && (server.url === '' || server.protocol === 'stdio')
    const said = failure(serverLog)?.lines.find((l) => /has no args|no command specified/.test(l.raw))
    // `npx --package=x y` has one; `npx --version` has none and is a help call, not a server.
    const packageFlag = server.args.some((a) => /^(?:--package=|--from=|-p=)/.test(a))
    if (!withoutCommand && !(withoutPackage && !packageFlag) && !said) return null
    if (serverLog?.newest?.outcome === 'connected') return null
    return {
      observations: ['config', ...(said ? (['serverLog'] as const) : [])],
      ...(withoutCommand || server.args.length === 0 ? { proof: 'MCPProxy refuses such an entry before it starts anything.' } : {}),
      facts: { command: server.command, args: server.args.length },
      cites: [citeConfig(config, serverPath(server, withoutCommand ? 'command' : 'args')), ...(said ? [citeLog(said)] : [])],
      detail: withoutCommand
        ? 'An stdio server needs a command (or a url, for a remote one).'
        : `${baseName(server.command)} is told to run nothing: args must name the package.`,
      remedies: [{ kind: 'instruction', title: withoutCommand ? 'Give the server its command.' : 'Put the package into args.' }],
    }
  },
})
