/** Before each start MCPProxy removes every container whose name contains `mcpproxy-<name>-`: also another server's. */
import { citeConfig, citeEvent, citeLog } from './cite.ts'
import { serverPath } from './helpers.ts'
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
  uses: ['events', 'mainLog', 'serverLog', 'containers', 'status'],
  detect({ config }, { events, mainLog, serverLog, containers, status }, { version }) {
    const { server } = config
    if (!server || server.enabled !== true) return null
    const isolated = (s: ServerEntry): boolean => decideIsolation(s, config.global, version.value).runs === 'docker'
    const startsDocker = (s: ServerEntry): boolean =>
      isStdio(s) && ['docker', 'own-docker'].includes(decideIsolation(s, config.global, version.value).runs)
    const others = config.servers.filter((s) => s.index !== server.index && s.enabled === true && s.name !== server.name)
    // The killer is any server that starts docker; the victim an isolated one.
    const killers = isolated(server) ? others.filter((s) => startsDocker(s) && nameOf(server).includes(cleanupPattern(s.name))) : []
    const victims = startsDocker(server) ? others.filter((s) => isolated(s) && nameOf(s).includes(cleanupPattern(server.name))) : []
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
    const other = killers[0] ?? victims[0]
    if (!other) return null
    return {
      observations: ['config', ...(mine ? (['mainLog'] as const) : []), ...(killed ? (['events'] as const) : [])],
      ...(hit ? { proof: `Its container was removed at the moment in which "${other.name}" was started.` } : {}),
      severity: (killers.length > 0 && hit) || (!works && killers.length > 0) ? 'error' : 'warning',
      facts: { with: other.name, pattern: cleanupPattern(killers.length > 0 ? other.name : server.name) },
      cites: [
        citeConfig(config, serverPath(server, 'name')),
        citeConfig(config, serverPath(other, 'name')),
        ...(mine ? [citeLog(mine, `${mine.message}: ${field(mine, 'container_name') ?? ''}`)] : []),
        ...(killed?.events.at(-1) ? [citeEvent(killed.events.at(-1)!, 'killed and removed from outside')] : []),
      ],
      detail:
        killers.length > 0
          ? `Each start of "${other.name}" removes every container whose name contains "${cleanupPattern(other.name)}", and that is also this server's.`
          : `Each start of this server removes every container whose name contains "${cleanupPattern(server.name)}", and that is also the one of "${other.name}".`,
      remedies: [{ kind: 'instruction', title: `Rename one of them: no name followed by "-" may begin another one.` }],
    }
  },
})

const nameOf = (s: ServerEntry): string => `mcpproxy-${containerToken(s.name)}-xxxx`
