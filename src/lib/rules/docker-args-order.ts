/** The words after docker are in the wrong order. */
import type { ConfigEvidence, ServerLog } from '../evidence/evidence.ts'
import type { DockerError } from '../formats/docker-error.ts'
import { dockerSaid, failure, placeOfToken, programSaid, serverPath } from './helpers.ts'
import { citeConfig, citeLog } from './cite.ts'
import { parseDockerRun, runFlagNames, type DockerRun } from '../formats/docker-run.ts'
import { defineRule, type Detection } from './rule.ts'

/** Words of docker's own that, in the place of an image, only stand there by mistake. */
export const dockerWords: ReadonlySet<string> = new Set([
  'run',
  'docker',
  'i',
  'it',
  'ti',
  't',
  'd',
  'e',
  'v',
  'rm',
  'container',
  'exec',
  'start',
  'interactive',
  '-',
])
// Flags of docker run that a server's own program hardly has.
const typical = new Set([
  '--memory',
  '--cpus',
  '--network',
  '--rm',
  '--volume',
  '--mount',
  '--publish',
  '--interactive',
  '--tty',
  '--add-host',
  '--restart',
  '--user',
  '--workdir',
  '--entrypoint',
  '--pull',
  '--platform',
  '--env',
  '--env-file',
  '--privileged',
  '--cap-add',
  '--label',
  '-v',
  '-e',
  '-i',
  '-it',
  '-p',
])

export default defineRule({
  code: 'docker-args-order',
  severity: 'error',
  title: 'The words after docker are in the wrong order',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'image'],
  detect({ config }, { serverLog, image }) {
    const { server, expected } = config
    if (!server || !expected) return null
    if (expected.kind === 'isolated') return shiftedImage(config, serverLog)
    const at = (i: number) => citeConfig(config, serverPath(server, 'args', i))
    const argv = server.args
    const run = parseDockerRun(argv)
    const attempt = failure(serverLog)
    const pulled = dockerSaid(
      serverLog,
      'image-not-local',
      'registry-login',
      'image-unknown',
      'plugin-missing',
      'flag-unknown',
      'reference-invalid',
    )
    const observe = (text: boolean): ('config' | 'serverLog')[] => (text && attempt ? ['config', 'serverLog'] : ['config'])
    const cite = (i: number) => [at(i), ...(pulled ? [citeLog(pulled.line)] : [])]
    const edit = (title: string, value: string[]) => [
      {
        kind: 'config-edit' as const,
        class: 'safe' as const,
        title,
        because: 'docker reads its flags before the image only',
        edits: [{ path: serverPath(server, 'args'), value }],
      },
    ]
    // run is missing, or comes after something else.
    if (!run.subcommand.includes('run')) {
      const known = ['start', 'exec', 'compose', 'mcp', 'container', 'attach', 'model', 'ai', 'sandbox', '--version', 'version']
      if (run.subcommand.length === 0 || known.includes(run.subcommand[0] ?? '')) return null
      const later = argv.indexOf('run')
      if (later < 0 && !/[/:]/.test(run.subcommand[0] ?? '') && !argv.some((a) => a.startsWith('-'))) return null
      return {
        observations: observe(pulled !== null),
        ...(attempt ? { proof: 'docker takes its first word as the subcommand.' } : {}),
        facts: { first: run.subcommand[0] ?? null },
        cites: cite(Math.max(0, argv.indexOf(run.subcommand[0] ?? ''))),
        detail: later >= 0 ? '"run" is not the first word.' : '"run" is missing.',
        remedies: edit('Put run first', [
          'run',
          ...(argv.includes('-i') || argv.includes('-it') ? [] : ['-i', '--rm']),
          ...argv.filter((_, i) => i !== later),
        ]),
      }
    }
    if (run.globalFlags.length > 0 || run.subcommand[0] === 'container') {
      // `docker --context x run`, `docker container run`: works, but MCPProxy recognises only args[0] == "run".
      const missing = Object.keys(server.env).length > 0
      if (!missing) return null
      return {
        observations: observe(attempt !== null),
        facts: { first: argv[0] ?? null },
        cites: [at(0)],
        severity: 'error',
        detail: 'MCPProxy passes env into the container only when the first word is "run"; here it is not, and the variables are missing.',
        remedies: [
          {
            kind: 'instruction',
            title: 'Put run first: set DOCKER_CONTEXT in env instead of --context, and write run instead of container run.',
          },
        ],
      }
    }
    const last = run.flags.at(-1)
    if (run.image === null && last && last.value !== null) {
      const absent = dockerSaid(serverLog, 'image-absent')
      if (attempt && !absent) return null
      return {
        observations: observe(absent !== null),
        ...(absent ? { proof: 'docker finds no image among its arguments.' } : {}),
        facts: { flag: argv[last.index] ?? null },
        cites: [at(last.index), ...(absent ? [citeLog(absent.line)] : [])],
        detail: `${argv[last.index] ?? 'The last flag'} takes the next word for its value, and that was the last one: no image is left.`,
        remedies: [{ kind: 'instruction', title: `Give ${argv[last.index] ?? 'the flag'} its value, or take it out.` }],
      }
    }
    if (run.image !== null && dockerWords.has(run.image)) {
      return {
        observations: observe(pulled !== null),
        ...(pulled ? { proof: `docker tried to pull an image called "${run.image}".` } : {}),
        facts: { image: run.image },
        cites: cite(run.imageIndex),
        detail: `docker takes "${run.image}" for the image, because it is the first word that is no flag.`,
        remedies: edit(
          `Take "${run.image}" out`,
          argv.filter((_, i) => i !== run.imageIndex),
        ),
      }
    }
    const split = splitVariable(run, pulled)
    if (split) {
      return {
        observations: observe(pulled !== null),
        facts: { variable: split.name },
        cites: cite(run.imageIndex),
        detail: `-e ${split.name} is complete without a value, so docker takes the next word for the image.`,
        remedies: [
          {
            kind: 'instruction',
            title: `Write -e ${split.name} and put the value into env of the server, or write ${split.name}=… in one word.`,
          },
        ],
      }
    }
    const misplaced = run.command.findIndex((w) => {
      const name = w.split('=')[0] ?? ''
      return (
        typical.has(name) ||
        (name.startsWith('--') &&
          runFlagNames.includes(name.slice(2)) &&
          name.length > 6 &&
          attempt !== null &&
          programSaid(serverLog, 'bad-option')?.subject === name)
      )
    })
    const bad = programSaid(serverLog, 'bad-option', 'usage')
    const executed = misplaced === 0 && image?.inspect?.entrypoint.length === 0
    const flagFirst = executed || (misplaced === 0 && hasShape(run.command[0] ?? '', run.command[1] ?? ''))
    if (
      misplaced < 0 ||
      run.image === null ||
      (!bad && !flagFirst && attempt && !dockerSaid(serverLog, 'exec-not-found')) ||
      (!attempt && misplaced !== 0)
    )
      return null
    const index = run.imageIndex + 1 + misplaced
    const word = run.command[misplaced] ?? ''
    const takes = parseDockerRun(['run', word, run.command[misplaced + 1] ?? '', 'x']).flags[0]
    const width = takes?.value !== null && takes?.valueIndex === 2 ? 2 : 1
    const moved = argv.slice(index, index + width)
    return {
      observations: [...observe(bad !== null), ...(executed ? (['image'] as const) : [])],
      facts: { flag: word },
      cites: [at(index), ...(bad ? [citeLog(bad.line)] : [])],
      detail: `${word} stands after the image, so that it goes to the server instead of docker.`,
      remedies: edit('Move it before the image', [
        ...argv.slice(0, run.imageIndex),
        ...moved,
        ...argv.slice(run.imageIndex, index),
        ...argv.slice(index + width),
      ]),
    }
  },
})

