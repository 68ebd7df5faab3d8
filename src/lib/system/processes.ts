/**
 * The running MCPProxy and what its child processes inherit. Only Linux shows that to others (/proc); elsewhere
 * our own environment is the best guess, and is called so.
 */
import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import path from 'node:path'
import { object, text } from '../formats/loose.ts'
import { readlink } from './async-fs.ts'
import type { Files, ProxyEnvironment } from './system.ts'

export interface ProxyProcess {
  pid: number
  user: { uid: number; gid: number; groups: string[] }
  /** From /etc/passwd; null: unknown there. */
  home: string | null
  /** Null: this user may not read it. */
  env: Record<string, string> | null
  argv: string[]
  cwd: string | null
  flags: ProxyFlags
}

/** Flags of `mcpproxy serve` that say where things are. */
export interface ProxyFlags {
  config: string | null
  dataDir: string | null
  logDir: string | null
  listen: string | null
  trayEndpoint: string | null
}

/** Programs that configurations start most often; where they are decides whether MCPProxy can start them on the host. */
const usualPrograms = ['docker', 'node', 'npx', 'python', 'python3', 'uv', 'uvx', 'bash', 'sh']

// Everything else of another process's environment is none of our business.
const kept =
  /^(HOME|PATH|SHELL|USER|USERNAME|TMPDIR|SSH_AUTH_SOCK|LOCALAPPDATA|USERPROFILE|DOCKER_.*|XDG_.*|.*_PROXY|MCPPROXY_.*|MCPP_CONFIG)$/i
// Where package managers look for their index and for certificates; those with tokens are left out.
const forPackages =
  /^(npm_config_(registry|cafile)|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL)|PIP_(INDEX_URL|EXTRA_INDEX_URL|CERT)|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$/i

export function relevantEnvironment(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((e): e is [string, string] => e[1] !== undefined && (kept.test(e[0]) || forPackages.test(e[0]))),
  )
}

/** All daemons on this machine whose pids mean the same to us: ours first, then by age. */
export async function findProxyProcesses(files: Files, platform: string, uid: number | null, proc = '/proc'): Promise<ProxyProcess[]> {
  if (platform !== 'linux') return []
  const kernel = kernelThreads(proc)
  const pids = namesIn(proc)
    .filter((n) => /^\d+$/.test(n) && !kernel.has(n))
    .map(Number)
    .sort((a, b) => a - b)
  const found = await Promise.all(pids.filter((pid) => mayBeDaemon(`${proc}/${pid}`)).map((pid) => readProxyProcess(files, pid, proc)))
  return found.filter((p) => p !== null).sort((a, b) => Number(b.user.uid === uid) - Number(a.user.uid === uid))
}

/**
 * Hundreds of processes are none, and each costs time at every start. These two tell them apart, and can be read at once: the kernel
 * takes no lock of the process' memory for them, as it does for its command line, which may never let itself be read (mmap_lock).
 * `comm` is the name of the file that was started, also of a wrapper (`.mcpproxy-wrapp`, cut to 15 characters).
 */
function mayBeDaemon(folder: string): boolean {
  if (readNow(`${folder}/comm`).includes('mcpproxy')) return true
  // Started under another name? Its executable tells, where we may look. Threads of the kernel have none; to ask first spares the exception.
  const executable = `${folder}/exe`
  if (!existsSync(executable)) return false
  try {
    return isProxyExecutable(readlinkSync(executable))
  } catch {
    return false
  }
}

/**
 * Most processes of a machine are threads of the kernel: children of `kthreadd`, which is always process 2. Inside a container there are none, and
 * process 2 is another one.
 */
function kernelThreads(proc: string): ReadonlySet<string> {
  if (readNow(`${proc}/2/comm`) !== 'kthreadd\n') return new Set()
  // Each has a space behind it: what is cut off is the last, if there are so many.
  return new Set(
    readNow(`${proc}/2/task/2/children`, 64 * 1024)
      .split(' ')
      .slice(0, -1),
  )
}

/** The kernel counts them and waits for nobody. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The beginning of a small file of /proc; empty when the process is gone. */
function readNow(file: string, size = 64): string {
  try {
    const handle = openSync(file, 'r')
    try {
      const buffer = Buffer.allocUnsafe(size)
      return buffer.toString('latin1', 0, readSync(handle, buffer, 0, buffer.length, 0))
    } finally {
      closeSync(handle)
    }
  } catch {
    return ''
  }
}

