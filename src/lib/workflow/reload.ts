/** Step 7: makes MCPProxy take the file, by the way that its version knows, and proves that it has. */
import { collectServers, collectShared, type Shared } from '../evidence/collect.ts'
import type { ConfigReading } from '../evidence/collect-config.ts'
import { statusFor, type StatusReading } from '../evidence/collect-status.ts'
import type { ConfigEvidence } from '../evidence/evidence.ts'
import type { Redactor } from '../evidence/secrets.ts'
import { UserError } from '../errors.ts'
import { plain, valueAt, type ConfigPath } from '../formats/mcp-config.ts'
import { object } from '../formats/loose.ts'
import { hitByRestart, mayBeHit, ownRestart, reloadWay } from '../mcpproxy/reloading.ts'
import type { Version } from '../mcpproxy/versions.ts'
import { loadedDifference } from '../rules/not-restarted.ts'
import type { LiveSystem } from '../system/live.ts'
import { chooseServers } from './check.ts'
import {
  configsOf,
  restartAndProve,
  serversNow,
  waitForReload,
  watchServer,
  type ProofOptions,
  type ProofStep,
  type ServersNow,
} from './proof.ts'

export interface ReloadOptions extends ProofOptions {
  servers: string[]
  all: boolean
  /** Restarts that hit other servers, or enable a disabled one, are allowed. */
  yes: boolean
  /** Milliseconds for looking, before anything is done. */
  timeoutMs: number
}

export interface ServerReload {
  server: string
  /** Null: could not tell. */
  verified: boolean | null
  steps: ProofStep[]
  /** One sentence, unless it was verified. */
  why: string | null
}

export interface ReloadReport {
  mcpproxy: string | null
  servers: ServerReload[]
  exitCode: 0 | 1 | 3
}

/** MCPProxy as it runs now, and what the file would make of it. */
export interface Scene {
  system: LiveSystem
  reading: ConfigReading
  status: StatusReading
  version: Version
  configs: ConfigEvidence[]
  now: ServersNow
}

export async function reload(system: LiveSystem, options: ReloadOptions): Promise<ReloadReport> {
  const deadline = Date.now() + options.timeoutMs
  options.progress('looking at the configuration, MCPProxy and the engine')
  const shared = await collectShared(system, deadline)
  const { version, redact } = await collectServers(shared, [])
  const names = chooseServers(shared, { servers: options.servers, all: options.all, timeoutMs: options.timeoutMs })
  const unable = (why: string): ReloadReport => ({
    mcpproxy: version.assumed ? null : version.value.text,
    servers: names.map((server) => ({ server, verified: null, steps: [], why: redact(why) })),
    exitCode: 3,
  })
  if (shared.status.ok && shared.status.value === null) return unable('MCPProxy does not run; it takes the file when it starts.')
  if (!shared.status.ok) return unable(`MCPProxy cannot be asked: ${shared.status.error.message}`)
  const scene = await lookAround(system, shared, version.value)
  const broken = scene.reading.document.problems.find((p) => p.kind === 'syntax' || p.kind === 'shape')
  if (broken)
    throw new UserError(`MCPProxy would refuse the file: ${broken.message}`, [
      'mcpproxy-doctor check shows the place, mcpproxy-doctor fix may mend it.',
    ])
  const named = options.servers.length > 0
  const wanted = inOrder(scene.configs.filter((c) => c.server && names.includes(c.server.name) && (named || c.server.enabled === true)))
  const unknown = named ? names.filter((n) => !wanted.some((c) => c.server?.name === n)) : []
  if (unknown.length > 0) throw new UserError(`${unknown.join(', ')}: MCPProxy has such a server, but the file has none.`)
  if (!options.yes) refuseToHit(scene, wanted)
  const servers: ServerReload[] = []
  for (const config of wanted) servers.push(await reloadOne(scene, config, options, redact))
  const worst = servers.some((s) => s.verified === false) ? 1 : servers.some((s) => s.verified === null) ? 3 : 0
  return { mcpproxy: version.assumed ? null : version.value.text, servers, exitCode: worst }
}

export async function lookAround(system: LiveSystem, shared: Shared, version: Version): Promise<Scene> {
  if (!shared.config.ok) throw new UserError(shared.config.error.message)
  if (!shared.status.ok) throw new UserError(shared.status.error.message)
  const status = shared.status.value
  if (status === null) throw new UserError('MCPProxy does not run.')
  const now = await serversNow(system)
  if (!now.ok) throw new UserError(now.error.message)
  return { system, reading: shared.config.value, status, version, configs: configsOf(shared.config.value, version), now: now.value }
}

