/** The start (an installation, a model that loads) takes longer than the handshake may. */
import type { Attempt } from '../evidence/evidence.ts'
import { finalDockerError, readDockerErrors } from '../formats/docker-error.ts'
import { readProgress, readPull } from '../formats/start-progress.ts'
import { baseName } from '../mcpproxy/images.ts'
import { deadlines } from '../mcpproxy/deadlines.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { citeConfig, citeLog, citeStory, lastWords } from './cite.ts'
import { callsDocker, effectiveRun, endedByItself, failure, seconds, serverPath, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'start-too-slow',
  severity: 'error',
  title: 'The start takes longer than MCPProxy waits',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup', 'events'],
  detect({ config, serverLog }, { setup, events }, { version }) {
    const attempt = failure(serverLog)
    const { server } = config
    const end = attempt?.endedAt ?? null
    if (!server || attempt?.outcome !== 'no-answer' || end === null || attempt.durationMs === null) return null
    const s = story(events)
    // Releases before v0.33.2 wait for the deadline also when the program has long ended.
    if (endedByItself(s) || s?.oom || readPull(attempt.stderr) || finalDockerError(readDockerErrors(attempt.stderr))) return null
    const once = slowSuccess(serverLog.attempts, attempt)
    const busy = stillBusy(attempt, end)
    const cold =
      installsAnew(server.command, effectiveRun(config, setup)?.run.mounts.map((m) => m.target) ?? null) && attempt.stderr.length === 0
    // The last word was about work: then it may have been at it still.
    const working = busy === null && attempt.stderr.length > 0 && readProgress(attempt.stderr).at(-1) === attempt.stderr.at(-1)
    if (!once && !busy && !cold && !working) return null
    const limits = deadlines(server, config.global, version.value, callsDocker(config))
    const same = serverLog.attempts.filter(
      (a) => a.outcome === 'no-answer' && Math.abs((a.durationMs ?? 0) - (attempt.durationMs ?? 0)) <= 1000,
    ).length
    const needed = once ? timeOf(once) : null
    return {
      observations: ['serverLog', ...(cold ? (['config'] as const) : [])],
      // That it once needed longer and then answered says what a silent server cannot say.
      rank: once ? 'supported' : 'suspected',
      // A silent package runner may as well be cut off from its index: then the symptom stays the finding.
      severity: once || busy ? 'error' : 'warning',
      facts: { waited: seconds(attempt.durationMs), needed: needed === null ? null : seconds(needed), sameDuration: same },
      cites: [
        ...(once
          ? once.lines
              .filter((l) => l.at >= (once.connectedAt ?? end))
              .slice(0, 1)
              .map((l) => citeLog(l))
          : []),
        ...(busy ? [citeLog(busy)] : working ? lastWords(attempt, 1) : []),
        ...(attempt.errorLine ? [citeLog(attempt.errorLine, attempt.error ?? undefined)] : []),
        ...(cold ? [citeConfig(config, serverPath(server, 'command'))] : []),
        ...(s ? [citeStory(s)] : []),
      ],
      detail: [
        needed !== null
          ? `An earlier start took ${seconds(needed)} and then answered; this one was cut off after ${seconds(attempt.durationMs)}.`
          : busy
            ? `It was still at work when MCPProxy gave up after ${seconds(attempt.durationMs)}.`
            : working
              ? `The last that it said was about its start; after ${seconds(attempt.durationMs)} MCPProxy gave up.`
              : `${baseName(server.command)} installs the package anew at every start, because no cache outlives the container; it was cut off after ${seconds(attempt.durationMs)}.`,
        same > 1 ? `${same} attempts ended after the same time, which is the clock and not the server.` : '',
        `A restart through the API waits ${seconds(limits.restartMs)}, the attempts that MCPProxy makes by itself 30 s; docker_isolation.timeout is never used.`,
      ]
        .filter((t) => t !== '')
        .join(' '),
      remedies: remedies(config.global.docker_isolation.enable_cache_volume === false, limits.restartMs, attempt.durationMs, needed, [
        ...serverPath(server, 'init_timeout'),
      ]),
    }
  },
})

const timeOf = (a: Attempt): number => (a.connectedAt?.getTime() ?? 0) - a.startedAt.getTime()

/** An attempt of the same server that connected, but only after about as long as this one was given. */
const slowSuccess = (attempts: readonly Attempt[], failed: Attempt): Attempt | undefined =>
  attempts.filter((a) => a !== failed && a.connectedAt !== null && timeOf(a) >= 0.8 * (failed.durationMs ?? Infinity)).at(-1)

/** The last of several lines about progress, if it comes from the last fifth of the time, or after it. */
function stillBusy(attempt: Attempt, end: Date): Attempt['lines'][number] | null {
  const lines = readProgress(attempt.stderr)
  const last = lines.at(-1)
  return last && lines.length >= 2 && end.getTime() - last.at.getTime() <= 0.2 * (attempt.durationMs ?? 0) ? last : null
}

/** A package runner in a container that keeps nothing. */
const installsAnew = (command: string, targets: readonly string[] | null): boolean =>
  targets !== null &&
  /^(?:npx|uvx|pipx|bunx)(?:\.\w+)?$/.test(baseName(command)) &&
  !targets.some((t) => /\/\.npm$|\/\.cache(?:\/uv)?$|cache/i.test(t))

function remedies(noCache: boolean, restartMs: number, waitedMs: number, neededMs: number | null, timeout: (string | number)[]): Remedy[] {
  const enough = restartMs > Math.max(waitedMs + 1000, neededMs ?? 0)
  return [
    ...(noCache
      ? [
          {
            kind: 'config-edit' as const,
            class: 'safe' as const,
            title: 'Keep the package cache between the starts',
            because: 'what one attempt has downloaded the next one then finds',
            edits: [{ path: ['docker_isolation', 'enable_cache_volume'], value: true }],
          },
        ]
      : []),
    ...(enough
      ? []
      : [
          {
            kind: 'config-edit' as const,
            class: 'safe' as const,
            title: 'Let the restart wait longer',
            because: 'init_timeout counts on the restart path, not at program start',
            edits: [{ path: timeout, value: '3m' }],
          },
        ]),
    { kind: 'reload', title: `Restart the server through the API${enough ? `, which waits ${seconds(restartMs)}` : ''}` },
    { kind: 'instruction', title: 'For good: pin versions, warm the cache or use an image that has everything installed.' },
  ]
}