/** Null: there is no such process, or it is not a MCPProxy daemon, or it lives in a container (its paths are not ours). */
export async function readProxyProcess(files: Files, pid: number, proc = '/proc'): Promise<ProxyProcess | null> {
  const folder = `${proc}/${pid}`
  const read = async (name: string): Promise<string | null> => {
    const answer = await files.read(`${folder}/${name}`, 2 * 1024 * 1024)
    return answer.ok && answer.value !== null ? answer.value.toString('utf8') : null
  }
  const argv = (await read('cmdline'))?.split('\0').slice(0, -1) ?? []
  if (!(await isDaemon(folder, argv))) return null
  const status = await read('status')
  if (status === null) return null
  const field = (name: string): number[] =>
    new RegExp(`^${name}:(.*)$`, 'm')
      .exec(status)?.[1]
      ?.trim()
      .split(/\s+/)
      .filter((v) => v !== '')
      .map(Number) ?? []
  // "NSpid:	26535	7": two numbers, one per nested pid namespace.
  if (field('NSpid').length > 1) return null
  // Real, effective, saved, file system: the effective one counts for the docker socket.
  const [uid, gid] = [field('Uid')[1], field('Gid')[1]]
  if (uid === undefined || gid === undefined) return null
  const environ = await read('environ')
  const cwd = await readlink(`${folder}/cwd`).catch(() => null)
  return {
    pid,
    user: { uid, gid, groups: await groupNames(files, field('Groups')) },
    home: await homeOf(files, uid),
    // An empty one is what a process that is just ending shows.
    env: environ === null || environ === '' ? null : relevantEnvironment(parseEnviron(environ)),
    argv,
    cwd,
    flags: proxyFlags(argv),
  }
}

const parseEnviron = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\0')
      .flatMap((entry) => (entry.includes('=') ? [[entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]] : [])),
  )

/** `mcpproxy` alone and `mcpproxy serve` are the daemon (cmd/mcpproxy/main.go `rootCmd.RunE = runServer`); other subcommands are not. */
async function isDaemon(folder: string, argv: readonly string[]): Promise<boolean> {
  if (!(await isDaemonName(folder, argv[0] ?? ''))) return false
  const words = subcommands(argv.slice(1))
  return (words.length === 0 || words[0] === 'serve') && !argv.some((a) => a === '--help' || a === '-h' || a === '--version' || a === '-v')
}

async function isDaemonName(folder: string, command: string): Promise<boolean> {
  if (command === '') return false
  if (isProxyName(command)) return true
  return isProxyExecutable(await readlink(`${folder}/exe`).catch(() => ''))
}

const isProxyExecutable = (file: string): boolean => isProxyName(file.replace(/ \(deleted\)$/, ''))

/** `mcpproxy`, also with a version behind it (`mcpproxy-0.60.0`); not `mcpproxy-tray` or `mcpproxy-doctor`. */
const isProxyName = (file: string): boolean => /^mcpproxy(-v?\d[\w.]*)?(\.exe)?$/.test(path.posix.basename(file))

const valueFlags: Record<string, keyof ProxyFlags | null> = {
  '--config': 'config',
  '-c': 'config',
  '--data-dir': 'dataDir',
  '-d': 'dataDir',
  '--log-dir': 'logDir',
  '--listen': 'listen',
  '-l': 'listen',
  '--tray-endpoint': 'trayEndpoint',
  '--log-level': null,
  '--output': null,
  '-o': null,
  '--tool-response-mode': null,
}

/** cobra takes `--config F`, `--config=F`, `-c F`, `-c=F` and `-cF`; the last one counts. */
export function proxyFlags(argv: readonly string[]): ProxyFlags {
  return parseFlags(argv.slice(1)).flags
}

const subcommands = (args: readonly string[]): string[] => parseFlags(args).words

function parseFlags(args: readonly string[]): { flags: ProxyFlags; words: string[] } {
  const flags: ProxyFlags = { config: null, dataDir: null, logDir: null, listen: null, trayEndpoint: null }
  const words: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--') break
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg)
      continue
    }
    const equals = arg.indexOf('=')
    const short = !arg.startsWith('--')
    const name = short ? arg.slice(0, 2) : equals === -1 ? arg : arg.slice(0, equals)
    if (!(name in valueFlags)) continue
    const attached = short ? (arg.length > 2 ? arg.slice(2).replace(/^=/, '') : null) : equals === -1 ? null : arg.slice(equals + 1)
    const value = attached ?? args[++i] ?? ''
    const key = valueFlags[name]
    if (key !== null && key !== undefined && value !== '') flags[key] = value
  }
  return { flags, words }
}

