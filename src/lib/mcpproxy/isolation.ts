/** Whether MCPProxy isolates a server, who decided it, and the docker command that follows. */
import { isStdio, type ConfigPath, type GlobalConfig, type ServerEntry } from '../formats/mcp-config.ts'
import { chooseImage, detectRuntime, type ImageChoice } from './images.ts'
import { cleanupPattern } from './names.ts'
import { since, type Version } from './versions.ts'

export interface IsolationDecision {
  /** What really happens: `docker` wraps the server, `sandbox` confines it, `host` runs it as it is, `own-docker` runs its own docker command, `remote` starts nothing. */
  runs: 'docker' | 'sandbox' | 'host' | 'own-docker' | 'remote'
  /** The rule that decided, one sentence. */
  because: string
  /** The place in the configuration that decided; null: a default. */
  place: ConfigPath | null
  /** The server's own wish that has no effect, e.g. `isolation.enabled: true` with the global switch off. */
  ignored: { path: ConfigPath; why: string } | null
}

/** A command that is docker itself, as opposed to a path that only contains the word. */
export const isDockerCommand = (command: string): boolean => /(?:^|[\\/])docker(?:\.exe)?$/i.test(command)

/** `docker`, `sandbox` or `none`, for all servers that do not say otherwise. Since v0.46.0 a non-empty mode beats enabled. */
export function globalMode({ docker_isolation: di }: GlobalConfig, version: Version): string {
  return di.mode !== '' && since(version, 'isolationMode') ? di.mode : di.enabled ? 'docker' : 'none'
}

const hasOnlyUrl = (server: ServerEntry): boolean => !isStdio(server) && server.command === ''
/** A protocol that is named goes before the command, which MCPProxy then never looks at. */
const namesRemote = (server: ServerEntry): boolean => /^(?:http|sse|streamable-http)$/.test(server.protocol)
/** MCPProxy connects to its url and starts nothing. */
export const isRemote = (server: ServerEntry): boolean => hasOnlyUrl(server) || namesRemote(server)

/** The decision in the order in which MCPProxy really takes it (v0.7.0 to v0.60.0). */
export function decideIsolation(server: ServerEntry, global: GlobalConfig, version: Version): IsolationDecision {
  const di = global.docker_isolation
  const base: ConfigPath = ['mcpServers', server.index]
  const own = server.isolation
  const decision = (
    runs: IsolationDecision['runs'],
    because: string,
    place: ConfigPath | null,
    ignored: IsolationDecision['ignored'] = null,
  ): IsolationDecision => ({ runs, because, place, ignored })
  const modeIgnored = own?.mode
    ? { path: [...base, 'isolation', 'mode'], why: 'per-server isolation.mode is read but has no effect up to v0.60.0' }
    : null
  if (hasOnlyUrl(server)) return decision('remote', 'it has a url and no command, so MCPProxy starts nothing', [...base, 'url'])
  if (namesRemote(server))
    return decision('remote', `its protocol is "${server.protocol}", so MCPProxy connects to its url and starts nothing`, [
      ...base,
      'protocol',
    ])

  const mode = globalMode(global, version)
  const globalPlace: ConfigPath =
    di.mode !== '' && since(version, 'isolationMode') ? ['docker_isolation', 'mode'] : ['docker_isolation', 'enabled']
  const isDocker = isDockerCommand(server.command)
  if (mode === 'none') {
    const ignored =
      own?.enabled === true
        ? { path: [...base, 'isolation', 'enabled'], why: 'isolation is off globally, and that wins silently' }
        : modeIgnored
    return decision(isDocker ? 'own-docker' : 'host', 'isolation is off globally', di.present ? globalPlace : null, ignored)
  }
  if (own?.enabled === false)
    return decision(isDocker ? 'own-docker' : 'host', 'isolation is off for this server', [...base, 'isolation', 'enabled'], modeIgnored)
  // Before v0.13.1 a block without "enabled" meant off.
  if (own && own.enabled === null && !since(version, 'triStateIsolation')) {
    return decision(
      isDocker ? 'own-docker' : 'host',
      'before v0.13.1 an isolation block without "enabled" means off',
      [...base, 'isolation'],
      null,
    )
  }
  // Only the command is looked at, and the word may stand anywhere in it.
  if (server.command.includes('docker')) {
    return isDocker
      ? decision('own-docker', 'it runs its own docker command, which MCPProxy never wraps', [...base, 'command'])
      : decision('host', 'its command contains the word "docker", which MCPProxy takes for docker itself', [...base, 'command'])
  }
  if (mode === 'sandbox') return decision('sandbox', 'docker_isolation.mode is "sandbox"', ['docker_isolation', 'mode'], modeIgnored)
  return decision(
    'docker',
    own?.enabled === true ? 'isolation is on globally and for this server' : 'isolation is on globally',
    globalPlace,
    modeIgnored,
  )
}

