/**
 * How a server is run again without harm: the recorded `docker run` arguments, changed where the original would
 * disturb MCPProxy, change the host or show a secret, and nowhere else. Pure. Nothing is ever loosened: what limits
 * the container (network, memory, user, capabilities…) stays, token for token.
 */
import { csvFields, flagValue, keyedFields, parseDockerRun, volumeMount, type DockerRun, type RunFlag } from '../formats/docker-run.ts'
import { hiddenFile, replayLabels, type Change, type ReplayOwner, type ReplayPlan } from '../system/replay-plan.ts'
import { inheritedByServers, steersDocker } from './environment.ts'

export interface ReplayInput {
  run:
    | {
        kind: 'docker'
        /** From `run` to the image, as in `docker_run_args`. */
        runArgs: readonly string[]
        /** What follows the image. */
        command: readonly string[]
        /** The docker command's working directory, which relative mount sources count from; null: ours. */
        cwd?: string | null
      }
    | {
        kind: 'host'
        command: string
        args: readonly string[]
        cwd: string | null
        /** The login shell through which MCPProxy starts servers on the host, e.g. `/bin/bash`; null: started directly. */
        loginShell?: string | null
      }
  /** The server's `env`, with placeholders resolved. MCPProxy gives it to the docker command as well. */
  serverEnv: Readonly<Record<string, string>>
  /** MCPProxy's own environment; the plan takes from it what MCPProxy hands on. */
  proxyEnv: Readonly<Record<string, string | undefined>>
  platform: string
  /** Unique for this run: letters, digits and `-`. */
  id: string
  owner: ReplayOwner
  options?: ReplayOptions
}

export interface ReplayOptions {
  /** Bind mounts of the host stay writable, and the engine's socket may be handed in. */
  allowWrites?: boolean
  /** Empty throwaway volumes in place of named ones. */
  cold?: boolean
  /** `-t` stays: the baseline of a server whose terminal flag is the suspect. */
  keepTty?: boolean
  /** `-d` stays: the baseline of a server whose detach flag is the suspect. */
  keepDetach?: boolean
}

export function planReplay(input: ReplayInput): ReplayPlan {
  return input.run.kind === 'docker' ? planDocker(input, input.run) : planHost(input, input.run)
}

type DockerInput = Extract<ReplayInput['run'], { kind: 'docker' }>
type HostInput = Extract<ReplayInput['run'], { kind: 'host' }>

function planHost(input: ReplayInput, run: HostInput): ReplayPlan {
  const shell = run.loginShell ?? null
  const wrapped = shell !== null && input.platform !== 'win32'
  const isDocker = /^docker(\.exe)?$/i.test(run.command.split(/[\\/]/).at(-1) ?? '')
  return {
    id: input.id,
    kind: 'host',
    command: wrapped ? shell : run.command,
    // internal/shellwrap: `$SHELL -l -c "<command> <args>"`.
    argv: wrapped ? ['-l', '-c', [run.command, ...run.args].map(quoteForShell).join(' ')] : [...run.args],
    cwd: run.cwd,
    env: { ...inheritedByServers(input.proxyEnv), ...input.serverEnv },
    hidden: {},
    name: null,
    labels: {},
    image: null,
    platform: null,
    checked: false,
    changes: [],
    refused: isDocker ? 'Only "docker run" can be made safe to repeat; this is another docker command.' : null,
  }
}

const quoteForShell = (word: string): string => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

