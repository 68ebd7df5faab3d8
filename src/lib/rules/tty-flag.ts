/** `-t` in the docker arguments: MCPProxy talks over pipes, and the docker command refuses before it asks the engine. */
import { hasSwitch } from '../formats/docker-run.ts'
import { citeConfig, citeLog, citeStory } from './cite.ts'
import { ownExec, withoutSwitch } from './docker-switches.ts'
import { configFlag, dockerFailure, effectiveRun, failure, serverPath, story, unheardOf } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'tty-flag',
  severity: 'error',
  title: 'The docker arguments ask for a terminal (-t), but MCPProxy talks over pipes',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'setup'],
  detect({ config }, { serverLog, events, setup }) {
    const exec = ownExec(config)
    const run = exec && config.server ? { run: exec, runArgs: config.server.args } : effectiveRun(config, setup)
    const said = dockerFailure(serverLog, 'tty')
    const own = exec?.flags.findLast((f) => f.name === 'tty')
    const flag =
      !run || !hasSwitch(run.run, 'tty')
        ? null
        : own && config.server
          ? { flag: own, place: serverPath(config.server, 'args', own.index) }
          : configFlag(config, 'tty')
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
        flag && !inside
          ? withoutSwitch(config, 'tty', 'Drop -t, keep -i', 'a server is started over pipes; -i keeps its input open')
          : [{ kind: 'instruction', title: 'Remove -t from the docker command (-it becomes -i).' }],
    }
  },
})