/** What MCPProxy starts in the container for each runtime that it knows. */
const programs: Record<string, string> = {
  python: 'python',
  uvx: 'uvx',
  pip: 'pip',
  pipx: 'pip',
  node: 'node',
  npm: 'npm',
  npx: 'npx',
  yarn: 'yarn',
  go: 'go',
  cargo: 'cargo',
  rustc: 'rustc',
  ruby: 'ruby',
  gem: 'gem',
  php: 'php',
  composer: 'composer',
}

/** What is started inside the container. */
export function containerCommand(server: ServerEntry, version: Version): { command: string; args: string[] } {
  const runtime = detectRuntime(server.command)
  if (runtime === 'uvx' && !since(version, 'uvImages')) {
    // v0.7.0 to v0.23.x installed uv first, through a shell.
    return { command: 'sh', args: ['-c', `pip install uv && uvx ${server.args.join(' ')}`] }
  }
  return { command: programs[runtime] ?? server.command, args: server.args }
}

/** Every token of the docker command and where it comes from. */
export interface RunToken {
  tokens: string[]
  /** Null: MCPProxy itself adds it. */
  place: ConfigPath | null
  origin: string
}

export interface IsolatedRun {
  tokens: RunToken[]
  image: ImageChoice
  command: string
  args: string[]
}

export const placeholders = { suffix: 'xxxx', instance: 'INSTANCE', pid: 'PID' } as const

/** Where a token comes from, and one that is a flag with its value, or stands alone. */
type TellToken = (origin: string, place: ConfigPath | null, token: string, value?: string) => void

/**
 * `docker_run_args` in MCPProxy's order, from `run` to the image. The name's suffix, the
 * instance and the pid are placeholders; the order of the `-e` entries is random in reality.
 */
export function isolatedRun(server: ServerEntry, global: GlobalConfig, version: Version): IsolatedRun {
  const tokens: RunToken[] = [{ tokens: [...runHead], place: null, origin: 'MCPProxy' }]
  const image = chooseImage(server, global, version)
  eachToken(server, global, version, image, (origin, place, token, value) =>
    tokens.push({ tokens: value === undefined ? [token] : [token, value], place, origin }),
  )
  return { tokens, image, ...containerCommand(server, version) }
}

/** What the tokens of every docker command begin with. */
export const runHead: readonly string[] = ['run', '--rm', '-i']

