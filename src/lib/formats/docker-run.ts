/**
 * The arguments of `docker run`, read as the docker command reads them (pflag: short flags
 * combine, the first word that is no flag is the image, everything after it belongs to the
 * container). Flags of docker CLI 20.10 to 29.
 */

export interface RunFlag {
  /** Long name, e.g. `interactive`; unknown flags keep their own spelling. */
  name: string
  /** Null: a switch without a value. */
  value: string | null
  /** Index of its token in the arguments. */
  index: number
  /** Index of the token that holds the value (the same for `--name=value`). */
  valueIndex: number
  known: boolean
}

export interface Mount {
  source: string
  target: string
  options: string
  type: 'bind' | 'volume' | 'tmpfs' | 'other'
  /** Index of the token that holds it. */
  index: number
  /** `-v` or `--mount`. */
  flag: 'volume' | 'mount' | 'tmpfs'
}

export interface DockerRun {
  /** Words between `docker` and the flags: `["run"]`, `["container", "run"]`; empty: no run found. */
  subcommand: string[]
  /** Global docker flags before the subcommand, e.g. `--context x`. */
  globalFlags: RunFlag[]
  flags: RunFlag[]
  /** Null: the arguments end before an image. */
  image: string | null
  imageIndex: number
  /** What follows the image. */
  command: string[]
  mounts: Mount[]
  /** Problems that docker itself reports before it does anything. */
  problems: { what: 'unknown-flag' | 'missing-value' | 'bad-boolean'; index: number; text: string }[]
}

const short: Record<string, string> = {
  a: 'attach',
  c: 'cpu-shares',
  d: 'detach',
  e: 'env',
  h: 'hostname',
  i: 'interactive',
  l: 'label',
  m: 'memory',
  p: 'publish',
  P: 'publish-all',
  q: 'quiet',
  t: 'tty',
  u: 'user',
  v: 'volume',
  w: 'workdir',
}
const switches = new Set([
  'detach',
  'disable-content-trust',
  'help',
  'init',
  'interactive',
  'no-healthcheck',
  'oom-kill-disable',
  'privileged',
  'publish-all',
  'quiet',
  'read-only',
  'rm',
  'sig-proxy',
  'tty',
  'use-api-socket',
])
const valued = new Set(
  (
    'add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime ' +
    'cpu-shares cpus cpuset-cpus cpuset-mems detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops dns dns-opt dns-option dns-search ' +
    'domainname entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries health-start-interval health-start-period health-timeout hostname io-maxbandwidth io-maxiops ip ip6 ipc ' +
    'isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap memory-swappiness mount name net net-alias ' +
    'network network-alias oom-score-adj pid pids-limit platform publish pull restart runtime security-opt shm-size stop-signal stop-timeout storage-opt sysctl tmpfs ulimit ' +
    'user userns uts volume volume-driver volumes-from workdir'
  ).split(' '),
)
const aliases: Record<string, string> = { net: 'network', 'net-alias': 'network-alias', 'dns-opt': 'dns-option' }
const globalValued = new Set(['config', 'context', 'host', 'log-level', 'tlscacert', 'tlscert', 'tlskey'])
const globalShort: Record<string, string> = { c: 'context', D: 'debug', H: 'host', l: 'log-level', v: 'version' }
export const runFlagNames: readonly string[] = [...switches, ...valued]

interface FlagTable {
  short: Record<string, string>
  switches: ReadonlySet<string>
  valued: ReadonlySet<string>
  /** By the word as it is written without a value, e.g. `--net`. */
  words: ReadonlyMap<string, { name: string; valued: boolean }>
}
const tableOf = (short: Record<string, string>, switches: ReadonlySet<string>, valued: ReadonlySet<string>): FlagTable => ({
  ...{ short, switches, valued },
  words: new Map([...switches, ...valued].map((given) => [`--${given}`, { name: aliases[given] ?? given, valued: valued.has(given) }])),
})
const runTable = tableOf(short, switches, valued)
const globalTable = tableOf(globalShort, new Set(['debug', 'tls', 'tlsverify', 'version', 'help']), globalValued)

