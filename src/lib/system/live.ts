/** This machine. Everything is worked out on first use, once, because the doctor looks at one moment. */
import { createEngine } from './docker.ts'
import { otherSockets, resolveEndpoint } from './docker-endpoint.ts'
import { createFiles } from './files.ts'
import { chooseProcess, locate, type Located } from './locations.ts'
import { createProxyApi, defaultSocket, listenUrl, type LiveProxyApi } from './mcpproxy.ts'
import { findProxyProcesses, proxyEnvironment, readProxyProcess, relevantEnvironment, type ProxyProcess } from './processes.ts'
import type { ReplayRunner } from './replay-run.ts'
import type { RunnerOptions } from './replay-runner.ts'
import { observed, type EngineWatch, type Files, type ProxyEnvironment, type System } from './system.ts'

export interface LiveOptions {
  config?: string | undefined
  logDir?: string | undefined
  dataDir?: string | undefined
  /** Where MCPProxy's API is, instead of where its configuration says. */
  api?: string | undefined
  apiKey?: string | undefined
  dockerHost?: string | undefined
  context?: string | undefined
  /** Whether an engine that does not answer is waited for; default: yes. */
  patient?: boolean
  /** Milliseconds since 1970. */
  deadline: number
  env: NodeJS.ProcessEnv
  platform: NodeJS.Platform
  homedir: string
  uid: number | null
}

export interface LiveSystem extends System {
  proxy: LiveProxyApi
  /** Engines of this machine that exist beside the one that is asked, as addresses. */
  otherEngines(): Promise<string[]>
  /** Starts servers again. Its time limits are those of each run, not the deadline. */
  replays: ReplayRunner
}

export function createLiveSystem(options: LiveOptions): LiveSystem {
  const { env, platform, uid } = options
  const home = (platform === 'win32' ? env['USERPROFILE'] : env['HOME']) || options.homedir
  const cwd = process.cwd()
  const files = createFiles()
  const flags = { config: options.config, dataDir: options.dataDir, logDir: options.logDir }

  const processes = once(() => findProxyProcesses(files, platform, uid))
  const chosen = once(async () => chooseProcess(await processes(), { flags, cwd, platform, uid }))
  const located = once(async (): Promise<Located> => locate({ files, platform, home, uid, cwd, env, flags, process: await chosen() }))
  const proxy = createProxyApi({
    files,
    platform,
    uid,
    deadline: options.deadline,
    places: once(async () => (options.api === undefined ? places(await located(), await chosen(), env, platform) : [options.api])),
    // The daemon's MCPPROXY_API_KEY beats its file.
    key: async () =>
      options.apiKey ?? env['MCPPROXY_API_KEY'] ?? (await chosen())?.env?.['MCPPROXY_API_KEY'] ?? (await located()).settings.apiKey,
    ca: async () => certificate(files, await located(), (await chosen())?.env ?? env),
    users: async () => (uid === null ? null : trusted(files, uid, await located(), await chosen())),
  })
  // Several daemons and nothing that tells them apart: the one that answers is the one meant.
  const running = once(async (): Promise<ProxyProcess | null> => {
    const found = await chosen()
    const all = await processes()
    // Where no process can be seen, the one that answers cannot be either.
    if (all.length === 0 || (all.length === 1 && found !== null)) return found
    if (platform !== 'linux') return null
    const pid = pidOf(await proxy.get('/api/v1/info'))
    return (pid === null ? null : await readProxyProcess(files, pid)) ?? found
  })
  const environmentWith = (programs: boolean) =>
    once(async (): Promise<ProxyEnvironment> => proxyEnvironment(files, await running(), { env, platform, uid }, programs))
  const environment = environmentWith(true)
  const withoutPrograms = environmentWith(false)
  // Without the search for programs that belongs to the whole of it.
  const variables = once(async () => {
    const its = (await running())?.env ?? null
    return { env: its ?? relevantEnvironment(env), source: its === null ? 'assumed' : 'process' }
  })
  const allVariables = async (): Promise<Record<string, string | undefined>> => ({ ...env, ...(await variables()).env })
  const endpoint = once(async () => {
    const its = await variables()
    return resolveEndpoint({
      env: its.env,
      read: (path) => files.read(path, 1024 * 1024),
      platform,
      home: its.env['HOME'] || (await running())?.home || home,
      flags: { host: options.dockerHost, context: options.context },
      whose: its.source === 'process' ? 'the MCPProxy process' : undefined,
    })
  })
  const engine = createEngine({ endpoint, deadline: options.deadline, env: allVariables, patient: options.patient ?? true })
  const replays = replaysOnUse({ endpoint, env: allVariables, files, platform })
  const watches = new Set<EngineWatch>()
  return {
    replays,
    watchEngine: async (listener) => {
      const { watchEngine } = await import('./engine-watch.ts')
      const answer = await watchEngine({ endpoint, env: allVariables }, listener)
      if (answer.ok) watches.add(answer.value)
      return answer
    },
    recording: null,
    platform,
    now: () => new Date(),
    locations: async () => {
      const { settings: _, ...locations } = await located()
      return locations
    },
    files,
    proxy,
    engine,
    environment: async ({ programs } = { programs: true }) => observed(await (programs ? environment() : withoutPrograms())),
    otherEngines: async () => {
      const asked = (await endpoint()).host
      const its = await environment()
      const isSocket = async (path: string): Promise<boolean> => {
        const stat = await files.stat(path)
        return stat.ok && stat.value.type === 'socket'
      }
      const found = await otherSockets({ env: its.env, home: its.env['HOME'] ?? home, platform, uid: its.user?.uid ?? uid }, isSocket)
      return found.filter((host) => host !== asked)
    },
    close: async () => {
      await Promise.all([replays.close(), ...[...watches].map((watch) => watch.close())])
      await engine.close()
      proxy.close()
      await files.close()
    },
  }
}

