/** Words after the image replace its CMD and go to its ENTRYPOINT: they do not fit. */
import type { Image } from '../evidence/evidence.ts'
import { flagValue, runFlagNames } from '../formats/docker-run.ts'
import { baseName, detectRuntime } from '../mcpproxy/images.ts'
import { citeConfig, citeEngine, citeLog } from './cite.ts'
import { dockerFailure, effectiveRun, imageHas, placeOfToken, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

// They run the words that follow, whatever these are.
const wrappers = new Set([
  'sh',
  'bash',
  'dash',
  'ash',
  'env',
  'tini',
  'dumb-init',
  'docker-entrypoint.sh',
  'entrypoint.sh',
  'catatonit',
  'su-exec',
  'gosu',
])
const interpreters = new Set([
  'sh',
  'bash',
  'ash',
  'node',
  'python',
  'python3',
  'irb',
  'php',
  'go',
  'cargo',
  'java',
  'jshell',
  'R',
  'julia',
])

/** A word that replaces what an image with a program of its own runs, and that is no program that one asks for by name. */
export function replacesProgram(image: Image | null | undefined, word: string): boolean {
  const inspect = image?.inspect
  if (!inspect || word === '' || word.includes('/') || detectRuntime(word) !== 'binary' || imageHas(image, word) === true) return false
  const [only = '', ...more] = inspect.cmd
  // A base image starts an interpreter, and is there to be given a command.
  return programOf(inspect) !== null || more.length > 0 || (only !== '' && !interpreters.has(baseName(only)))
}

/** The entry point's own program, behind helpers that run the words that follow. */
const programOf = (inspect: NonNullable<Image['inspect']>): string | null =>
  inspect.entrypoint.find((w) => !wrappers.has(baseName(w)) && !w.startsWith('-')) ?? null

export default defineRule({
  code: 'entrypoint-args',
  severity: 'error',
  title: 'The words after the image do not fit its entry point',
  only: 'failed',
  needs: ['config', 'image'],
  uses: ['serverLog', 'setup'],
  detect({ config, image }, { serverLog, setup }) {
    const run = effectiveRun(config, setup)
    const [first = ''] = run?.command ?? []
    if (!run || first === '' || flagValue(run.run, 'entrypoint') !== null) return null
    const inspect = image?.inspect
    if (!inspect) return null
    const program = programOf(inspect)
    const replaces = !run.isolated && replacesProgram(image, first)
    const isFlag = first.startsWith('-') && !(first.startsWith('--') && runFlagNames.includes(first.slice(2).split('=')[0] ?? ''))

    // 1. Nothing takes the words, so the first is executed: exec: "--stdio": executable file not found in $PATH
    const exec = dockerFailure(serverLog, 'exec-not-found', 'exec-path-missing')
    const executed = exec?.subject === first && program === null && (isFlag || replaces) ? exec : null
    // 2. The entry point of node images hands an unknown word to node: Cannot find module '/app/server'
    const script = programSaid(serverLog, 'script-missing')
    const handed = script?.subject != null && baseName(script.subject) === first && replaces ? script : null
    // 3. The image runs a program of its own, which is told a whole command: uv npx …
    const usage = program === null ? null : programSaid(serverLog, 'usage', 'bad-option')
    const repeated = usage && (run.isolated || baseName(first) === baseName(program ?? '')) ? usage : null
    const said = executed ?? handed ?? repeated
    if (!said) return null
    const place = placeOfToken(config, config.expected?.runArgs.length ?? 0)
    return {
      observations: ['serverLog', 'image'],
      facts: { entrypoint: inspect.entrypoint, cmd: inspect.cmd, first },
      cites: [
        ...(place ? [citeConfig(config, place)] : []),
        citeLog(said.line),
        citeEngine('image', `${image.reference}: Entrypoint ${JSON.stringify(inspect.entrypoint)}, Cmd ${JSON.stringify(inspect.cmd)}`),
      ],
      detail: repeated
        ? `The image runs ${inspect.entrypoint.join(' ')} and hands it "${run.command.join(' ').slice(0, 80)}" as arguments.`
        : `"${first}" takes the place of what the image runs by itself${commandOf(inspect)}, and is taken for a program.`,
      remedies: [
        {
          kind: 'instruction',
          title: repeated
            ? 'Use an image without a program of its own, or run this image with a docker command of its own and only its arguments.'
            : `Leave the words away, or write the whole command${inspect.cmd.length > 0 ? `: ${[...inspect.cmd, ...run.command].join(' ').slice(0, 120)}` : ''}.`,
        },
      ],
    }
  },
})

const commandOf = (inspect: NonNullable<Image['inspect']>): string => (inspect.cmd.length > 0 ? ` (${inspect.cmd.join(' ')})` : '')
