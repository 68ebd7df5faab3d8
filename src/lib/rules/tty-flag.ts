/** `-t` in the docker arguments: MCPProxy talks over pipes, and the docker command refuses before it asks the engine. */
import type { ConfigEdit, Remedy } from '../remedies/remedy.ts'
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { hasSwitch } from '../formats/docker-run.ts'
import { valueAt } from '../formats/mcp-config.ts'
import { citeConfig, citeLog, citeStory } from './cite.ts'
import { configFlag, dockerFailure, effectiveRun, failure, isConnected, placeOfToken, story, unheardOf } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'tty-flag',
  severity: 'error',
  title: 'The docker arguments ask for a terminal (-t), but MCPProxy talks over pipes',
  needs: ['config'],
  uses: ['serverLog', 'events', 'setup', 'status'],
  detect({ config }, { serverLog, events, setup, status }) {
    if (isConnected(serverLog, status)) return null
    const run = effectiveRun(config, setup)
    const said = dockerFailure(serverLog, 'tty')
    const flag = run && hasSwitch(run.run, 'tty') ? configFlag(config, 'tty') : null
    if (!flag && !said) return null
    // A wrapper script or a shell line calls docker: the -t is in there.
    const wrapped = config.server?.args.findIndex((a) => /\bdocker\b.*\brun\b.*\s-(?:[a-z]*t[a-z]*\b|-tty)/.test(a)) ?? -1
    const inside = said !== null && story(events)?.startedAt != null
    // Known arguments without -t, and a container that ran: a program in it wrote the line.
    if (inside && run !== null && !hasSwitch(run.run, 'tty') && wrapped < 0) return null
    const s = story(events)
    const withoutInput = run !== null && flag !== null && !hasSwitch(run.run, 'interactive')
    if (flag && !said && failure(serverLog) && !withoutInput) return null
    // docker 29 and older refuse -t only together with -i; -t alone allocates a terminal that nobody answers.
    const unheard = unheardOf(serverLog, events)
    return {
      observations: [
        ...(flag || wrapped >= 0 ? (['config'] as const) : []),
        ...(said ? (['serverLog'] as const) : []),
        ...(unheard && said ? (['events'] as const) : []),
      ],
      ...(flag && said ? { proof: 'docker itself says so, and the flag stands in its arguments.' } : {}),
      facts: { flag: flag ? (run?.runArgs[flag.flag.index] ?? '-t') : null, interactive: run ? hasSwitch(run.run, 'interactive') : null },
      cites: [
        ...(flag
          ? [citeConfig(config, flag.place)]
          : wrapped >= 0 && config.server
            ? [citeConfig(config, ['mcpServers', config.server.index, 'args', wrapped])]
            : []),
        ...(said ? [citeLog(said.line)] : []),
        ...(s ? [citeStory(s)] : []),
      ],
      detail: withoutInput
        ? 'A terminal is allocated that nobody sits at: output and errors are mixed, line ends become CR LF, and without -i there is no input.'
        : 'A terminal is asked for and there is none: MCPProxy starts every server over pipes, and the docker command refuses before it asks the engine.',
      ruledOut: [
        'Docker-in-Docker (that text comes from the docker command on this side)',
        ...(config.decision?.runs === 'own-docker'
          ? ['isolation (MCPProxy does not wrap a docker command; switching it off changes nothing)']
          : []),
      ],
      remedies:
        flag && !inside ? remedies(config) : [{ kind: 'instruction', title: 'Remove -t from the docker command (-it becomes -i).' }],
    }
  },
})

/** Each token with a `t` among the flags before the image loses it; `-i` is added where none is left. */
function remedies(config: ConfigEvidence): Remedy[] {
  const run = config.expected?.run
  if (!run) return []
  const tokens = [...new Set(run.flags.filter((f) => f.name === 'tty').map((f) => f.index))]
  const edits: ConfigEdit[] = []
  const removed: ConfigEdit[] = []
  const keepsInput = run.flags.some((f) => f.name === 'interactive')
  for (const index of tokens) {
    const place = placeOfToken(config, index)
    const token = place ? String(valueAt(config.document, place)?.value ?? '') : ''
    if (!place || token === '') continue
    const without = token.startsWith('--') ? '' : token.replace('t', '')
    if (without !== '' && without !== '-') edits.push({ path: place, value: without })
    else if (!keepsInput && edits.length === 0) edits.push({ path: place, value: '-i' })
    else removed.push({ path: place, value: undefined })
  }
  // From the end, so that the positions before stay right.
  const all = [...edits, ...removed.reverse()]
  return all.length === 0
    ? []
    : [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Drop -t, keep -i',
          because: 'a server is started over pipes; -i keeps its input open',
          edits: all,
        },
      ]
}
