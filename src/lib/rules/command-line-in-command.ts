/** `command` is a program, not a line. */
import { citeConfig, citeStory } from './cite.ts'
import { isConnected, serverPath, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'command-line-in-command',
  severity: 'error',
  title: 'command holds a whole command line instead of a program',
  needs: ['config'],
  uses: ['hostPaths', 'serverLog', 'events', 'status'],
  detect({ config }, { hostPaths, serverLog, events, status }) {
    const { server } = config
    const command = server?.command.trim() ?? ''
    if (!server || !/\s/.test(command) || isConnected(serverLog, status)) return null
    // A path may hold blanks: then the file is there.
    const path = hostPaths?.[server.command]
    if (path !== undefined && path.type !== 'missing') return null
    const [program = '', ...words] = command.split(/\s+/)
    if (/^[/~.].*\s/.test(command) && !/\s-|\srun\s/.test(command) && /\.\w+$|\/[^\s]*$/.test(command)) return null
    const failed = serverLog?.failed
    const never = story(events)
    return {
      observations: ['config', ...(failed ? (['serverLog'] as const) : []), ...(never ? (['events'] as const) : [])],
      ...(failed ? { proof: 'No program has such a name, and nothing splits it: neither MCPProxy nor docker.' } : {}),
      facts: { program, words },
      cites: [citeConfig(config, serverPath(server, 'command')), ...(never ? [citeStory(never)] : [])],
      detail: `MCPProxy looks for one program called "${command.length > 80 ? `${command.slice(0, 80)}…` : command}". The first word is the command, the others belong into args.`,
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Split the line',
          because: 'nothing splits it on the way to the program',
          edits: [
            { path: serverPath(server, 'command'), value: program },
            { path: serverPath(server, 'args'), value: [...words, ...server.args] },
          ],
        },
      ],
    }
  },
})
