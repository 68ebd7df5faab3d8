/**
 * Which engine the docker command that MCPProxy starts would talk to. The rules are those of docker/cli
 * (cli/command/cli.go `resolveContextName`, opts/hosts.go `ParseHost`), checked against docker 20.10 and 28.2.
 * dockerode knows no contexts, and reads DOCKER_HOST in its own way.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { EngineEndpoint, Observed } from './system.ts'

export interface EndpointInput {
  env: Record<string, string | undefined>
  /** The first megabyte of a file; null: there is none. */
  read(path: string): Promise<Observed<Buffer | null>>
  platform: string
  home: string
  /** `--docker-host` and `--context` of our own command line. */
  flags?: { host?: string | undefined; context?: string | undefined }
  /** Whose environment it is, e.g. `the MCPProxy process`. */
  whose?: string | undefined
}

interface EndpointTls {
  /** False only where the docker command does not verify either (DOCKER_TLS without verify, SkipTLSVerify of a context). */
  verify: boolean
  ca: Buffer | null
  cert: Buffer | null
  key: Buffer | null
}

/** What a client needs on top of what a report shows. Holds key material: not for printing. */
export interface ResolvedEndpoint extends EngineEndpoint {
  tlsMaterial: EndpointTls | null
}

const defaultHost = (platform: string): string => (platform === 'win32' ? 'npipe:////./pipe/docker_engine' : 'unix:///var/run/docker.sock')

export const publicEndpoint = ({ host, decidedBy, context, tls, problem }: ResolvedEndpoint): EngineEndpoint => ({
  host,
  decidedBy,
  context,
  tls,
  problem,
})

export async function resolveEndpoint(input: EndpointInput): Promise<ResolvedEndpoint> {
  const { env, flags } = input
  const folder = env['DOCKER_CONFIG'] || joinPath(input, input.home, '.docker')
  const of = input.whose === undefined ? '' : ` of ${input.whose}`
  if (flags?.host && flags.context) {
    // The docker command: "conflicting options: cannot specify both --host and --context".
    return refused('--docker-host and --context', null, 'conflicting options: --docker-host and --context cannot be given both')
  }
  if (flags?.host) return fromHost(input, folder, flags.host, '--docker-host')
  if (flags?.context) return fromContext(input, folder, flags.context, '--context', of)
  if (env['DOCKER_HOST']) return fromHost(input, folder, env['DOCKER_HOST'], `DOCKER_HOST${of}`)
  if (env['DOCKER_CONTEXT']) return fromContext(input, folder, env['DOCKER_CONTEXT'], `DOCKER_CONTEXT${of}`, of)
  const current = await currentContext(input, folder)
  if (current.name !== null) return fromContext(input, folder, current.name, `context "${current.name}" of ${current.file}`, of)
  return fromHost(input, folder, '', current.warning === null ? 'default socket' : `default socket (${current.warning})`)
}