/** Most looks start nothing, and need not load what does. */
function replaysOnUse(options: RunnerOptions): ReplayRunner {
  let ready: ReplayRunner | null = null
  let loading: Promise<ReplayRunner> | null = null
  const runner = (): Promise<ReplayRunner> =>
    (loading ??= import('./replay-runner.ts').then(({ createReplayRunner }) => (ready = createReplayRunner(options))))
  return {
    run: async (...args) => (await runner()).run(...args),
    owner: async () => (await runner()).owner(),
    sweep: async () => (await runner()).sweep(),
    askRegistry: async (...args) => (await runner()).askRegistry(...args),
    pullImage: async (...args) => (await runner()).pullImage(...args),
    busy: () => ready?.busy() ?? loading !== null,
    close: async () => (await loading)?.close(),
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | null = null
  return () => (value ??= make())
}

/** The socket needs no key and is the daemon's own; `listen` is asked when there is none. */
function places(located: Located, process: ProxyProcess | null, own: NodeJS.ProcessEnv, platform: string): string[] {
  const { settings } = located
  const env: Record<string, string | undefined> = process?.env ?? own
  const socket =
    process?.flags.trayEndpoint ??
    env['MCPPROXY_TRAY_ENDPOINT'] ??
    settings.trayEndpoint ??
    (located.dataDir === null ? null : defaultSocket(located.dataDir, platform, env))
  const tls = env['MCPPROXY_TLS_ENABLED'] ? /^(true|1)$/.test(env['MCPPROXY_TLS_ENABLED']) : settings.tls
  const listen = process?.flags.listen ?? env['MCPPROXY_LISTEN'] ?? settings.listen ?? '127.0.0.1:8080'
  return [...(settings.socket && socket ? [socket] : []), listenUrl(listen, tls)]
}

/**
 * Who may have our key: a name in a process list can be imitated, so a process counts only for root (whom its owner could not
 * deceive about a key of its own); the owner of the configuration knows the key anyway.
 */
async function trusted(files: Files, uid: number, located: Located, process: ProxyProcess | null): Promise<number[]> {
  const config = located.config === null ? null : await files.stat(located.config)
  const owner = config?.ok === true && config.value.type !== 'missing' ? [config.value.uid] : []
  return [uid, 0, ...owner, ...(uid === 0 && process !== null ? [process.user.uid] : [])]
}

/** MCPProxy makes its own CA (internal/tlslocal/localca.go); null: there is none. */
async function certificate(files: Files, located: Located, env: Record<string, string | undefined>): Promise<Buffer | null> {
  const folder = env['MCPPROXY_CERTS_DIR'] ?? located.settings.certsDir ?? `${located.dataDir ?? ''}/certs`
  const answer = await files.read(`${folder}/ca.pem`, 1024 * 1024)
  return answer.ok ? answer.value : null
}

function pidOf(answer: Awaited<ReturnType<LiveProxyApi['get']>>): number | null {
  const body = answer.ok ? answer.value.body : null
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : null
  const pid: unknown = typeof data === 'object' && data !== null && 'pid' in data ? data.pid : null
  return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 ? pid : null
}
