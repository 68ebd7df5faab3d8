/** Containers of the server that outlived the program that started them. */
import { ownerPid } from '../evidence/collect-engine.ts'
import type { Container } from '../evidence/evidence.ts'
import type { HostPath } from '../system/system.ts'
import { citeEngine, citeHost } from './cite.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'orphan-containers',
  severity: 'warning',
  title: 'Containers of this server outlived the program that started them',
  needs: ['containers', 'status'],
  uses: ['hostPaths', 'engine', 'mainLog', 'config'],
  detect({ containers, status }, { hostPaths, engine, mainLog, config }) {
    const running = containers.filter((c) => c.state === 'running' || c.state === 'paused')
    // Over tcp or ssh the engine may serve the MCPProxy of another machine, whose processes are not ours.
    const local = engine?.endpoint.host?.startsWith('unix:') === true
    const labelled = running.filter((c) => c.relation === 'label' && ownerPid(c.labels) !== null && ownerPid(c.labels) !== status?.pid)
    const dead = local ? labelled.filter((c) => ownerLives(c, hostPaths) === false) : []
    // A release that does not tell its own pid may well be the owner.
    const doubtful = status !== null && status.pid === null ? [] : labelled.filter((c) => !local || ownerLives(c, hostPaths) === null)
    // A server's own docker command leaves no label: image and age tell.
    const start = mainLog?.start?.at ?? null
    const older =
      config?.expected?.kind === 'own' && start !== null
        ? running.filter((c) => c.relation === 'image' && c.createdAt.getTime() < start.getTime() - 5000)
        : []
    const orphans = dead.length > 0 ? dead : doubtful.length > 0 ? doubtful : older
    const [first] = orphans
    if (!first) return null
    const names = orphans.map((c) => c.names[0] ?? c.id.slice(0, 12))
    const proven = orphans === dead
    return {
      observations: ['containers', ...(proven ? (['hostPaths'] as const) : [])],
      ...(proven ? { proof: 'The process that their label names does not exist any more.' } : {}),
      rank: proven ? 'proven' : 'suspected',
      facts: { containers: names, owners: [...new Set(orphans.flatMap((c) => ownerPid(c.labels) ?? []))] },
      cites: [
        ...orphans.slice(0, 5).map((c) => citeEngine('container', `${c.names[0] ?? c.id}: ${c.status}, started by ${owner(c)}`)),
        ...(proven ? [citeHost(`/proc/${ownerPid(first.labels) ?? ''}`, 'does not exist')] : []),
      ],
      detail: `${names.length} ${names.length === 1 ? 'container runs' : 'containers run'} on without the MCPProxy of today${
        orphans === older ? '; they are older than it, but may belong to another client' : proven ? '' : '; they may belong to a second one'
      }. A server that does not end at the end of its input keeps its memory for ever.`,
      remedies: proven
        ? [{ kind: 'command', title: 'Remove them', argv: ['docker', 'rm', '-f', ...names] }]
        : [
            {
              kind: 'command',
              title: 'Look whose they are before you remove any',
              argv:
                orphans === older
                  ? ['docker', 'ps', '--filter', `ancestor=${first.image}`]
                  : ['docker', 'ps', '--filter', 'label=com.mcpproxy.managed=true'],
            },
          ],
    }
  },
})

const owner = (c: Container): string => {
  const pid = ownerPid(c.labels)
  return pid === null ? 'an unknown client' : `process ${pid}`
}

/** Null: cannot be told, e.g. where /proc hides the processes of others. */
function ownerLives(c: Container, paths: Record<string, HostPath> | undefined): boolean | null {
  const process = paths?.[`/proc/${ownerPid(c.labels) ?? ''}`]
  const visible = paths?.['/proc/1']
  if (process === undefined || visible === undefined || visible.type === 'missing') return null
  return process.type !== 'missing'
}