/** Context `default` is not on disk: it means DOCKER_HOST, or else the default socket. */
async function fromContext(input: EndpointInput, folder: string, name: string, decidedBy: string, of: string): Promise<ResolvedEndpoint> {
  if (name === 'default') {
    const host = input.env['DOCKER_HOST'] ?? ''
    return { ...(await fromHost(input, folder, host, host === '' ? 'default socket' : `DOCKER_HOST${of}`)), context: name }
  }
  const by = decidedBy.startsWith('context ') ? decidedBy : `${decidedBy}, context "${name}"`
  const id = createHash('sha256').update(name).digest('hex')
  const file = joinPath(input, folder, 'contexts', 'meta', id, 'meta.json')
  const answer = await input.read(file)
  // "unable to resolve docker endpoint: context "colima": context not found: open …/meta.json: no such file or directory"
  if (!answer.ok) return refused(by, name, `context "${name}" cannot be read: ${answer.error.message}`)
  if (answer.value === null) return refused(by, name, `context "${name}" does not exist (there is no ${file})`)
  let meta: unknown
  try {
    meta = JSON.parse(answer.value.toString('utf8'))
  } catch {
    return refused(by, name, `context "${name}" is broken: ${file} is not JSON`)
  }
  const endpoint = member(member(meta, 'Endpoints'), 'docker')
  if (endpoint === undefined || endpoint === null) return refused(by, name, `context "${name}" has no docker endpoint`)
  const host = member(endpoint, 'Host')
  const address = typeof host === 'string' && host !== '' ? host : defaultHost(input.platform)
  if (!/^[a-z][a-z0-9+.-]*:\/\/./i.test(address))
    return refused(by, name, `context "${name}" has an address that docker cannot read: ${withoutPassword(address)}`)
  const secure = joinPath(input, folder, 'contexts', 'tls', id, 'docker')
  const [ca, cert, key] = await Promise.all(['ca.pem', 'cert.pem', 'key.pem'].map((n) => input.read(joinPath(input, secure, n))))
  const pem = (file: Observed<Buffer | null> | undefined): Buffer | null => (file?.ok === true ? file.value : null)
  const skip = member(endpoint, 'SkipTLSVerify') === true
  const material =
    pem(ca) !== null || pem(cert) !== null || pem(key) !== null || skip
      ? { verify: !skip, ca: pem(ca), cert: pem(cert), key: pem(key) }
      : null
  return answered(address, by, name, isTcp(address) ? material : null)
}

async function fromHost(input: EndpointInput, folder: string, value: string, decidedBy: string): Promise<ResolvedEndpoint> {
  const { env } = input
  // Docker asks only whether they are set: DOCKER_TLS_VERIFY=0 verifies as well.
  const verify = Boolean(env['DOCKER_TLS_VERIFY'])
  const wantsTls = verify || Boolean(env['DOCKER_TLS'])
  const parsed = parseHost(value, wantsTls, input.platform)
  if ('problem' in parsed) return refused(decidedBy, null, parsed.problem)
  if (!wantsTls) return answered(parsed.host, decidedBy, null, null)
  const certificates = env['DOCKER_CERT_PATH'] || folder
  const file = joinPath(input, certificates, 'ca.pem')
  const [ca, cert, key] = await Promise.all(
    [file, joinPath(input, certificates, 'cert.pem'), joinPath(input, certificates, 'key.pem')].map((f) => input.read(f)),
  )
  // "Failed to initialize: unable to resolve docker endpoint: open /home/user/.docker/ca.pem: no such file or directory", for unix sockets too.
  if (ca?.ok !== true || ca.value === null) {
    const why = ca?.ok === false ? ca.error.message : `there is no ${file}`
    return {
      ...refused(decidedBy, null, `${verify ? 'DOCKER_TLS_VERIFY' : 'DOCKER_TLS'} is set, but ${why}`),
      host: parsed.host,
      tls: isTcp(parsed.host),
    }
  }
  const pem = (f: Observed<Buffer | null> | undefined): Buffer | null => (f?.ok === true ? f.value : null)
  return answered(parsed.host, decidedBy, null, isTcp(parsed.host) ? { verify, ca: ca.value, cert: pem(cert), key: pem(key) } : null)
}

/** opts.ParseHost: `localhost:2375` is TCP, an empty part gets its default, and only five schemes are known. */
function parseHost(value: string, tls: boolean, platform: string): { host: string } | { problem: string } {
  const text = value.trim()
  if (text === '') return { host: tls ? 'tcp://localhost:2376' : defaultHost(platform) }
  const shown = withoutPassword(text)
  const cut = text.indexOf('://')
  const scheme = cut === -1 ? 'tcp' : text.slice(0, cut)
  const rest = cut === -1 ? text : text.slice(cut + 3)
  switch (scheme) {
    case 'unix':
    case 'npipe':
      if (rest.includes('://')) return { problem: `invalid address ${shown}: expected a path after ${scheme}://` }
      // "Failed to initialize: protocol not available"
      if (scheme === 'npipe' && platform !== 'win32') return { problem: `${shown}: named pipes exist on Windows only` }
      return {
        host: rest === '' ? (scheme === 'unix' ? 'unix:///var/run/docker.sock' : 'npipe:////./pipe/docker_engine') : `${scheme}://${rest}`,
      }
    case 'ssh':
      return rest === '' ? { problem: `invalid address ${shown}: it names no host` } : { host: text }
    case 'tcp': {
      const match = /^(?:[^@/]*@)?(\[[^\]]*\]|[^:/]*)(?::([^/]*))?(\/.*)?$/.exec(rest)
      if (match === null || (match[2] !== undefined && !/^\d*$/.test(match[2])))
        return { problem: `invalid address ${shown}: what follows the colon is no port` }
      return { host: `tcp://${match[1] || 'localhost'}:${match[2] || '2375'}${match[3] ?? ''}` }
    }
    default:
      // "unable to resolve docker endpoint: invalid bind address format: http://127.0.0.1:2375"
      return { problem: `invalid bind address format: ${shown} (docker knows unix://, tcp://, ssh:// and npipe://)` }
  }
}

