/**
 * `docker run` arguments as the body of `POST /containers/create`, for machines without the docker command. What the
 * command does beyond passing values on (reading files, resolving devices) is not imitated: such flags are named
 * instead, because a container that differs from the recorded one would prove nothing.
 */
import { csvFields, keyedFields, parseBytes, volumeMount, type DockerRun, type RunFlag } from './docker-run.ts'

export interface CreateRequest {
  name: string | null
  platform: string | null
  body: {
    Image: string
    Cmd?: string[]
    Env: string[]
    Labels: Record<string, string>
    OpenStdin: boolean
    HostConfig: Record<string, unknown>
    [key: string]: unknown
  }
}

type Put = (body: CreateRequest['body'], value: string) => boolean

const config =
  (key: string): Put =>
  (body, value) => {
    body[key] = value
    return true
  }
const host =
  (key: string, read: (value: string) => unknown = (v) => v): Put =>
  ({ HostConfig }, value) => {
    const wanted = read(value)
    if (wanted !== null) HostConfig[key] = wanted
    return wanted !== null
  }
const hostList =
  (key: string, read: (value: string) => string | null = (v) => v): Put =>
  ({ HostConfig }, value) => {
    const item = read(value)
    if (item !== null) HostConfig[key] = [...((HostConfig[key] as string[] | undefined) ?? []), item]
    return item !== null
  }
const hostEntry =
  (key: string, separator: string): Put =>
  ({ HostConfig }, value) => {
    const at = value.indexOf(separator)
    HostConfig[key] = { ...(HostConfig[key] as object), [at < 0 ? value : value.slice(0, at)]: at < 0 ? '' : value.slice(at + 1) }
    return true
  }
const capability = (v: string): string => (/^(CAP_|ALL$)/i.test(v) ? v.toUpperCase() : `CAP_${v.toUpperCase()}`)
const wholeNumber = (value: string): number | null => (/^-?\d+$/.test(value) ? Number(value) : null)
const bytesOrMinusOne = (value: string): number | null => (value === '-1' ? -1 : parseBytes(value))

