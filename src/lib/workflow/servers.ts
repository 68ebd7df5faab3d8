/** Which servers there are, by the configuration and by MCPProxy itself. */
import { suggestNames, UserError } from '../errors.ts'
import type { Shared } from '../evidence/collect.ts'

/** What is asked for the names. */
type Known = Pick<Shared, 'system' | 'config' | 'status' | 'locations'>

export function knownServers({ system, config, status }: Known): string[] {
  const configured = config.ok ? config.value.servers.map((s) => s.name) : []
  const listed = status.ok && status.value ? status.value.servers.flatMap((s) => (typeof s['name'] === 'string' ? [s['name']] : [])) : []
  // A server without a name cannot be asked for; the shape of the file says so.
  // Of the others a bundle holds neither logs nor images.
  const held = system.recording?.servers
  return [...new Set([...configured, ...listed])].filter((name) => name !== '' && (held == null || held.includes(name)))
}

const few = (names: readonly string[]): string =>
  names.length > 10 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ')

/** Throws for a server that nobody knows, unless the file cannot be read well enough to say so. */
export function requireServer(shared: Known, name: string): void {
  const { config, locations } = shared
  const known = knownServers(shared)
  const held = shared.system.recording?.servers
  if (held != null && !held.includes(name))
    throw new UserError(`The capture holds nothing about "${name}".`, [
      `It was recorded for ${held.map((n) => `"${n}"`).join(', ') || 'no server'}.`,
    ])
  if (known.includes(name) || !config.ok) return
  const { document } = config.value
  if (document.root === null || document.problems.some((p) => p.kind === 'syntax' || p.kind === 'shape')) return
  // With a second file a name that is unknown is no slip of the pen: the finding tells of the file.
  if (config.value.trackedPath !== null || config.value.otherPaths.length > 0) return
  const near = suggestNames(name, known)
  const quoted = (names: readonly string[]): string[] => names.map((n) => `"${n}"`)
  throw new UserError(
    `There is no server "${name}" in ${locations.config ?? 'the configuration'}.`,
    near.length > 0 ? [`Did you mean ${quoted(near).join(' or ')}?`] : known.length > 0 ? [`It has ${few(quoted(known))}.`] : [],
  )
}
