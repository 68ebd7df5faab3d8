/** Whether MCPProxy isolates a server, who decided it, and the docker command that follows. */
import { isStdio, type ConfigPath, type GlobalConfig, type ServerEntry } from '../formats/mcp-config.ts'
import { chooseImage, detectRuntime, type ImageChoice } from './images.ts'
import { containerToken } from './names.ts'
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
  if (!isStdio(server) && server.command === '')
    return decision('remote', 'it has a url and no command, so MCPProxy starts nothing', [...base, 'url'])

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

/** What is started inside the container. */
export function containerCommand(server: ServerEntry, version: Version): { command: string; args: string[] } {
  const runtime = detectRuntime(server.command)
  if (runtime === 'uvx' && !since(version, 'uvImages')) {
    // v0.7.0 to v0.23.x installed uv first, through a shell.
    return { command: 'sh', args: ['-c', `pip install uv && uvx ${server.args.join(' ')}`] }
  }
  const program: Record<string, string> = {
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
  return { command: program[runtime] ?? server.command, args: server.args }
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

/**
 * `docker_run_args` in MCPProxy's order, from `run` to the image. The name's suffix, the
 * instance and the pid are placeholders; the order of the `-e` entries is random in reality.
 */
export function isolatedRun(server: ServerEntry, global: GlobalConfig, version: Version): IsolatedRun {
  const di = global.docker_isolation
  const own = server.isolation
  const base: ConfigPath = ['mcpServers', server.index]
  const image = chooseImage(server, global, version)
  const tokens: RunToken[] = []
  const add = (list: string[], origin: string, place: ConfigPath | null = null): void => {
    tokens.push({ tokens: list, place, origin })
  }
  const setting = (
    flag: (v: string) => string[],
    key: 'network_mode' | 'log_driver' | 'log_max_size' | 'log_max_files',
    fallback: string,
  ): void => {
    const ownValue = own?.[key] ?? ''
    if (ownValue !== '') return add(flag(ownValue), `isolation.${key}`, [...base, 'isolation', key])
    const globalValue = di[key]
    if (globalValue !== null) {
      if (globalValue !== '') add(flag(globalValue), `docker_isolation.${key}`, ['docker_isolation', key])
      return
    }
    if (fallback !== '') add(flag(fallback), 'default')
  }
  const globalOnly = (flag: string, key: 'memory_limit' | 'cpu_limit', fallback: string): void => {
    const value = di[key] ?? fallback
    if (value !== '')
      add([flag, value], di[key] === null ? 'default' : `docker_isolation.${key}`, di[key] === null ? null : ['docker_isolation', key])
  }

  add(['run', '--rm', '-i'], 'MCPProxy')
  if (since(version, 'containerNames')) add(['--name', `mcpproxy-${containerToken(server.name)}-${placeholders.suffix}`], 'MCPProxy')
  if (since(version, 'labels')) {
    for (const label of ['managed=true', `instance=${placeholders.instance}`, `server=${server.name}`, `created=${placeholders.pid}`])
      add(['--label', `com.mcpproxy.${label}`], 'MCPProxy')
  }
  if (since(version, 'logOptions')) {
    setting((v) => ['--log-driver', v], 'log_driver', '')
    setting((v) => ['--log-opt', `max-size=${v}`], 'log_max_size', '100m')
    setting((v) => ['--log-opt', `max-file=${v}`], 'log_max_files', '3')
  }
  setting((v) => ['--network', v], 'network_mode', 'bridge')
  globalOnly('--memory', 'memory_limit', '512m')
  globalOnly('--cpus', 'cpu_limit', '1.0')
  const cache = cacheVolume(image.runtimeType)
  if (cache && since(version, 'uvImages') && di.enable_cache_volume !== false) {
    add(
      ['-v', cache],
      'MCPProxy (enable_cache_volume)',
      di.enable_cache_volume === null ? null : ['docker_isolation', 'enable_cache_volume'],
    )
  }
  if (own?.working_dir) add(['--workdir', own.working_dir], 'isolation.working_dir', [...base, 'isolation', 'working_dir'])
  for (const [name, value] of Object.entries(server.env)) add(['-e', `${name}=${value}`], 'server env', [...base, 'env', name])
  di.extra_args.forEach((arg, i) => add([arg], 'docker_isolation.extra_args', ['docker_isolation', 'extra_args', i]))
  own?.extra_args.forEach((arg, i) => add([arg], 'isolation.extra_args', [...base, 'isolation', 'extra_args', i]))
  const imagePlace: ConfigPath | null =
    image.from === 'server'
      ? [...base, 'isolation', 'image']
      : image.from === 'default_images'
        ? ['docker_isolation', 'default_images', image.runtimeType]
        : null
  add(
    [image.image],
    image.from === 'server'
      ? 'isolation.image'
      : image.from === 'default_images'
        ? `docker_isolation.default_images.${image.runtimeType}`
        : `MCPProxy's default for ${image.runtimeType}`,
    imagePlace,
  )
  return { tokens, image, ...containerCommand(server, version) }
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
