/** Collector for the configuration file, and what follows from it for one server. */
import {
  globalConfig,
  parseConfig,
  serverEntries,
  type ConfigDocument,
  type ConfigPath,
  type GlobalConfig,
  type ServerEntry,
} from '../formats/mcp-config.ts'
import { parseDockerRun } from '../formats/docker-run.ts'
import { chooseImage } from '../mcpproxy/images.ts'
import { containerCommand, decideIsolation, eachToken, ownDockerArgs, runHead } from '../mcpproxy/isolation.ts'
import type { Version } from '../mcpproxy/versions.ts'
import { notObserved, observed, type Locations, type Observed, type System } from '../system/system.ts'
import type { ConfigEvidence, ExpectedRun } from './evidence.ts'

export interface ConfigReading {
  document: ConfigDocument
  global: GlobalConfig
  servers: ServerEntry[]
  trackedPath: string | null
  otherPaths: string[]
  mtimeMs: number | null
}

const largest = 32 * 1024 * 1024

export async function collectConfig(system: System, locations: Locations): Promise<Observed<ConfigReading>> {
  const path = locations.config
  // A bundle says what was there; older captures hold what somebody copied.
  const partial = system.recording !== null && system.recording.servers === null
  if (path === null && partial) return notObserved('not-recorded', 'The capture holds no configuration.')
  if (path === null)
    return notObserved('unreachable', `No mcp_config.json was found (looked in the current folder and in ${locations.home}/.mcpproxy).`)
  const stat = await system.files.stat(path)
  const bytes = await system.files.read(path, largest)
  if (!bytes.ok) return bytes
  if (bytes.value === null) return notObserved(partial ? 'not-recorded' : 'unreachable', `There is no ${path}.`)
  const mtimeMs = stat.ok && stat.value.type !== 'missing' ? stat.value.mtimeMs : null
  return observed(
    configReading(parseConfig(path, bytes.value), { trackedPath: locations.trackedConfig, otherPaths: locations.otherConfigs, mtimeMs }),
  )
}

/** A text of the file, read or about to be written. */
export function configReading(
  document: ConfigDocument,
  about: Pick<ConfigReading, 'trackedPath' | 'otherPaths' | 'mtimeMs'>,
): ConfigReading {
  // Not spread: a whole reading may be given, and its document is another one.
  const { trackedPath, otherPaths, mtimeMs } = about
  return { document, global: globalConfig(document), servers: serverEntries(document), trackedPath, otherPaths, mtimeMs }
}

/** The evidence about one server; a file that tells nothing of it has `server: null`. */
export const configFor = (reading: ConfigReading, name: string, version: Version): ConfigEvidence =>
  configOf(reading, reading.servers.find((s) => s.name === name) ?? null, version)

/** The evidence about one entry, which need not have a name of its own. */
export function configOf(reading: ConfigReading, server: ServerEntry | null, version: Version): ConfigEvidence {
  const decision = server ? decideIsolation(server, reading.global, version) : null
  const { document, global, servers, trackedPath, otherPaths, mtimeMs } = reading
  const expected = server && decision ? expectedRun(server, global, version, decision.runs) : null
  return { document, global, servers, server, trackedPath, otherPaths, mtimeMs, decision, expected }
}

function expectedRun(server: ServerEntry, global: GlobalConfig, version: Version, runs: string): ExpectedRun | null {
  const { index } = server
  if (runs === 'docker') {
    const image = chooseImage(server, global, version)
    const { command: program, args } = containerCommand(server, version)
    const runArgs = [...runHead]
    const places: (ConfigPath | null)[] = [null, null, null]
    eachToken(server, global, version, image, (_, place, token, value) => {
      runArgs.push(token)
      places.push(place)
      if (value === undefined) return
      runArgs.push(value)
      places.push(place)
    })
    places.push(['mcpServers', index, 'command'])
    for (let i = 0; i < args.length; i++) places.push(['mcpServers', index, 'args', i])
    const command = [program, ...args]
    return { kind: 'isolated', runArgs, command, run: parseDockerRun(runArgs), runtimeType: image.runtimeType, places }
  }
  if (runs !== 'own-docker') return null
  const args = ownDockerArgs(server, version)
  const added = args.length - server.args.length
  const names = Object.keys(server.env)
  const places = args.map((_, i): ConfigPath | null =>
    i > 0 && i <= added
      ? ['mcpServers', index, 'env', names[Math.floor((i - 1) / 2)] ?? '']
      : ['mcpServers', index, 'args', i === 0 ? 0 : i - added],
  )
  const parsed = parseDockerRun(args)
  return {
    kind: 'own',
    runArgs: parsed.image === null ? args : args.slice(0, parsed.imageIndex + 1),
    command: parsed.command,
    run: parsed,
    runtimeType: null,
    places,
  }
}