async function groupNames(files: Files, ids: readonly number[]): Promise<string[]> {
  const known = new Map((await table(files, '/etc/group')).map((row) => [Number(row[2]), row[0] ?? '']))
  return ids.map((id) => known.get(id) ?? String(id))
}

async function homeOf(files: Files, uid: number): Promise<string | null> {
  return (await table(files, '/etc/passwd')).find((row) => Number(row[2]) === uid)?.[5] || null
}

async function table(files: Files, file: string): Promise<string[][]> {
  const answer = await files.read(file, 4 * 1024 * 1024)
  if (!answer.ok || answer.value === null) return []
  return answer.value
    .toString('utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((row) => row.length > 2)
}

/** The environment of `process`, or ours (`assumed`) when there is none or this user may not read it. */
export async function proxyEnvironment(
  files: Files,
  process: ProxyProcess | null,
  own: { env: Record<string, string | undefined>; platform: string; uid: number | null },
  programs = true,
): Promise<ProxyEnvironment> {
  const env = process?.env ?? relevantEnvironment(own.env)
  return {
    source: process?.env == null ? 'assumed' : 'process',
    pid: process?.pid ?? null,
    user: process?.user ?? (await ownUser(files, own)),
    env,
    programs: programs ? await resolvePrograms(files, env, own.platform) : {},
    ...(await clientProxies(files, env)),
  }
}

/** `proxies` of the docker client's configuration: docker sets these variables in every container (docs: Use a proxy server with the Docker CLI). */
async function clientProxies(files: Files, env: Record<string, string | undefined>): Promise<{ clientProxies?: string[] }> {
  const folder = env['DOCKER_CONFIG'] ?? (env['HOME'] === undefined ? null : `${env['HOME']}/.docker`)
  const answer = folder === null ? null : await files.read(`${folder}/config.json`, 1024 * 1024)
  if (!answer?.ok) return {}
  if (answer.value === null) return { clientProxies: [] }
  const { parse } = await import('jsonc-parser')
  const config: unknown = parse(answer.value.toString('utf8'))
  const names = { httpProxy: 'HTTP_PROXY', httpsProxy: 'HTTPS_PROXY', allProxy: 'ALL_PROXY', noProxy: 'NO_PROXY' }
  const blocks = Object.values(object(object(config)['proxies'])).map(object)
  return { clientProxies: Object.entries(names).flatMap(([key, name]) => (blocks.some((b) => text(b[key])) ? [name] : [])) }
}

async function ownUser(files: Files, own: { platform: string; uid: number | null }): Promise<ProxyEnvironment['user']> {
  if (own.uid === null || own.platform === 'win32' || process.getgid === undefined || process.getgroups === undefined) return null
  return { uid: own.uid, gid: process.getgid(), groups: await groupNames(files, process.getgroups()) }
}

/** Like Go's exec.LookPath: the first executable regular file; folders that are not absolute are passed over. */
export async function resolvePrograms(
  files: Files,
  env: Record<string, string | undefined>,
  platform: string,
  names: readonly string[] = usualPrograms,
): Promise<Record<string, string | null>> {
  const windows = platform === 'win32'
  const paths = windows ? path.win32 : path.posix
  const search = Object.entries(env).find(([k]) => (windows ? k.toUpperCase() : k) === 'PATH')?.[1] ?? ''
  const named = new Set(search.split(windows ? ';' : ':').filter((f) => paths.isAbsolute(f)))
  // Many a PATH names folders that are not there: each is asked for once, and not for every program.
  const exist = await Promise.all([...named].map(async (folder) => ({ folder, stat: await files.stat(folder) })))
  const folders = exist.filter(({ stat }) => !stat.ok || stat.value.type !== 'missing').map(({ folder }) => folder)
  const endings = windows ? ['.exe', '.cmd', '.bat', '.com'] : ['']
  const locate = async (name: string): Promise<string | null> => {
    for (const folder of folders) {
      for (const ending of endings) {
        const file = paths.join(folder, name + ending)
        const answer = await files.stat(file)
        if (answer.ok && answer.value.type === 'file' && (windows || (answer.value.mode & 0o111) !== 0)) return file
      }
    }
    return null
  }
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await locate(name)] as const)))
}
