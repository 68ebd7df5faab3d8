/** Before each start MCPProxy removes every container whose name contains `mcpproxy-<name>-`: also another server's. */
import { citeConfig, citeEvent, citeLog } from './cite.ts'
import { oncePerFile, serverPath } from './helpers.ts'
import { field } from '../formats/log-line.ts'
import { isStdio, type ServerEntry } from '../formats/mcp-config.ts'
import { cleanupPattern, containerToken } from '../mcpproxy/names.ts'
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
    const { involved, starting, isolated, byToken, byName } = dockerServers(config, version.value)
    if (!involved.has(server.index)) return null
    const other = (s: ServerEntry): boolean => s.index !== server.index && s.name !== server.name
    // The killer is any server that starts docker; the victim an isolated one.
    const killers = isolated.has(server.index)
      ? tokensIn(containerToken(server.name))
          .flatMap((t) => byToken.get(t)?.filter(other) ?? [])
          .sort((a, b) => Number(a.index) - Number(b.index))
      : []
    const victims = starting.has(server.index) ? (byName.get(containerToken(server.name))?.filter(other) ?? []) : []
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

/** The middles of every `mcpproxy-…-` in the name of a container, which goes on with `-` and four more characters. */
function tokensIn(token: string): string[] {
  const found: string[] = []
  const head = 'mcpproxy-'
  for (let start = 0; ;) {
    for (let end = token.indexOf('-', start + 1); end >= 0; end = token.indexOf('-', end + 1)) found.push(token.slice(start, end))
    found.push(start === 0 ? token : token.slice(start))
    const next = token.indexOf(head, start)
    if (next < 0 || next + head.length >= token.length) return found
    start = next + head.length
  }
}

/**
 * The enabled servers that start docker by the middle of their containers' names, and those that are isolated by the middles of
 * others in their names.
 */
const dockerServers = oncePerFile((config, version) => {
  const starting = new Set<ServerEntry['index']>()
  const isolated = new Map<ServerEntry['index'], { server: ServerEntry; token: string }>()
  const byToken = new Map<string, ServerEntry[]>()
  for (const server of config.servers) {
    if (server.enabled !== true) continue
    const { runs } = decideIsolation(server, config.global, version)
    if (runs !== 'docker' && runs !== 'own-docker') continue
    const token = containerToken(server.name)
    if (runs === 'docker') isolated.set(server.index, { server, token })
    if (!isStdio(server)) continue
    starting.add(server.index)
    const same = byToken.get(token)
    if (same) same.push(server)
    else byToken.set(token, [server])
  }
  const byName = new Map<string, ServerEntry[]>()
  const involved = new Set<ServerEntry['index']>()
  for (const { server, token: own } of isolated.values())
    for (const token of tokensIn(own)) {
      // Of nearly all names the only one in them is their own.
      if (!byToken.get(token)?.some((s) => s.name !== server.name)) continue
      const group = byName.get(token)
      if (!group) byName.set(token, [server])
      else if (group.at(-1) !== server) group.push(server)
      involved.add(server.index)
    }
  for (const token of byName.keys()) for (const server of byToken.get(token) ?? []) involved.add(server.index)
  return { involved, starting, isolated, byToken, byName }
})