/** Those whose restart takes away others' containers first, so that the others' own restart heals them. */
function inOrder(configs: ConfigEvidence[]): ConfigEvidence[] {
  const names = configs.map((c) => c.server?.name ?? '')
  return [...configs].sort((a, b) => mayBeHit(b.server?.name ?? '', names).length - mayBeHit(a.server?.name ?? '', names).length)
}

/** Other servers that lose their container when this one is restarted. */
export function othersHit(scene: Pick<Scene, 'configs' | 'now'>, server: string): string[] {
  const { containers } = scene.now
  if (!containers.ok)
    return mayBeHit(
      server,
      scene.configs.flatMap((c) => (c.decision?.runs === 'docker' && c.server?.enabled === true ? [c.server.name] : [])),
    )
  return hitByRestart(
    server,
    containers.value.map((c) => ({
      name: c.names[0] ?? '',
      server: c.labels['com.mcpproxy.server'] ?? null,
      running: c.state === 'running',
    })),
  )
}

function refuseToHit(scene: Scene, wanted: readonly ConfigEvidence[]): void {
  const names = wanted.flatMap((c) => c.server?.name ?? [])
  for (const config of wanted) {
    const server = config.server
    if (!server) continue
    if (server.enabled !== true || scene.now.api.get(server.name)?.['enabled'] === false)
      throw new UserError(`${server.name} is not enabled. A restart would enable it, and MCPProxy would save that.`, [
        '--yes restarts it all the same.',
      ])
    const hit = othersHit(scene, server.name).filter((o) => !names.includes(o))
    if (hit.length > 0)
      throw new UserError(hitText(server.name, hit), ['--yes restarts it all the same, and those that were hit after it.'])
  }
}

export const hitText = (server: string, hit: readonly string[]): string =>
  `Restarting ${server} would also remove the container of ${hit.join(' and ')}: MCPProxy removes every container whose name begins like that of ${server}.`

async function reloadOne(scene: Scene, config: ConfigEvidence, options: ProofOptions, redact: Redactor): Promise<ServerReload> {
  const server = config.server?.name ?? ''
  const way = reloadWay(scene.version, differing(config, scene.status))
  if (way.way === 'own-restart') return { server, verified: null, steps: [], why: `${way.because}. ${ownRestart(scene.status.pid)}` }
  const watched = await watchServer(scene.system, server, scene.version)
  const steps: ProofStep[] = []
  // A change that was made a moment ago is still on its way; anything older has been taken or refused.
  if (way.way === 'watch' && config.mtimeMs !== null && Date.now() - config.mtimeMs < 2000 && differing(config, scene.status).length > 0) {
    const taken = await waitForReload(watched, options.progress)
    steps.push({ name: 'reloaded', ok: taken.taken, text: redact(taken.text) })
    if (taken.taken === false) return { server, verified: false, steps, why: redact(taken.text) }
  }
  const before = await serversNow(scene.system)
  if (!before.ok) return { server, verified: null, steps, why: redact(before.error.message) }
  const proof = await restartAndProve(
    watched,
    config,
    { now: before.value, configs: scene.configs, hit: othersHit(scene, server) },
    options,
  )
  steps.push(...proof.steps.map((s) => ({ ...s, text: redact(s.text) })))
  return {
    server,
    verified: proof.verdict === 'works' ? true : proof.verdict === 'fails' ? false : null,
    steps,
    why: proof.why === null ? null : redact(proof.why),
  }
}

/** Places of this server's entry that are not what MCPProxy has in memory, as far as it tells. */
function differing(config: ConfigEvidence, reading: StatusReading): ConfigPath[] {
  const server = config.server
  if (!server) return []
  const status = statusFor(reading, server.name)
  const entry = loadedDifference(config, status)
  const isolation: ConfigPath = ['mcpServers', server.index, 'isolation']
  const compare = (path: ConfigPath, loaded: unknown): ConfigPath[] => {
    const wanted = plain(valueAt(config.document, path))
    return Object.entries(object(wanted)).flatMap(([k, v]) =>
      JSON.stringify(object(loaded)[k]) === JSON.stringify(v) ? [] : [[...path, k]],
    )
  }
  if (!status.loaded) return []
  return [
    ...(entry ? [entry.place] : []),
    ...compare(isolation, status.loaded.isolation),
    ...compare(['docker_isolation'], status.loaded.docker_isolation).filter((p) => p.at(-1) !== 'default_images'),
  ]
}
