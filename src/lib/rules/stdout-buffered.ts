/** The answer of a Python script may stay in its output buffer. */
import { readDockerErrors } from '../formats/docker-error.ts'
import { readProgramErrors } from '../formats/program-error.ts'
import { readProgress } from '../formats/start-progress.ts'
import { citeConfig, citeLog } from './cite.ts'
import { effectiveRun, endedByItself, failure, passedVariables, serverPath, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'stdout-buffered',
  // A guess from what is absent: the symptom stays the finding, and this is what to try.
  severity: 'warning',
  title: 'The answer may stay in the output buffer of Python',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup', 'image', 'events'],
  detect({ config, serverLog }, { setup, image, events }) {
    const attempt = failure(serverLog)
    const { server } = config
    if (!server || attempt?.outcome !== 'no-answer' || endedByItself(story(events)) || story(events)?.oom) return null
    // It says what is wrong, or works on: then it is not silent.
    if (readProgramErrors(attempt.stderr).length > 0 || readDockerErrors(attempt.stderr).length > 0) return null
    if (readProgress(attempt.stderr).length > 1) return null
    const effective = effectiveRun(config, setup)
    const command = effective?.command.filter((w) => w !== '') ?? [server.command, ...server.args]
    const words = [...(image?.inspect?.entrypoint ?? []), ...(command.length > 0 ? command : (image?.inspect?.cmd ?? []))]
    const variables = effective ? passedVariables(effective.run, image).set : new Set(Object.keys(server.env))
    if (!runsScript(words) || variables.has('PYTHONUNBUFFERED')) return null
    return {
      observations: ['config', 'serverLog'],
      rank: 'suspected',
      facts: { wrote: attempt.stderr.length },
      cites: [
        citeConfig(config, serverPath(server, 'command')),
        ...(attempt.stderr.at(-1) ? [citeLog(attempt.stderr.at(-1)!)] : []),
        ...(attempt.errorLine ? [citeLog(attempt.errorLine, attempt.error ?? undefined)] : []),
      ],
      detail:
        'A Python script without a terminal collects its output, unless it flushes or the variable says otherwise. The script lived and reported no error, and no answer came; only a replay can tell this from a script that hangs.',
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Try it with unbuffered output',
          because: 'the MCP SDK flushes by itself, a plain print() does not',
          edits: [{ path: serverPath(server, 'env', 'PYTHONUNBUFFERED'), value: '1' }],
        },
      ],
    }
  },
})

/** `python server.py`, without -u; a module (-m) is mostly a server that is built on the SDK, which flushes. */
function runsScript(words: readonly string[]): boolean {
  const at = words.findIndex((w) => /(?:^|[\\/])python[\d.]*(?:\.exe)?$/.test(w))
  const rest = at < 0 ? [] : words.slice(at + 1)
  const script = rest.findIndex((w) => /\.pyz?$/.test(w))
  return script >= 0 && !rest.slice(0, script).some((w) => /^-[a-zA-Z]*[um]/.test(w) || w === '-c')
}
