/** The container reaches its memory limit and is ended by the kernel. */
import type { ServerLog } from '../evidence/evidence.ts'
import { flagValue } from '../formats/docker-run.ts'
import type { ContainerStory } from '../formats/engine-events.ts'
import { citeConfig, citeStory } from './cite.ts'
import { isConnected } from './connected.ts'
import { configFlag, effectiveRun, failure, serverPath, story } from './helpers.ts'
import { defineRule } from './rule.ts'

/** An older attempt that ran out of memory says nothing of one that failed later. */
const diedSince = (s: ContainerStory, log: ServerLog | undefined): boolean => {
  const attempt = failure(log)
  return attempt === null || (s.diedAt !== null && s.diedAt.getTime() >= attempt.startedAt.getTime())
}

export default defineRule({
  code: 'memory-limit-reached',
  severity: 'error',
  title: 'The container reaches its memory limit and is ended by the kernel',
  needs: ['events'],
  uses: ['config', 'setup', 'serverLog', 'status'],
  detect({ events }, { config, setup, serverLog, status }) {
    const s = story(events)?.oom
      ? story(events)
      : isConnected(serverLog, status)
        ? null
        : (events.stories.filter((x) => x.oom && events.newest === null && diedSince(x, serverLog)).at(-1) ?? null)
    if (!s) return null
    const run = config ? effectiveRun(config, setup)?.run : undefined
    const limit = run ? flagValue(run, 'memory') : null
    const flag = config ? configFlag(config, 'memory') : null
    return {
      observations: ['events', ...(limit ? (['config'] as const) : [])],
      proof: 'The engine recorded an out-of-memory event for this container before it ended.',
      facts: { limit, exitCode: s.exitCode },
      cites: [...(flag && config ? [citeConfig(config, flag.place)] : []), citeStory(s)],
      detail: `The limit is ${limit ?? "MCPProxy's default of 512m"}; the container needed more. A per-server memory_limit is not read.`,
      ruledOut: ['killed from outside (an out-of-memory event precedes the end)'],
      remedies:
        config?.server && config.decision?.runs === 'docker'
          ? [
              {
                kind: 'config-edit',
                class: 'limits',
                title: 'Raise the limit for this server',
                because: 'of two --memory flags the last wins',
                edits: [
                  {
                    path: serverPath(config.server, 'isolation', 'extra_args'),
                    value: [...(config.server.isolation?.extra_args ?? []), '--memory', '1g'],
                  },
                ],
              },
            ]
          : [{ kind: 'instruction', title: 'Raise --memory.' }],
    }
  },
})