/** `-e NAME VALUE`: the value is the first word that is no flag, and what should be the image comes after it. */
function splitVariable(run: DockerRun, pulled: DockerError | null): { name: string } | null {
  const last = run.flags.at(-1)
  if (
    run.image === null ||
    last?.name !== 'env' ||
    last.value === null ||
    last.value.includes('=') ||
    last.valueIndex !== run.imageIndex - 1
  )
    return null
  const [next = ''] = run.command
  const sought = pulled?.kind === 'image-not-local' && pulled.subject?.replace(/:latest$/, '') === run.image
  const flagFollows = next.startsWith('-') && parseDockerRun(['run', next, 'x', 'x']).problems.length === 0
  const imageFollows = sought && /^[\w.-]+(?:\/[\w.-]+)+(?:[:@]\S+)?$|^[\w.-]+:[\w.-]+$/.test(next) && !/[/:]/.test(run.image)
  return flagFollows || imageFollows ? { name: last.value } : null
}

/** Does the word with its value look like docker's flag, and like nothing else? */
function hasShape(word: string, next: string): boolean {
  const [name = '', joined] = word.split(/=(.*)/s)
  const value = joined ?? next
  if (name === '-e' || name === '--env') return /^[A-Z_][A-Z0-9_]*=/.test(value)
  if (name === '-v' || name === '--volume') return /^[^\s:]+:\/[^:]+(?::\w+)?$/.test(value)
  if (name === '--mount') return /^type=/.test(value)
  if (name === '-p' || name === '--publish') return /^(?:[\d.]+:)?\d+:\d+/.test(value)
  return name === '--rm'
}

/** extra_args that end with an open flag swallow the image; a word among them that belongs to no flag is taken for it. */
function shiftedImage(config: ConfigEvidence, log: ServerLog | undefined): Detection | null {
  const { expected } = config
  if (!expected || expected.run.imageIndex === expected.runArgs.length - 1) return null
  const taken = parseDockerRun([...expected.runArgs, ...expected.command]).image
  const open = expected.run.image === null ? expected.run.flags.at(-1) : undefined
  const place = placeOfToken(config, open?.index ?? expected.run.imageIndex)
  if (!place || taken === null) return null
  const pulled = dockerSaid(log, 'image-not-local', 'image-unknown', 'registry-login', 'reference-invalid')
  const sought = pulled?.subject?.replace(/:latest$/, '') === taken ? pulled : null
  const word = String(expected.runArgs[open?.index ?? expected.run.imageIndex])
  return {
    observations: ['config', ...(sought ? (['serverLog'] as const) : [])],
    ...(sought && open ? { proof: `docker looked for an image called "${taken}".` } : {}),
    facts: { flag: open ? word : null, image: open ? taken : null },
    cites: [citeConfig(config, place), ...(sought && open ? [citeLog(sought.line)] : [])],
    detail: open
      ? `${word} wants a value and is the last of extra_args: it takes the image for its value, and "${taken}" is taken for the image.`
      : 'A word of extra_args belongs to no flag, so docker takes it for the image.',
    remedies: [
      {
        kind: 'instruction',
        title: open
          ? `Give ${word} its value, or take it out.`
          : 'Take the word out, or join it to its flag: -e NAME=VALUE is two words, not three.',
      },
    ],
  }
}
