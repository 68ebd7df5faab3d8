/** The server writes to a place that is mounted or started read-only. */
import { hasSwitch } from '../formats/docker-run.ts'
import { field } from '../formats/log-line.ts'
import { citeConfig, citeLog } from './cite.ts'
import { effectiveRun, failure, isMounted, placeOfToken, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'read-only-filesystem',
  severity: 'error',
  title: 'The server writes to a place that is mounted or started read-only',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup'],
  detect({ config, serverLog }, { setup }) {
    const said = programSaid(serverLog, 'read-only', 'npm-read-only', 'database-closed')
    const run = effectiveRun(config, setup)?.run
    if (!said || !run) return null
    const root = hasSwitch(run, 'read-only')
    const closed = run.mounts.filter((m) => /\bro\b/.test(m.options))
    // SQLite names no path; the line of the program that opens it, an argument or a variable may.
    const texts = [
      ...(failure(serverLog)?.stderr ?? []).map((l) => field(l, 'message') ?? ''),
      ...(config.server?.args ?? []),
      ...Object.values(config.server?.env ?? {}),
    ]
    const path =
      said.subject ??
      (said.kind === 'database-closed'
        ? (texts.flatMap((t) => [...t.matchAll(/(?:^|['"\s=:(])(\/[^\s'"):,]+\.(?:db|sqlite3?|db3))(?=$|['"\s):,?])/g)]).at(-1)?.[1] ??
          null)
        : null)
    const mount = path === null ? undefined : closed.find((m) => isMounted([m], path))
    const place = mount ? placeOfToken(config, mount.index) : null
    if (said.kind === 'database-closed' && !mount && !root) return null
    if (said.kind === 'npm-read-only' && !root) return null
    return {
      observations: ['serverLog', ...(root || mount ? (['config'] as const) : [])],
      facts: { path, root, mount: mount !== undefined },
      cites: [...(place ? [citeConfig(config, place)] : []), citeLog(said.line)],
      detail: `${path ?? 'The place'} cannot be written.`,
      remedies: [{ kind: 'instruction', title: 'Give it a writable place (a --tmpfs or a volume), or mount this one folder writable.' }],
    }
  },
})