/** `args`: what follows the word docker, e.g. `["run", "-it", "--rm", "mcp/everything"]`. */
export function parseDockerRun(args: readonly string[]): DockerRun {
  const result: DockerRun = {
    subcommand: [],
    globalFlags: [],
    flags: [],
    image: null,
    imageIndex: -1,
    command: [],
    mounts: [],
    problems: [],
  }
  let i = readFlags(args, 0, globalTable, result.globalFlags, result.problems)
  if (args[i] === 'container' && args[i + 1] === 'run') {
    result.subcommand = ['container', 'run']
    i += 2
  } else if (args[i] === 'run') {
    result.subcommand = ['run']
    i += 1
  } else return { ...result, subcommand: args[i] === undefined ? [] : [args[i] as string], command: args.slice(i + 1) }
  i = readFlags(args, i, runTable, result.flags, result.problems)
  if (args[i] === '--') i++
  const image = args[i]
  if (image !== undefined) {
    result.image = image
    result.imageIndex = i
    result.command = args.slice(i + 1)
  }
  for (const flag of result.flags) if (mountFlags.has(flag.name)) result.mounts.push(...toMount(flag))
  return result
}

const mountFlags = new Set(['volume', 'mount', 'tmpfs'])

/** Reads flags from `i` on; returns the index of the first word that is none. */
function readFlags(args: readonly string[], start: number, table: FlagTable, flags: RunFlag[], problems: DockerRun['problems']): number {
  let i = start
  while (i < args.length) {
    const word = args[i] as string
    if (word === '--' || word === '-' || !word.startsWith('-')) return i
    if (word.startsWith('--')) {
      const whole = table.words.get(word)
      if (whole) {
        const value = whole.valued ? args[i + 1] : undefined
        if (whole.valued && value === undefined) problems.push({ what: 'missing-value', index: i, text: word })
        flags.push({ name: whole.name, value: value ?? null, index: i, valueIndex: whole.valued ? i + 1 : i, known: true })
        i += whole.valued ? 2 : 1
        continue
      }
      const equal = word.indexOf('=')
      const given = equal < 0 ? word.slice(2) : word.slice(2, equal)
      const name = aliases[given] ?? given
      const known = table.switches.has(given) || table.valued.has(given)
      if (!known) problems.push({ what: 'unknown-flag', index: i, text: equal < 0 ? word : word.slice(0, equal) })
      if (equal >= 0) flags.push({ name, value: word.slice(equal + 1), index: i, valueIndex: i, known })
      else flags.push({ name, value: null, index: i, valueIndex: i, known })
      i++
      continue
    }
    i = readCluster(args, i, table, flags, problems)
  }
  return i
}

function readCluster(args: readonly string[], i: number, table: FlagTable, flags: RunFlag[], problems: DockerRun['problems']): number {
  const word = args[i] as string
  for (let c = 1; c < word.length; c++) {
    const letter = word[c] as string
    const name = table.short[letter]
    if (name === undefined) {
      problems.push({ what: 'unknown-flag', index: i, text: `-${letter}` })
      flags.push({ name: letter, value: null, index: i, valueIndex: i, known: false })
      continue
    }
    if (table.switches.has(name)) {
      // -i=true
      if (word[c + 1] === '=') {
        flags.push({ name, value: word.slice(c + 2), index: i, valueIndex: i, known: true })
        return i + 1
      }
      flags.push({ name, value: null, index: i, valueIndex: i, known: true })
      continue
    }
    const rest = word.slice(c + 1).replace(/^=/, '')
    if (rest !== '') {
      flags.push({ name, value: rest, index: i, valueIndex: i, known: true })
      return i + 1
    }
    const value = args[i + 1]
    if (value === undefined) problems.push({ what: 'missing-value', index: i, text: `-${letter}` })
    flags.push({ name, value: value ?? null, index: i, valueIndex: i + 1, known: true })
    return i + 2
  }
  return i + 1
}

