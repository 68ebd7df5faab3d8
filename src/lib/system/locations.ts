/** Where MCPProxy keeps its things, by its own rules (internal/config/loader.go, cmd/mcpproxy/logdir.go, internal/logs/paths.go). */
import path from 'node:path'
import { absolutePath, standardLogs } from './log-folder.ts'
import type { ProxyProcess } from './processes.ts'
import { readProxySettings, type ProxySettings } from './proxy-settings.ts'
import type { Files, Locations } from './system.ts'

export interface LocationInput {
  files: Files
  platform: string
  /** Ours, used where the process' own are not known. */
  home: string
  uid: number | null
  cwd: string
  env: Record<string, string | undefined>
  flags: { config?: string | undefined; dataDir?: string | undefined; logDir?: string | undefined }
  process: ProxyProcess | null
}

/** The settings are those of the file that was found: the proxy's address depends on them too. */
export interface Located extends Locations {
  settings: ProxySettings
}

const configName = 'mcp_config.json'

export async function locate(input: LocationInput): Promise<Located> {
  const { files, flags, process, platform } = input
  const paths = platform === 'win32' ? path.win32 : path.posix
  const how: string[] = []
  // Of a process of another user ours would be wrong; of our own user, or without a process, they are the best guess.
  const env = process?.env ?? (process !== null && process.user.uid !== input.uid ? {} : input.env)
  const home = process?.env?.['HOME'] ?? process?.home ?? input.home
  const cwd = process?.cwd ?? input.cwd
  const uid = process?.user.uid ?? input.uid
  const standard = paths.join(home, '.mcpproxy')
  const absolute = (name: string, from: string): string => absolutePath(paths, home, name, from)
  const exists = async (name: string): Promise<boolean> => {
    const answer = await files.stat(name)
    // A file that this user may not look at is there all the same.
    return !answer.ok || (answer.value.type !== 'missing' && answer.value.type !== 'directory')
  }
  if (process !== null) how.push(`MCPProxy runs as process ${process.pid} (user ${process.user.uid}).`)

  let config: string | null = null
  const explicit = flags.config !== undefined || process?.flags.config != null
  if (flags.config !== undefined) {
    config = absolute(flags.config, input.cwd)
    how.push(`Configuration ${config}: given with --config.`)
  } else if (process?.flags.config != null) {
    config = absolute(process.flags.config, cwd)
    how.push(`Configuration ${config}: --config of the process.`)
  } else if (env['MCPP_CONFIG']) {
    config = absolute(env['MCPP_CONFIG'], cwd)
    how.push(`Configuration ${config}: MCPP_CONFIG.`)
  }
  const dataFlag =
    flags.dataDir !== undefined
      ? absolute(flags.dataDir, input.cwd)
      : process?.flags.dataDir != null
        ? absolute(process.flags.dataDir, cwd)
        : null
  if (config === null) {
    // MCPProxy looks into these two only, whatever --data-dir says. The rest is where services and --data-dir put the file.
    const here = process !== null && process.cwd === null ? [] : [paths.join(cwd, configName)]
    const candidates = [...here, paths.join(standard, configName), ...(dataFlag === null ? [] : [paths.join(dataFlag, configName)])]
    if (platform === 'linux') candidates.push(`/etc/mcpproxy/${configName}`)
    for (const candidate of candidates) {
      if (config === null && (await exists(candidate))) config = candidate
    }
    how.push(
      config === null
        ? `No configuration in ${[...new Set(candidates.map((c) => paths.dirname(c)))].join(', ')}.`
        : `Configuration ${config}: the first that exists in the usual places.`,
    )
  }
  const settings = await readProxySettings(files, config)

  let dataDir = standard
  // packaging/linux/mcpproxy.service: `--config=/etc/mcpproxy/mcp_config.json --data-dir=/var/lib/mcpproxy`
  const packaged = process === null && config === `/etc/mcpproxy/${configName}`
  const set: [string | null | undefined, string, string][] = [
    [dataFlag, flags.dataDir !== undefined ? 'given with --data-dir' : '--data-dir of the process', cwd],
    [env['MCPPROXY_DATA'], 'MCPPROXY_DATA', cwd],
    [settings.dataDir === null ? null : expanded(settings.dataDir, env), 'data_dir of the configuration', cwd],
    [packaged ? '/var/lib/mcpproxy' : null, 'as the Linux package sets it', cwd],
  ]
  const first = set.find(([value]) => Boolean(value))
  if (first?.[0]) {
    dataDir = absolute(first[0], first[2])
    how.push(`Data ${dataDir}: ${first[1]}.`)
  } else how.push(`Data ${dataDir}: the default.`)

  // Without --config it reads one file and saves to, and watches, the one in its data folder.
  const tracked = explicit ? config : paths.join(dataDir, configName)
  const trackedConfig = tracked !== null && tracked !== config && (await exists(tracked)) ? tracked : null
  // A daemon that starts with the session has the home folder as its current one.
  const atHome = paths.join(home, configName)
  const otherConfigs =
    !explicit && atHome !== config && atHome !== trackedConfig && process?.cwd == null && (await exists(atHome)) ? [atHome] : []
  if (trackedConfig !== null) how.push(`MCPProxy saves to and watches ${trackedConfig}, not the file that it reads at start.`)

  const logDirs: string[] = []
  const logs = (folder: string, why: string): void => {
    if (logDirs.includes(folder)) return
    logDirs.push(folder)
    how.push(`Logs ${folder}: ${why}.`)
  }
  // Who names a folder means no other: the logs there may be of another MCPProxy.
  if (flags.logDir !== undefined) {
    logs(absolute(flags.logDir, input.cwd), 'given with --log-dir')
    return { home, config, trackedConfig, otherConfigs, dataDir, logDirs, how, settings }
  }
  if (process?.flags.logDir != null) logs(absolute(process.flags.logDir, cwd), '--log-dir of the process')
  if (settings.logDir !== null) logs(absolute(settings.logDir, cwd), 'logging.log_dir of the configuration')
  if (dataDir !== standard) logs(paths.join(dataDir, 'logs'), 'beside the data, since v0.39.0')
  logs(standardLogs(platform, home, uid, env), 'the default of this system')
  return { home, config, trackedConfig, otherConfigs, dataDir, logDirs, how, settings }
}

/** `data_dir` may hold `${env:NAME}`. */
const expanded = (value: string, env: Record<string, string | undefined>): string =>
  value.replaceAll(/\$\{env:([^}]+)\}/g, (whole, name: string) => env[name] ?? whole)

/** Of several daemons the one that the flags mean; without flags the first (ours before others'). Null: none fits. */
export function chooseProcess(
  processes: readonly ProxyProcess[],
  input: Pick<LocationInput, 'flags' | 'cwd' | 'platform' | 'uid'>,
): ProxyProcess | null {
  const paths = input.platform === 'win32' ? path.win32 : path.posix
  const same = (given: string | undefined, own: string | null, process: ProxyProcess, fallback: string): boolean => {
    if (given === undefined) return true
    const its = own === null ? paths.join(process.env?.['HOME'] ?? process.home ?? '/', fallback) : paths.resolve(process.cwd ?? '/', own)
    return paths.resolve(input.cwd, given) === its
  }
  return (
    processes.find(
      (p) =>
        same(input.flags.config, p.flags.config, p, `.mcpproxy/${configName}`) &&
        same(input.flags.dataDir, p.flags.dataDir ?? p.env?.['MCPPROXY_DATA'] ?? null, p, '.mcpproxy'),
    ) ?? null
  )
}
