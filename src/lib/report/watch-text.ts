/** What `watch` tells as it happens: one line each. */
import type { Theme } from './theme.ts'

export interface Happening {
  /** ISO 8601, by the engine's clock. */
  at: string
  server: string
  /** Id and name of the container. */
  id: string
  container: string
  image: string
  what: 'created' | 'started' | 'oom' | 'signal' | 'died' | 'removed'
  /** Of `signal`; else null. */
  signal: number | null
  /** Of `died`; null: the engine named none. */
  exitCode: number | null
  /** Of `died`: nobody had asked it to, or it ended with an error. */
  failed: boolean
}

/** The last line of `watch`. */
export interface WatchSummary {
  what: 'ended'
  because: 'server-failed' | 'stopped' | 'engine-lost'
  /** Servers of which a container failed. */
  failed: string[]
  written: string
  /** Events and inspects of dead containers that the capture holds. */
  events: number
  inspects: number
  /** Containers that died and could not be inspected: mostly --rm was quicker. */
  unseen: number
  /** Oldest events that were dropped, to bound the memory. */
  dropped: number
  next: string
}

export function renderHappening(happening: Happening, theme: Theme): string {
  const { server, container, what, failed } = happening
  const text = words(happening)
  const style = failed || what === 'oom' ? theme.bad : what === 'started' ? theme.good : (plain: string): string => plain
  const time = new Date(happening.at).toTimeString().slice(0, 8)
  return `${time}  ${theme.text(server)}  ${style(text)}  ${theme.faint(theme.text(container))}\n`
}

function words({ what, signal, exitCode, failed }: Happening): string {
  if (what === 'oom') return 'out of memory'
  if (what === 'signal') return `was sent signal ${signal ?? 'unknown'}`
  if (what !== 'died') return what
  return `died with ${exitCode === null ? 'an unknown code' : `code ${exitCode}`}${failed ? '' : ', as it was asked to'}`
}

export function renderWatchSummary(summary: WatchSummary, theme: Theme): string {
  const { because, failed, written, events, inspects, unseen, dropped, next } = summary
  const first =
    failed.length > 0
      ? `${theme.bad(theme.symbols.problem)} failed while it was watched: ${failed.map(theme.text).join(', ')}`
      : because === 'engine-lost'
        ? `${theme.warn(theme.symbols.unknown)} The engine could not be watched any longer; until then no server failed.`
        : `${theme.good(theme.symbols.ok)} Stopped; no server failed while it was watched.`
  const lines = [first, `Written: ${theme.text(written)} (${plural(events, 'event')}, ${plural(inspects, 'inspect')} of dead containers)`]
  if (unseen > 0) lines.push(`  ${plural(unseen, 'dead container')} could not be inspected: with --rm the engine may remove it first.`)
  if (dropped > 0) lines.push(`  ${plural(dropped, 'event')}, the oldest, had to be dropped.`)
  return `${[...lines, `Next: ${next}`].join('\n')}\n`
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
