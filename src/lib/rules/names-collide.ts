/** Before each start MCPProxy removes every container whose name contains `mcpproxy-<name>-`: also another server's. */
import { citeConfig, citeEvent, citeLog } from './cite.ts'
import { oncePerFile, serverPath } from './helpers.ts'
import { field } from '../formats/log-line.ts'
import { isStdio, type ServerEntry } from '../formats/mcp-config.ts'
import { cleanupPattern } from '../mcpproxy/names.ts'
import { decideIsolation } from '../mcpproxy/isolation.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'names-collide',
  severity: 'error',
  title: "Two server names collide in their container names, so each start of one removes the other's container",
  needs: ['config'],
  // Since the labels exist, a start removes what is left of earlier ones.
  releases: { since: 'labels' },
  uses: ['events', 'mainLog', 'serverLog', 'containers', 'status'],
  detect({ config }, { events, mainLog, serverLog, containers, status }, { version }) {
    const { server } = config
    if (!server || server.enabled !== true) return null
    const { involved, starting, isolated, byPattern, byName } = dockerServers(config, version.value)
    if (!involved.has(server.index)) return null
    const other = (s: ServerEntry): boolean => s.index !== server.index && s.name !== server.name
    // The killer is any server that starts docker; the victim an isolated one.
    const killers = isolated.has(server.index)
      ? patternsIn(`${cleanupPattern(server.name)}xxxx`)
          .flatMap((p) => byPattern.get(p)?.filter(other) ?? [])
          .sort((a, b) => Number(a.index) - Number(b.index))
      : []
    const victims = starting.has(server.index) ? (byName.get(cleanupPattern(server.name))?.filter(other) ?? []) : []
    if (killers.length === 0 && victims.length === 0) return null
    const removal = [...(mainLog?.general ?? []), ...(mainLog?.lines ?? [])].filter((l) => l.message === 'Removing existing container')
    const mine = removal.find(
      (l) =>
        (field(l, 'container_name') ?? '').includes(cleanupPattern(server.name).slice(0, -1)) &&
        killers.some((k) => field(l, 'server') === k.name),
    )
    const killed = events?.stories.find(
      (s) =>
        s.signals.some((x) => x.signal === 9) &&
        s.startedAt !== null &&
        events.history.events.some(
          (e) =>
            e.action === 'create' &&
            killers.some((k) => e.attributes['com.mcpproxy.server'] === k.name) &&
            Math.abs(e.at.getTime() - (s.diedAt?.getTime() ?? 0)) < 2500,
        ),
    )
    const running = containers?.some((c) => c.relation === 'label' && c.state === 'running') ?? false
    const hit = mine !== undefined || killed !== undefined
    const works = running && !hit && (status?.server?.connected ?? serverLog?.newest?.outcome === 'connected')
    const [first] = [...killers, ...victims]
    if (!first) return null
    return {
      observations: ['config', ...(mine ? (['mainLog'] as const) : []), ...(killed ? (['events'] as const) : [])],
      ...(hit ? { proof: `Its container was removed at the moment in which "${first.name}" was started.` } : {}),
      severity: (killers.length > 0 && hit) || (!works && killers.length > 0) ? 'error' : 'warning',
      facts: { with: first.name, pattern: cleanupPattern(killers.length > 0 ? first.name : server.name) },
      cites: [
        citeConfig(config, serverPath(server, 'name')),
        citeConfig(config, serverPath(first, 'name')),
        ...(mine ? [citeLog(mine, `${mine.message}: ${field(mine, 'container_name') ?? ''}`)] : []),
        ...(killed?.events.at(-1) ? [citeEvent(killed.events.at(-1)!, 'killed and removed from outside')] : []),
      ],
      detail:
        killers.length > 0
          ? `Each start of "${first.name}" removes every container whose name contains "${cleanupPattern(first.name)}", and that is also the one of "${server.name}".`
          : `Each start of "${server.name}" removes every container whose name contains "${cleanupPattern(server.name)}", and that is also the one of "${first.name}".`,
      remedies: [{ kind: 'instruction', title: `Rename one of them: no name followed by "-" may begin another one.` }],
    }
  },
})

/** Every `mcpproxy-…-` in the name of a container, which is a pattern of the clean-up and four more characters. */
function patternsIn(name: string): string[] {
  const found: string[] = []
  const head = 'mcpproxy-'
  for (let start = name.indexOf(head); start >= 0; start = name.indexOf(head, start + 1))
    for (let end = name.indexOf('-', start + head.length + 1); end >= 0; end = name.indexOf('-', end + 1))
      found.push(name.slice(start, end + 1))
  return found
}

/** The enabled servers that start docker by their pattern, and those that are isolated by the patterns of others in their names. */
const dockerServers = oncePerFile((config, version) => {
  const starting: ServerEntry[] = []
  const isolated: { server: ServerEntry; pattern: string }[] = []
  const byPattern = new Map<string, ServerEntry[]>()
  for (const server of config.servers) {
    if (server.enabled !== true) continue
    const { runs } = decideIsolation(server, config.global, version)
    if (runs !== 'docker' && runs !== 'own-docker') continue
    const pattern = cleanupPattern(server.name)
    if (runs === 'docker') isolated.push({ server, pattern })
    if (!isStdio(server)) continue
    starting.push(server)
    const same = byPattern.get(pattern)
    if (same) same.push(server)
    else byPattern.set(pattern, [server])
  }
  const byName = new Map<string, ServerEntry[]>()
  const involved = new Set<ServerEntry['index']>()
  for (const { server, pattern: own } of isolated)
    for (const pattern of patternsIn(own)) {
      // Of nearly all names the only pattern is their own.
      if (!byPattern.get(pattern)?.some((s) => s.name !== server.name)) continue
      const group = byName.get(pattern)
      if (!group) byName.set(pattern, [server])
      else if (group.at(-1) !== server) group.push(server)
      involved.add(server.index)
    }
  for (const pattern of byName.keys()) for (const server of byPattern.get(pattern) ?? []) involved.add(server.index)
  return {
    involved,
    starting: new Set(starting.map((s) => s.index)),
    isolated: new Set(isolated.map(({ server }) => server.index)),
    byPattern,
    byName,
  }
})