function planDocker(input: ReplayInput, given: DockerInput): ReplayPlan {
  const options = input.options ?? {}
  const { tokens, aside } = setUnknownAside([...given.runArgs, ...given.command])
  const run = parseDockerRun(tokens)
  const labels = replayLabels(input.id, input.owner)
  // Not `mcpproxy-…`: before it starts a server called x, MCPProxy removes what has `mcpproxy-x-` anywhere in its name.
  const name = `doctor-replay-${input.id}`
  const changes: Change[] = []
  const base = { ...inheritedByServers(input.proxyEnv), ...input.serverEnv }
  const variables = planVariables(run, base, input.platform, changes)
  const env: Record<string, string> = {}
  for (const [key, value] of Object.entries(base)) if (!steersDocker(key) || input.serverEnv[key] === undefined) env[key] = value
  for (const [key, value] of Object.entries(inheritedByServers(input.proxyEnv))) if (steersDocker(key)) env[key] = value
  Object.assign(env, variables.inherited)

  const editor: Editor = { run, options, changes, variables, shown: new Set() }
  const kept: string[] = []
  for (const group of groupByToken(run.flags)) kept.push(...editGroup(tokens, group, editor))
  const added = [
    ...['--name', name],
    ...Object.entries(labels).flatMap(([k, v]) => ['--label', `${k}=${v}`]),
    ...['--pull', 'never'],
    ...(isOn(run, 'rm') ? [] : ['--rm']),
  ]
  // Behind the server's own files, because the last one counts; without an image docker refuses, and its words shall be the same.
  const file = Object.keys(variables.hidden).length === 0 || run.image === null ? [] : ['--env-file', hiddenFile]
  changes.push({
    what: '--name, --label',
    why: 'a name and labels of its own, so that MCPProxy leaves it alone and it is found again',
  })
  changes.push({ what: '--pull never', why: 'an image that is not here is fetched before the clock starts, or not at all' })
  if (!isOn(run, 'rm')) changes.push({ what: '--rm', why: 'nothing may stay' })
  const head = run.subcommand.length > 0 ? run.subcommand : []
  const globals = groupByToken(run.globalFlags).flatMap((group) => verbatim(tokens, group))
  const tail = run.image === null ? [] : [...(tokens[run.imageIndex - 1] === '--' ? ['--'] : []), run.image, ...run.command]
  return {
    id: input.id,
    kind: 'docker',
    command: 'docker',
    argv: [...globals, ...head, ...aside, ...added, ...kept, ...file, ...tail],
    cwd: given.cwd ?? null,
    env,
    hidden: variables.hidden,
    name,
    labels,
    image: run.image,
    platform: flagValue(run, 'platform'),
    checked: run.image !== null && run.problems.length === 0 && aside.length === 0,
    changes,
    refused: refusal(run, options),
  }
}

/**
 * A flag that this table does not know may be a newer docker's, with a value behind it. Read as a switch, its value
 * would pass for the image, and flags behind it for the command: they would escape. So the pair is set aside.
 */
function setUnknownAside(args: readonly string[]): { tokens: string[]; aside: string[] } {
  let tokens = [...args]
  const aside: string[] = []
  for (;;) {
    const unknown = parseDockerRun(tokens).problems.find((p) => p.what === 'unknown-flag' && tokens[p.index]?.includes('=') === false)
    const flag = unknown === undefined ? undefined : tokens[unknown.index]
    if (unknown === undefined || flag === undefined) return { tokens, aside }
    const value = tokens[unknown.index + 1]
    const takes = value !== undefined && !value.startsWith('-') && (flag.startsWith('--') || flag.length === 2)
    if (!takes) return { tokens, aside }
    const rest = [...tokens.slice(0, unknown.index), ...tokens.slice(unknown.index + 2)]
    // Without an image left it was a switch after all, or docker refuses anyway.
    if (parseDockerRun(rest).image === null) return { tokens, aside }
    aside.push(flag, value)
    tokens = rest
  }
}

function refusal(run: DockerRun, options: ReplayOptions): string | null {
  if (run.subcommand.length === 0 || (run.subcommand[0] !== 'run' && run.subcommand[0] !== 'container'))
    return 'Only "docker run" can be made safe to repeat; this is another docker command.'
  const steering = run.globalFlags.find((f) => !['debug', 'log-level'].includes(f.name))
  if (steering !== undefined)
    return `The arguments choose an engine themselves (--${steering.name}), which need not be the one that is watched.`
  if (options.allowWrites === true) return null
  const socket = run.mounts.find((m) => isEngineSocket(m.source))
  if (socket !== undefined)
    return `The server gets the engine's socket (${socket.source}); read-only or not, through it everything on that host can be changed.`
  if (run.flags.some((f) => f.name === 'use-api-socket'))
    return "The server gets the engine's socket (--use-api-socket), through which everything can be changed."
  return null
}

/** The socket itself or the folder that holds it. A mount of `/` is not counted: programs do not look for a socket below it. */
const isEngineSocket = (source: string): boolean =>
  /(^|\/)(docker|podman|containerd|dockershim|crio)(\.raw)?\.sock$/.test(source.replace(/\/+$/, '')) ||
  /^\/(var\/)?run\/*(docker|podman|containerd)?\/*$/.test(source) ||
  /pipe[\\/]+docker/i.test(source)

interface Variables {
  /** Name → value for the docker command's own environment. */
  inherited: Record<string, string>
  hidden: Record<string, string>
  /** Token index of the `-e` that stands for its name in the new arguments; all others of that name go. */
  speaker: Map<string, number>
  /** Names that go without replacement, by `hidden` or because they cannot be given unseen. */
  silent: Set<string>
}