/** A broken config.json is no obstacle to docker: "WARNING: Error parsing config file (…): unexpected EOF", and it goes on without. */
async function currentContext(
  input: EndpointInput,
  folder: string,
): Promise<{ name: string | null; file: string; warning: string | null }> {
  const file = joinPath(input, folder, 'config.json')
  const answer = await input.read(file)
  if (!answer.ok) return { name: null, file, warning: `${file} cannot be read, so no context is known` }
  if (answer.value === null || answer.value.toString('utf8').trim() === '') return { name: null, file, warning: null }
  try {
    const name = member(JSON.parse(answer.value.toString('utf8')), 'currentContext')
    return { name: typeof name === 'string' && name !== '' ? name : null, file, warning: null }
  } catch {
    return { name: null, file, warning: `${file} is not JSON: docker warns and goes on without it` }
  }
}

const answered = (host: string, decidedBy: string, context: string | null, tls: EndpointTls | null): ResolvedEndpoint => ({
  host,
  decidedBy,
  context,
  tls: tls !== null,
  problem: null,
  tlsMaterial: tls,
})

const refused = (decidedBy: string, context: string | null, problem: string): ResolvedEndpoint => ({
  host: null,
  decidedBy,
  context,
  tls: false,
  problem,
  tlsMaterial: null,
})

const isTcp = (host: string): boolean => /^(tcp|https?):/i.test(host)
const withoutPassword = (address: string): string => address.replace(/:[^:@/]*@/, ':…@')

/** Go's JSON takes keys in any case; the exact one wins here. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const entries = Object.entries(value)
  return (entries.find(([k]) => k === name) ?? entries.find(([k]) => k.toLowerCase() === name.toLowerCase()))?.[1]
}

const joinPath = (input: { platform: string }, ...parts: string[]): string =>
  (input.platform === 'win32' ? path.win32 : path.posix).join(...parts)

/** Sockets of other engines of this machine that exist: candidates to name when the one asked for does not answer. */
export async function otherSockets(
  input: { env: Record<string, string | undefined>; home: string; platform: string; uid: number | null },
  isSocket: (path: string) => Promise<boolean>,
): Promise<string[]> {
  if (input.platform === 'win32') return []
  const runtime = input.env['XDG_RUNTIME_DIR'] || (input.uid === null ? null : `/run/user/${input.uid}`)
  const home = (name: string): string => joinPath(input, input.home, name)
  const candidates = [
    '/var/run/docker.sock',
    ...(runtime === null ? [] : [`${runtime}/docker.sock`]),
    ...[
      '.docker/run/docker.sock',
      '.docker/desktop/docker.sock',
      '.colima/default/docker.sock',
      '.colima/docker.sock',
      '.orbstack/run/docker.sock',
      '.rd/docker.sock',
    ].map(home),
    ...(runtime === null ? [] : [`${runtime}/podman/podman.sock`]),
    '/run/podman/podman.sock',
    home('.local/share/containers/podman/machine/podman.sock'),
  ]
  const exist = await Promise.all(candidates.map(isSocket))
  return candidates.filter((_, i) => exist[i]).map((p) => `unix://${p}`)
}