/** Tells of each token after `runHead`. A file of thousands of servers asks it for each of them: it makes no objects on the way. */
export function eachToken(server: ServerEntry, global: GlobalConfig, version: Version, image: ImageChoice, tell: TellToken): void {
  const di = global.docker_isolation
  const own = server.isolation
  const { index } = server
  const setting = (
    flag: string,
    name: string,
    key: 'network_mode' | 'log_driver' | 'log_max_size' | 'log_max_files',
    fallback: string,
  ): void => {
    const ownValue = own?.[key] ?? ''
    const value = ownValue !== '' ? ownValue : (di[key] ?? fallback)
    if (value === '') return
    const text = name === '' ? value : `${name}=${value}`
    if (ownValue !== '') tell(`isolation.${key}`, ['mcpServers', index, 'isolation', key], flag, text)
    else if (di[key] !== null) tell(`docker_isolation.${key}`, ['docker_isolation', key], flag, text)
    else tell('default', null, flag, text)
  }
  const globalOnly = (flag: string, key: 'memory_limit' | 'cpu_limit', fallback: string): void => {
    const value = di[key]
    if (value === null) tell('default', null, flag, fallback)
    else if (value !== '') tell(`docker_isolation.${key}`, ['docker_isolation', key], flag, value)
  }

  if (since(version, 'containerNames')) tell('MCPProxy', null, '--name', `${cleanupPattern(server.name)}${placeholders.suffix}`)
  if (since(version, 'labels')) {
    tell('MCPProxy', null, '--label', 'com.mcpproxy.managed=true')
    tell('MCPProxy', null, '--label', `com.mcpproxy.instance=${placeholders.instance}`)
    tell('MCPProxy', null, '--label', `com.mcpproxy.server=${server.name}`)
    tell('MCPProxy', null, '--label', `com.mcpproxy.created=${placeholders.pid}`)
  }
  if (since(version, 'logOptions')) {
    setting('--log-driver', '', 'log_driver', '')
    setting('--log-opt', 'max-size', 'log_max_size', '100m')
    setting('--log-opt', 'max-file', 'log_max_files', '3')
  }
  setting('--network', '', 'network_mode', 'bridge')
  globalOnly('--memory', 'memory_limit', '512m')
  globalOnly('--cpus', 'cpu_limit', '1.0')
  const cache = cacheVolume(image.runtimeType)
  if (cache && since(version, 'uvImages') && di.enable_cache_volume !== false) {
    const place = di.enable_cache_volume === null ? null : ['docker_isolation', 'enable_cache_volume']
    tell('MCPProxy (enable_cache_volume)', place, '-v', cache)
  }
  if (own?.working_dir) tell('isolation.working_dir', ['mcpServers', index, 'isolation', 'working_dir'], '--workdir', own.working_dir)
  for (const name of Object.keys(server.env))
    tell('server env', ['mcpServers', index, 'env', name], '-e', `${name}=${server.env[name] ?? ''}`)
  di.extra_args.forEach((arg, i) => tell('docker_isolation.extra_args', ['docker_isolation', 'extra_args', i], arg))
  own?.extra_args.forEach((arg, i) => tell('isolation.extra_args', ['mcpServers', index, 'isolation', 'extra_args', i], arg))
  if (image.from === 'server') tell('isolation.image', ['mcpServers', index, 'isolation', 'image'], image.image)
  else if (image.from === 'default_images')
    tell(`docker_isolation.default_images.${image.runtimeType}`, ['docker_isolation', 'default_images', image.runtimeType], image.image)
  else tell(`MCPProxy's default for ${image.runtimeType}`, null, image.image)
}

function cacheVolume(runtime: string): string | null {
  if (['uvx', 'pip', 'pipx', 'python'].includes(runtime)) return 'mcpproxy-uv-cache:/root/.cache/uv'
  if (['npm', 'npx', 'yarn', 'node'].includes(runtime)) return 'mcpproxy-npm-cache:/root/.npm'
  return runtime === 'go' ? 'mcpproxy-go-cache:/go/pkg/mod' : null
}

/** The tokens of a server's own docker command as MCPProxy starts it: `env` goes in as `-e K=V` after `run` (since v0.10.11). */
export function ownDockerArgs(server: ServerEntry, version: Version): string[] {
  const [first, ...rest] = server.args
  if (first !== 'run' || !since(version, 'ownDockerEnv')) return [...server.args]
  const args = ['run']
  for (const [name, value] of Object.entries(server.env)) args.push('-e', `${name}=${value}`)
  return args.concat(rest)
}