const valued: Record<string, Put> = {
  user: config('User'),
  workdir: config('WorkingDir'),
  hostname: config('Hostname'),
  domainname: config('Domainname'),
  'stop-signal': config('StopSignal'),
  entrypoint: (body, value) => {
    body['Entrypoint'] = [value]
    return true
  },
  network: host('NetworkMode', (v) => (/(^|,)"?name=/.test(v) ? null : v)),
  memory: host('Memory', parseBytes),
  'memory-swap': host('MemorySwap', bytesOrMinusOne),
  'memory-reservation': host('MemoryReservation', parseBytes),
  'shm-size': host('ShmSize', parseBytes),
  cpus: host('NanoCpus', (v) => (/^\d*\.?\d+$/.test(v) ? Math.round(Number(v) * 1e9) : null)),
  'cpu-shares': host('CpuShares', wholeNumber),
  'cpuset-cpus': host('CpusetCpus'),
  'pids-limit': host('PidsLimit', wholeNumber),
  'oom-score-adj': host('OomScoreAdj', wholeNumber),
  ipc: host('IpcMode'),
  pid: host('PidMode'),
  uts: host('UTSMode'),
  userns: host('UsernsMode'),
  cgroupns: host('CgroupnsMode'),
  'cgroup-parent': host('CgroupParent'),
  runtime: host('Runtime'),
  dns: hostList('Dns'),
  'dns-search': hostList('DnsSearch'),
  'dns-option': hostList('DnsOptions'),
  'cap-add': hostList('CapAdd', capability),
  'cap-drop': hostList('CapDrop', capability),
  'group-add': hostList('GroupAdd'),
  'volumes-from': hostList('VolumesFrom'),
  'add-host': hostList('ExtraHosts', (v) => (v.includes('=') && !v.slice(0, v.indexOf('=')).includes(':') ? v.replace('=', ':') : v)),
  // The command reads the file and sends what is in it.
  'security-opt': hostList('SecurityOpt', (v) => (/^(seccomp|systempaths)[=:](?!unconfined$|builtin$)/.test(v) ? null : v)),
  sysctl: hostEntry('Sysctls', '='),
  tmpfs: hostEntry('Tmpfs', ':'),
}

const switches: Record<string, (body: CreateRequest['body'], on: boolean) => void> = {
  interactive: (body, on) => Object.assign(body, { OpenStdin: on, StdinOnce: on, AttachStdin: on }),
  rm: ({ HostConfig }, on) => (HostConfig['AutoRemove'] = on),
  init: ({ HostConfig }, on) => (HostConfig['Init'] = on),
  privileged: ({ HostConfig }, on) => (HostConfig['Privileged'] = on),
  'read-only': ({ HostConfig }, on) => (HostConfig['ReadonlyRootfs'] = on),
  'no-healthcheck': (body, on) => {
    if (on) body['Healthcheck'] = { Test: ['NONE'] }
  },
}
/** They change nothing about the container. */
const ignored = new Set(['pull', 'quiet', 'sig-proxy', 'detach-keys', 'expose', 'disable-content-trust', 'name', 'platform', 'env-file'])

/**
 * `environment`: what `-e NAME` refers to; `hidden`: what the command would read from the file of `--env-file`, which
 * is the only such file that is known here. A string is the first flag that only the command understands.
 */
export function containerCreate(
  run: DockerRun,
  environment: Readonly<Record<string, string>>,
  hidden: { file: string; variables: Readonly<Record<string, string>> },
): CreateRequest | string {
  if (run.image === null) return 'a command without an image'
  const body: CreateRequest['body'] = {
    Image: run.image,
    ...(run.command.length === 0 ? {} : { Cmd: run.command }),
    Env: Object.entries(hidden.variables).map(([k, v]) => `${k}=${v}`),
    Labels: {},
    OpenStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: { RestartPolicy: { Name: 'no' } },
  }
  let name: string | null = null
  let platform: string | null = null
  for (const flag of run.flags) {
    const { value } = flag
    if (flag.name === 'name') name = value
    if (flag.name === 'platform') platform = value
    if (flag.name === 'env-file' && value !== hidden.file) return '--env-file'
    if (!put(flag, body, environment)) return `--${flag.name}`
  }
  return { name, platform, body }
}

function put(flag: RunFlag, body: CreateRequest['body'], environment: Readonly<Record<string, string>>): boolean {
  const { value } = flag
  if (ignored.has(flag.name)) return true
  const set = switches[flag.name]
  if (set !== undefined) {
    set(body, value === null || ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value))
    return true
  }
  if (value === null) return false
  const { HostConfig } = body
  const add = (key: string, item: unknown): boolean => {
    HostConfig[key] = [...((HostConfig[key] as unknown[] | undefined) ?? []), item]
    return true
  }
  const [key = '', ...rest] = value.split('=')
  switch (flag.name) {
    case 'label':
      body.Labels[key] = rest.join('=')
      return key !== ''
    case 'env': {
      const inherited = environment[value]
      if (value === '' || value.startsWith('=')) return false
      body.Env.push(value.includes('=') || inherited === undefined ? value : `${value}=${inherited}`)
      return true
    }
    case 'volume': {
      const mount = volumeMount(value, 0)
      // The command makes a relative path absolute.
      if (mount.type === 'bind' && !/^(\/|[A-Za-z]:)/.test(mount.source)) return false
      if (mount.source !== '') return add('Binds', value)
      body['Volumes'] = { ...(body['Volumes'] as object), [mount.target]: {} }
      return true
    }
    case 'mount': {
      const mount = mountObject(value)
      return mount !== null && add('Mounts', mount)
    }
    case 'log-driver':
    case 'log-opt': {
      const log = (HostConfig['LogConfig'] as { Type: string; Config: Record<string, string> } | undefined) ?? { Type: '', Config: {} }
      HostConfig['LogConfig'] =
        flag.name === 'log-driver' ? { ...log, Type: value } : { ...log, Config: { ...log.Config, [key]: rest.join('=') } }
      return true
    }
    case 'ulimit': {
      const limit = /^(-?\d+)(?::(-?\d+))?$/.exec(rest.join('='))
      return limit !== null && add('Ulimits', { Name: key, Soft: Number(limit[1]), Hard: Number(limit[2] ?? limit[1]) })
    }
    default:
      return valued[flag.name]?.(body, value) ?? false
  }
}

function mountObject(value: string): object | null {
  if (csvFields(value).some((f) => f === '')) return null
  const mount: Record<string, unknown> = { Type: 'volume' }
  for (const [key, item] of keyedFields(value)) {
    if (key === 'type') mount['Type'] = item.toLowerCase()
    else if (key === 'source' || key === 'src') mount['Source'] = item
    else if (key === 'target' || key === 'dst' || key === 'destination') mount['Target'] = item
    else if (key === 'readonly' || key === 'ro') mount['ReadOnly'] = ['true', '1'].includes(item)
    else if (key === 'bind-propagation') mount['BindOptions'] = { Propagation: item }
    else if (key === 'volume-nocopy') mount['VolumeOptions'] = { NoCopy: ['true', '1'].includes(item) }
    else return null
  }
  const { Type: type, Source: source } = mount
  if (type === 'bind' && !(typeof source === 'string' && /^(\/|[A-Za-z]:)/.test(source))) return null
  return type === 'bind' || type === 'volume' || type === 'tmpfs' ? mount : null
}
