/** Which settings of isolation count for a server, which are overridden by whom, and which do nothing at all. Pure. */
import {
  knownKeys,
  plain,
  valueAt,
  type ConfigDocument,
  type ConfigPath,
  type GlobalConfig,
  type ServerEntry,
} from '../formats/mcp-config.ts'
import { parseDockerRun, type RunFlag } from '../formats/docker-run.ts'
import { chooseImage } from './images.ts'
import type { IsolationDecision, RunToken } from './isolation.ts'
import { since, type Version } from './versions.ts'

/** A setting that is in the file and does not decide anything for this server. */
export interface LostSetting {
  /** e.g. `docker_isolation.network_mode` or `isolation.volumes`. */
  name: string
  path: ConfigPath
  /** `overridden`: another one counts in its place. `no-effect`: nothing would change without it. */
  how: 'overridden' | 'no-effect'
  /** What overrides it; null: nothing does. */
  by: { name: string; path: ConfigPath | null } | null
  /** One sentence. */
  why: string
}

/** A flag of the docker command that a later one replaces; indexes into the tokens of `isolatedRun`. */
export interface LostFlag {
  token: number
  by: number
}

/** Keys that documents and guides show and no release has read (v0.7.0 to v0.60.0). */
export const neverRead: Readonly<Record<string, string>> = {
  memory_limit: 'extra_args: ["--memory", "…"]',
  cpu_limit: 'extra_args: ["--cpus", "…"]',
  volumes: 'extra_args: ["-v", "host:container:ro"]',
  mounts: 'extra_args: ["-v", "host:container:ro"]',
  timeout: 'init_timeout',
  environment: 'env',
  env: 'env of the server',
  network: 'network_mode',
  args: 'extra_args',
  docker_args: 'extra_args',
  workdir: 'working_dir',
}

const perServer = ['network_mode', 'log_driver', 'log_max_size', 'log_max_files'] as const
const whyNot: Record<Exclude<IsolationDecision['runs'], 'docker'>, string> = {
  host: 'MCPProxy runs this server on the host, without a container.',
  sandbox: 'MCPProxy runs this server in a sandbox on the host, without a container.',
  'own-docker': 'MCPProxy does not wrap a docker command; its own arguments count.',
  remote: 'MCPProxy starts nothing for a server with a url.',
}

