/** The entry script starts the server in the background, and such a job has no input. */
import { hasSwitch } from '../formats/docker-run.ts'
import { readProgramErrors } from '../formats/program-error.ts'
import { baseName } from '../mcpproxy/images.ts'
import { citeConfig, citeEngine, citeStory } from './cite.ts'
import { effectiveRun, endedByItself, failure, placeOfToken, story } from './helpers.ts'
import { defineRule } from './rule.ts'

const isShell = (word: string): boolean => /^(?:ba|da|a|z|k)?sh$/.test(baseName(word))
// node's own hands everything over with exec.
const isScript = (word: string): boolean => /\.(?:sh|bash)$/.test(word) && baseName(word) !== 'docker-entrypoint.sh'
/** A lone & that ends a command: `server &`, `server & wait`; not && and not 2>&1. */
const background = /(?<![&>])&(?![&>\d])/

export default defineRule({
  code: 'stdin-lost',
  severity: 'error',
  title: 'A script starts the server so that it has no input, although -i is set',
  only: 'failed',
  needs: ['config', 'serverLog', 'events'],
  uses: ['setup', 'image'],
  detect({ config, serverLog, events }, { setup, image }) {
    const run = effectiveRun(config, setup)
    const attempt = failure(serverLog)
    const s = story(events)
    if (!run || attempt?.outcome !== 'exited' || !hasSwitch(run.run, 'interactive') || hasSwitch(run.run, 'tty')) return null
    // A server at the end of its input leaves in peace.
    if (!s || !endedByItself(s) || s.exitCode !== 0 || readProgramErrors(attempt.stderr).length > 0) return null
    const [first = '', second = '', third = ''] = run.command
    const line = isShell(first) && /^-\w*c$/.test(second) && background.test(third)
    const script = line ? third : isScript(first) ? first : isShell(first) && second !== '' && !second.startsWith('-') ? second : null
    const entry = script === null ? image?.inspect?.entrypoint.find(isScript) : undefined
    if (script === null && entry === undefined) return null
    const place = script === null ? null : placeOfToken(config, (config.expected?.runArgs.length ?? 0) + run.command.indexOf(script))
    return {
      observations: [...(line ? (['config'] as const) : []), 'events'],
      // A script may end in peace for other reasons; what it does was not read.
      ...(line ? {} : { rank: 'suspected' as const }),
      facts: { script: line ? null : (script ?? entry ?? null), exitCode: 0 },
      cites: [
        ...(place ? [citeConfig(config, place)] : []),
        ...(entry !== undefined && image ? [citeEngine('image', `${image.reference} starts ${entry}`)] : []),
        citeStory(s),
      ],
      detail: `The container ended by itself with exit code 0 and without a word, as a server does at the end of its input. ${line ? 'A command that ends with & gets no input.' : `${script ?? entry ?? ''} is a script: what it starts with &, or not as its last command, gets no input.`}`,
      ruledOut: ['-i is missing (it is there)'],
      remedies: [
        {
          kind: 'instruction',
          title: 'Let the script end with exec and the server in the foreground, or start the server itself instead of the script.',
        },
      ],
    }
  },
})