function toMount(flag: RunFlag): Mount[] {
  if (flag.value === null) return []
  if (flag.name === 'volume') return [volumeMount(flag.value, flag.valueIndex)]
  if (flag.name === 'tmpfs')
    return [
      {
        source: '',
        target: flag.value.split(':')[0] ?? '',
        options: flag.value.split(':')[1] ?? '',
        type: 'tmpfs',
        index: flag.valueIndex,
        flag: 'tmpfs',
      },
    ]
  if (flag.name !== 'mount') return []
  const parts = new Map(keyedFields(flag.value))
  const type = (parts.get('type') ?? 'volume').toLowerCase()
  const readOnly = ['readonly', 'ro'].some((k) => parts.has(k) && parts.get(k) !== 'false')
  return [
    {
      source: parts.get('source') ?? parts.get('src') ?? '',
      target: parts.get('target') ?? parts.get('destination') ?? parts.get('dst') ?? '',
      options: readOnly ? 'ro' : '',
      type: type === 'bind' || type === 'volume' || type === 'tmpfs' ? type : 'other',
      index: flag.valueIndex,
      flag: 'mount',
    },
  ]
}

/** Docker reads such a value as one line of CSV: `type=bind,"source=/a,b",target=/c`. Quotes are dropped, keys are lower case; a key alone means true. */
export const keyedFields = (value: string): [key: string, value: string][] =>
  csvFields(value).map((field) => {
    const at = field.indexOf('=')
    return [(at < 0 ? field : field.slice(0, at)).toLowerCase(), at < 0 ? 'true' : field.slice(at + 1)]
  })

export function csvFields(line: string): string[] {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string
    if (quoted) {
      if (c !== '"') field += c
      else if (line[i + 1] === '"') {
        field += c
        i++
      } else quoted = false
    } else if (c === '"' && field === '') quoted = true
    else if (c === ',') {
      fields.push(field)
      field = ''
    } else field += c
  }
  return [...fields, field]
}

/** `source:target[:options]`; `C:\path:/target` keeps its drive; one part is an anonymous volume. */
export function volumeMount(value: string, index: number): Mount {
  const drive = value[1] === ':' && /^[A-Za-z]:[\\/]/.test(value) ? value.slice(0, 2) : ''
  const parts = value.slice(drive.length).split(':')
  if (parts.length === 1 && drive === '') return { source: '', target: value, options: '', type: 'volume', index, flag: 'volume' }
  const [source = '', target = '', ...options] = parts
  const full = drive + source
  const isPath = full.includes('/') || full.includes('\\') || /^[~.$%]/.test(full)
  return { source: full, target, options: options.join(':'), type: isPath ? 'bind' : 'volume', index, flag: 'volume' }
}

const on = (value: string | null): boolean => value === null || ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)

/** The effective value of a switch (the last one wins). */
export function hasSwitch(run: DockerRun, name: string): boolean {
  const last = lastFlag(run, name)
  return last !== undefined && on(last.value)
}
export const flagsNamed = (run: DockerRun, name: string): RunFlag[] => run.flags.filter((f) => f.name === name)
/** The effective value of a flag that is not a list (the last one wins). */
export const flagValue = (run: DockerRun, name: string): string | null => lastFlag(run, name)?.value ?? null
/** The last of a name, which wins where a flag is not a list. */
export function lastFlag({ flags }: DockerRun, name: string): RunFlag | undefined {
  for (let i = flags.length - 1; i >= 0; i--) if (flags[i]?.name === name) return flags[i]
  return undefined
}

/** `512m` → bytes; null: docker refuses it (units b k m g t, with or without b, any case). */
export function parseBytes(text: string): number | null {
  const m = /^(\d+(?:\.\d+)?) ?([kKmMgGtTpP])?(i?[bB])?$/.exec(text.trim())
  if (!m) return null
  const power = 'kmgtp'.indexOf((m[2] ?? '').toLowerCase()) + 1
  return Math.floor(Number(m[1]) * 1024 ** power)
}
