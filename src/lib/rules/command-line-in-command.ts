/** `command` is a program, not a line. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import type { ServerEntry } from '../formats/mcp-config.ts'
import { citeConfig, citeStory } from './cite.ts'
import { serverPath, story } from './helpers.ts'
import { defineRule, type Detection } from './rule.ts'

export default defineRule({
  code: 'command-line-in-command',
  severity: 'error',
  title: 'command holds a whole command line instead of a program',
  only: 'not-connected',
  needs: ['config'],
  uses: ['hostPaths', 'serverLog', 'events'],
  detect({ config }, { hostPaths, serverLog, events }) {
    const { server } = config
    const command = server?.command.trim() ?? ''
    if (!server || command === '' || !/\s/.test(server.command)) return null
    // A path may hold blanks: then the file is there.
    const path = hostPaths?.[server.command]
    if (path !== undefined && path.type !== 'missing') return null
    if (!/\s/.test(command)) return blankAround(config, server, command, serverLog?.failed !== undefined && serverLog.failed !== null)
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

/** `"npx "`: nothing takes the blank away. */
function blankAround(config: ConfigEvidence, server: ServerEntry, program: string, failed: boolean): Detection {
  const path = serverPath(server, 'command')
  return {
    observations: ['config', ...(failed ? (['serverLog'] as const) : [])],
    title: 'command has a blank before or behind the name of the program',
    facts: { program, words: [] },
    cites: [citeConfig(config, path)],
    detail: `MCPProxy looks for a program called ${JSON.stringify(server.command)}, blank included, and there is none of that name.`,
    remedies: [
      {
        kind: 'config-edit',
        class: 'safe',
        title: 'Take the blank out',
        because: 'nothing takes it away on the way to the program',
        edits: [{ path, value: program }],
      },
    ],
  }
}