/** `-e NAME=VALUE` becomes `-e NAME`, with the value where only the user and root can read it. Of repeated names the last counts. */
function planVariables(run: DockerRun, base: Record<string, string>, platform: string, changes: Change[]): Variables {
  const result: Variables = { inherited: {}, hidden: {}, speaker: new Map(), silent: new Set() }
  const values = new Map<string, string | null>()
  for (const flag of run.flags) {
    if (flag.name !== 'env' || flag.value === null) continue
    const at = flag.value.indexOf('=')
    if (at === 0) continue
    const name = at < 0 ? flag.value : flag.value.slice(0, at)
    const value = at < 0 ? (base[name] ?? null) : flag.value.slice(at + 1)
    if (value !== null || !values.has(name)) values.set(name, value)
    result.speaker.set(name, flag.index)
  }
  for (const [name, value] of values) {
    if (!steersDocker(name)) {
      if (value !== null) result.inherited[name] = value
      continue
    }
    result.silent.add(name)
    if (value === null) continue
    if (platform === 'win32' || /[\r\n]/.test(value))
      changes.push({
        what: `-e ${name}`,
        why: 'left out: it steers docker itself, and cannot be handed over unseen here',
      })
    else result.hidden[name] = value
  }
  if (values.size > 0)
    changes.push({
      what: [...values.keys()].map((n) => `-e ${shownName(n)}`).join(' '),
      why: 'values are handed over where no process list shows them',
    })
  return result
}

/** `-e ghp_…`: a value where a name belongs. */
const shownName = (name: string): string => (/^[A-Za-z_]\w{0,39}$/.test(name) && !/^(gh[pousr]_|sk_)/.test(name) ? name : '…')

interface Editor {
  run: DockerRun
  options: ReplayOptions
  changes: Change[]
  variables: Variables
  shown: Set<string>
}

/** Flags that share a token, e.g. `-it`. */
function groupByToken(flags: readonly RunFlag[]): RunFlag[][] {
  const groups: RunFlag[][] = []
  for (const flag of flags) {
    const last = groups.at(-1)
    if (last?.[0]?.index === flag.index) last.push(flag)
    else groups.push([flag])
  }
  return groups
}

const verbatim = (tokens: readonly string[], group: readonly RunFlag[]): string[] => {
  const [first, last] = [group[0], group.at(-1)]
  return first === undefined || last === undefined ? [] : tokens.slice(first.index, last.valueIndex + 1)
}

function editGroup(tokens: readonly string[], group: readonly RunFlag[], editor: Editor): string[] {
  const edits = group.map((flag) => editFlag(flag, editor))
  if (edits.every((e) => e === keep)) return verbatim(tokens, group)
  return group.flatMap((flag, i) => {
    const edit = edits[i] ?? keep
    return edit === keep ? spelled(flag) : edit
  })
}

const keep = Symbol('keep')
type Edit = typeof keep | string[]

const spelled = (flag: RunFlag): string[] => {
  const dashes = flag.known || flag.name.length > 1 ? '--' : '-'
  return [flag.value === null ? `${dashes}${flag.name}` : `${dashes}${flag.name}=${flag.value}`]
}

const meetsOthers = 'it would meet the server that MCPProxy runs'
const dropped: Record<string, string> = {
  name: '',
  label: 'others act on labels; it has its own',
  cidfile: 'the file belongs to MCPProxy',
  pull: '',
  publish: 'a port of the host can be taken once only, and stdio needs none',
  'publish-all': 'a port of the host can be taken once only, and stdio needs none',
  ip: meetsOthers,
  ip6: meetsOthers,
  'link-local-ip': meetsOthers,
  'mac-address': meetsOthers,
  'network-alias': meetsOthers,
}

function editFlag(flag: RunFlag, editor: Editor): Edit {
  const { run, options } = editor
  const value = flag.value
  const drop = (why: string): Edit => {
    if (why !== '') editor.changes.push({ what: shown(flag), why })
    return []
  }
  // A flag that lacks its value, or a label that docker refuses, makes the run fail as it did.
  if (flag.name === 'label' && (value === null || value === '' || value.startsWith('='))) return keep
  const reason = dropped[flag.name]
  if (reason !== undefined) return value === null && flag.name !== 'publish-all' ? keep : drop(reason)
  switch (flag.name) {
    case 'tty':
      return options.keepTty === true ? keep : drop(isSet(value) ? 'nobody sits at a terminal' : '')
    case 'detach':
      return options.keepDetach === true ? keep : drop(isSet(value) ? 'its output is what is looked at' : '')
    case 'restart':
      // With --rm docker refuses before it creates anything ("Conflicting options: --restart and --rm"): that is its failure, kept.
      return isOn(run, 'rm') ? keep : drop('it is run once')
    case 'rm':
      return isSet(value) || isOn(run, 'rm') ? keep : drop('')
    case 'env':
      return value === null ? keep : editVariable(flag, value, editor)
    case 'volume':
      return value === null ? keep : editVolume(value, editor)
    case 'mount':
      return value === null ? keep : editMount(value, editor)
    case 'volumes-from':
      return value === null || options.allowWrites === true ? keep : volumesFromReadOnly(value, editor)
    case 'network':
      return value === null ? keep : editNetwork(value, editor)
    default:
      return keep
  }
}

