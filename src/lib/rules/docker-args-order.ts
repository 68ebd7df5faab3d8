/** The words after docker are in the wrong order. */
import { dockerSaid, failure, isConnected, programSaid, serverPath } from './helpers.ts'
import { citeConfig, citeLog } from './cite.ts'
import { parseDockerRun, runFlagNames } from '../formats/docker-run.ts'
import { defineRule } from './rule.ts'

const dockerWords = new Set(['run', 'docker', 'i', 'it', 'ti', 't', 'd', 'e', 'v', 'rm', 'container', 'exec', 'start', 'interactive', '-'])
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
  needs: ['config'],
  uses: ['serverLog', 'image', 'status'],
  detect({ config }, { serverLog, image, status }) {
    const { server, expected } = config
    if (!server || expected?.kind !== 'own' || isConnected(serverLog, status)) return null
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
    const flagFirst = misplaced === 0 && image?.inspect !== undefined && image?.inspect?.entrypoint.length === 0
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
      observations: [...observe(bad !== null), ...(image?.inspect ? (['image'] as const) : [])],
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