/** What of the file is lost on this server, in the order of the file's blocks: global first. */
export function lostSettings(
  document: ConfigDocument,
  server: ServerEntry,
  global: GlobalConfig,
  decision: IsolationDecision,
  version: Version,
): LostSetting[] {
  const own: ConfigPath = ['mcpServers', server.index, 'isolation']
  const lost: LostSetting[] = []
  const has = (path: ConfigPath): boolean => valueAt(document, path) !== null
  const nameOf = (path: ConfigPath): string => path.filter((_, i) => !(path[0] === 'mcpServers' && i < 2)).join('.')
  const add = (path: ConfigPath, how: LostSetting['how'], why: string, by: ConfigPath | null = null): void => {
    if (has(path) && !lost.some((l) => l.path.join('\0') === path.join('\0')))
      lost.push({ name: nameOf(path), path, how, by: by && { name: nameOf(by), path: by }, why })
  }
  const wrapped = decision.runs === 'docker'
  const modeCounts = since(version, 'isolationMode')

  // -- the switches
  if (global.docker_isolation.mode !== '')
    if (modeCounts)
      add(['docker_isolation', 'enabled'], 'overridden', 'A mode that is not empty beats enabled since v0.46.0.', [
        'docker_isolation',
        'mode',
      ])
    else add(['docker_isolation', 'mode'], 'no-effect', 'mode exists since v0.46.0; before, enabled decides.')
  if (server.isolation?.mode)
    add(
      [...own, 'mode'],
      'no-effect',
      modeCounts ? 'The mode of a server is read, and lost before the server is started (up to v0.60.0).' : 'mode exists since v0.46.0.',
    )
  if (decision.ignored?.path.at(-1) === 'enabled')
    add([...own, 'enabled'], 'no-effect', `${sentence(decision.ignored.why)}`, decision.place)
  if (decision.runs === 'own-docker' && server.isolation?.enabled !== null) add([...own, 'enabled'], 'no-effect', whyNot['own-docker'])

  // -- keys that nobody reads
  add(['docker_isolation', 'timeout'], 'no-effect', 'It is parsed and shown, and never used; the deadline of a start is init_timeout.')
  for (const [base, known] of [
    [own, knownKeys.isolation],
    [['docker_isolation'], knownKeys.docker_isolation],
  ] as const) {
    const node = valueAt(document, [...base])
    for (const property of node?.type === 'object' ? (node.children ?? []) : []) {
      const key = String(property.children?.[0]?.value)
      if (known.includes(key) || known.includes(key.toLowerCase())) continue
      // Of a server that is not wrapped extra_args does nothing either.
      const instead = wrapped && Object.hasOwn(neverRead, key) ? neverRead[key] : undefined
      add([...base, key], 'no-effect', `No release reads this key${instead === undefined ? '' : `; use ${instead}`}.`)
    }
  }

  // -- all the rest needs a container
  if (!wrapped) {
    const why = whyNot[decision.runs as keyof typeof whyNot]
    for (const key of ['image', 'network_mode', 'extra_args', 'working_dir', ...perServer.slice(1)]) add([...own, key], 'no-effect', why)
    for (const key of knownKeys.docker_isolation) if (key !== 'enabled' && key !== 'mode') add(['docker_isolation', key], 'no-effect', why)
    return lost
  }
  for (const key of perServer)
    if (server.isolation?.[key])
      add(['docker_isolation', key], 'overridden', 'The setting of the server replaces the global one.', [...own, key])
  const image = chooseImage(server, global, version)
  if (image.from === 'server')
    add(
      ['docker_isolation', 'default_images', image.runtimeType],
      'overridden',
      'The image of the server replaces the one for its runtime.',
      [...own, 'image'],
    )
  const named =
    image.from === 'server' ? (server.isolation?.image ?? '') : (global.docker_isolation.default_images[image.runtimeType] ?? '')
  if (named.includes('/'))
    add(
      ['docker_isolation', 'registry'],
      'no-effect',
      'The registry goes only before image names without a slash.',
      image.from === 'server' ? [...own, 'image'] : ['docker_isolation', 'default_images', image.runtimeType],
    )
  if (!since(version, 'uvImages')) add(['docker_isolation', 'enable_cache_volume'], 'no-effect', 'Cache volumes exist since v0.24.0.')
  if (!since(version, 'logOptions'))
    for (const key of perServer.slice(1)) {
      add(['docker_isolation', key], 'no-effect', 'Log settings exist since v0.8.2.')
      add([...own, key], 'no-effect', 'Log settings exist since v0.8.2.')
    }
  for (const path of [['init_timeout'], ['mcpServers', server.index, 'init_timeout']] as ConfigPath[])
    if (!since(version, 'initTimeout')) add(path, 'no-effect', 'init_timeout exists since v0.46.0.')
  const host = valueAt(document, ['mcpServers', server.index, 'working_dir'])
  if (host && plain(host) !== '' && server.isolation?.working_dir === '')
    add(
      ['mcpServers', server.index, 'working_dir'],
      'no-effect',
      'It is the folder in which the docker command is started; the container does not see it.',
    )
  return lost
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

// Of these docker takes the last one. Others add up, or are refused when they stand there twice.
const single = new Set([
  'memory',
  'cpus',
  'workdir',
  'log-driver',
  'user',
  'platform',
  'entrypoint',
  'hostname',
  'memory-swap',
  'shm-size',
  'pids-limit',
  'pull',
])

/** The thing that a flag sets, where a later one of the same kind replaces it; null: it does not. */
function keyOf({ name, value }: RunFlag): string | null {
  if (single.has(name)) return name
  if (name === 'env' || name === 'log-opt') return `${name} ${(value ?? '').split('=')[0] ?? ''}`
  return null
}

/** Flags that a later one replaces, with the groups of tokens in which both stand. */
export function lostFlags(tokens: readonly RunToken[]): LostFlag[] {
  const flat = tokens.flatMap((t) => t.tokens)
  const groupOf = tokens.flatMap((t, i) => t.tokens.map(() => i))
  const last = new Map<string, number>()
  const lost: LostFlag[] = []
  for (const flag of [...parseDockerRun(flat).flags].reverse()) {
    const key = keyOf(flag)
    if (key === null) continue
    const by = last.get(key)
    const token = groupOf[flag.valueIndex]
    if (token === undefined) continue
    if (by === undefined) last.set(key, token)
    else lost.unshift({ token, by })
  }
  return lost
}
