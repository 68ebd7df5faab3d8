/** `docker run` (or exec) without `-i`: the server reads end of input at once and leaves. With `-d` docker leaves the server behind. */
import { hasSwitch } from '../formats/docker-run.ts'
import { citeConfig, citeLog, citeStory } from './cite.ts'
import { readDockerErrors, finalDockerError } from '../formats/docker-error.ts'
import { ownExec, withoutSwitch } from './docker-switches.ts'
import { endedByItself, failure, serverPath, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'stdin-closed',
  severity: 'error',
  title: 'docker run has no -i, so the server reads end of input at once and leaves',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events'],
  detect({ config }, { serverLog, events }) {
    const { expected, server } = config
    if (!server || expected?.kind !== 'own') return null
    const exec = ownExec(config)
    const run = exec ?? expected.run
    if (run.image === null || !run.subcommand.includes('run')) return null
    const detach = hasSwitch(run, 'detach') ? run.flags.findLast((f) => f.name === 'detach') : undefined
    if (!detach && (hasSwitch(run, 'interactive') || hasSwitch(run, 'tty'))) return null
    const attempt = failure(serverLog)
    // docker refused for another reason: then that is the cause.
    if (attempt && finalDockerError(readDockerErrors(attempt.stderr))) return null
    const s = story(events)
    if (s && (s.oom || (s.exitCode !== null && s.exitCode !== 0 && endedByItself(s)))) return null
    const clean = !detach && s !== null && s.exitCode === 0 && endedByItself(s)
    const verb = exec ? 'exec' : 'run'
    const index = detach?.index ?? server.args.indexOf(verb)
    return {
      observations: ['config', ...(attempt ? (['serverLog'] as const) : []), ...(clean ? (['events'] as const) : [])],
      ...(clean
        ? { proof: 'The container started, ended with exit code 0, and nobody stopped it: that is a server at the end of its input.' }
        : {}),
      ...(detach
        ? { title: `docker ${verb} -d leaves the server behind: nothing connects it to MCPProxy` }
        : exec
          ? { title: 'docker exec has no -i, so the server reads end of input at once and leaves' }
          : {}),
      facts: { exitCode: s?.exitCode ?? null },
      cites: [
        citeConfig(config, serverPath(server, 'args', Math.max(0, index))),
        ...(s ? [citeStory(s)] : []),
        ...(attempt?.errorLine ? [citeLog(attempt.errorLine)] : []),
      ],
      detail: detach
        ? 'docker prints the id of the container, ends at once, and the server runs on without input and output.'
        : 'Without -i docker connects the standard input of the server to nothing.',
      remedies: detach
        ? withoutSwitch(config, 'detach', 'Drop -d, keep -i', 'MCP over stdio needs a docker command that stays')
        : [
            {
              kind: 'config-edit',
              class: 'safe',
              title: `Add -i after ${verb}`,
              because: 'MCP over stdio needs the input',
              edits: [
                { path: serverPath(server, 'args'), value: [...server.args.slice(0, index + 1), '-i', ...server.args.slice(index + 1)] },
              ],
            },
          ],
    }
  },
})