const isSet = (value: string | null): boolean => value === null || ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)
const isOn = (run: DockerRun, name: string): boolean => {
  const last = run.flags.filter((f) => f.name === name).at(-1)
  return last !== undefined && isSet(last.value)
}

/** Labels and variables are foreign words: their names are enough. */
const shown = (flag: RunFlag): string => {
  if (flag.value === null) return `--${flag.name}`
  return `--${flag.name} ${flag.name === 'label' ? flag.value.split('=')[0] : flag.value}`
}

function editVariable(flag: RunFlag, value: string, { variables }: Editor): Edit {
  const at = value.indexOf('=')
  // docker: invalid environment variable: =x. The same refusal without the value.
  if (at === 0) return ['-e', '=']
  const name = at < 0 ? value : value.slice(0, at)
  if (variables.silent.has(name) || variables.speaker.get(name) !== flag.index) return []
  // A token that stands where a name belongs, and names nothing: without it the container is the same.
  if (at < 0 && variables.inherited[name] === undefined && shownName(name) === '…') return []
  return at < 0 ? keep : ['-e', name]
}

const readOnlyWhy = 'read-only here, so that the host stays as it is (--allow-writes)'
const coldWhy = 'an empty volume in its place, thrown away afterwards (--cold)'

function editVolume(value: string, { options, changes }: Editor): Edit {
  const mount = volumeMount(value, 0)
  const modes = mount.options === '' ? [] : mount.options.split(',')
  if (mount.type === 'volume') {
    if (options.cold !== true || mount.source === '') return keep
    changes.push({ what: `-v ${value}`, why: coldWhy })
    const extra = [...(modes.includes('ro') ? ['readonly'] : []), ...(modes.includes('nocopy') ? ['volume-nocopy'] : [])]
    return ['--mount', csvLine(['type=volume', `target=${mount.target}`, ...extra])]
  }
  if (options.allowWrites === true || modes.includes('ro')) return keep
  const kept = modes.includes('rw') ? modes.map((m) => (m === 'rw' ? 'ro' : m)) : [...modes, 'ro']
  const spec = mount.options === '' ? `${value}:${kept.join(',')}` : value.slice(0, value.length - mount.options.length) + kept.join(',')
  changes.push({ what: `-v ${spec}`, why: readOnlyWhy })
  return ['-v', spec]
}

/** Of repeated keys docker takes the last, so that a `readonly` at the end decides. */
function editMount(value: string, { options, changes }: Editor): Edit {
  const fields = keyedFields(value)
  const last = (...names: string[]): string | undefined => fields.findLast(([k]) => names.includes(k))?.[1]
  const type = (last('type') ?? 'volume').toLowerCase()
  // A volume of the driver `local` with a device is the host's folder by another name.
  const isHost = type === 'bind' || fields.some(([k, v]) => k === 'volume-opt' && /^device=/.test(v))
  if (isHost) {
    if (options.allowWrites === true || /^(true|1|t|T|TRUE|True)$/.test(last('readonly', 'ro') ?? '')) return keep
    changes.push({ what: `--mount ${value},readonly`, why: readOnlyWhy })
    return ['--mount', `${value},readonly`]
  }
  if (type !== 'volume' || options.cold !== true || last('source', 'src') === undefined) return keep
  changes.push({ what: `--mount ${value}`, why: coldWhy })
  return ['--mount', csvLine(csvFields(value).filter((f) => !/^(source|src)=/i.test(f)))]
}

const csvLine = (fields: readonly string[]): string =>
  fields.map((f) => (/[",\r\n]/.test(f) ? `"${f.replaceAll('"', '""')}"` : f)).join(',')

function volumesFromReadOnly(value: string, { changes }: Editor): Edit {
  const [container = '', mode = ''] = value.split(':')
  const modes = mode === '' ? [] : mode.split(',')
  if (modes.includes('ro')) return keep
  const spec = `${container}:${[...modes.filter((m) => m !== 'rw'), 'ro'].join(',')}`
  changes.push({ what: `--volumes-from ${spec}`, why: readOnlyWhy })
  return ['--volumes-from', spec]
}

/** `name=x,alias=y,ip=…` (docker 18.06 and later): the network stays, what only one container can have goes. */
function editNetwork(value: string, { changes }: Editor): Edit {
  if (!/(^|,)"?name=/i.test(value)) return keep
  const fields = csvFields(value)
  const kept = fields.filter((f) => !/^(alias|ip|ip6|link-local-ip|mac-address)=/i.test(f))
  if (kept.length === fields.length) return keep
  changes.push({ what: `--network ${csvLine(kept)}`, why: meetsOthers })
  return ['--network', csvLine(kept)]
}
