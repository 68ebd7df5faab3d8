/** Since when a server fails, in words. */
import { shortPath } from './citations.ts'
import type { HistoryMoment, ServerHistory } from './history.ts'
import type { Theme } from './theme.ts'
import { flow, paragraph } from './wrap.ts'

/** `2026-11-23 10:05:01Z` */
const when = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)}Z`
const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

/** One sentence for a report; null: the logs do not answer. */
export function sinceWhen({
  firstFailure,
  lastSuccess,
  endedWhileConnected,
  failures,
  changes,
  complete,
  unread,
}: ServerHistory): string | null {
  if (firstFailure === null) return null
  const fails = endedWhileConnected
    ? `It ended while connected at ${when(firstFailure.at)}${failures > 0 ? `, ${plural(failures, 'failed attempt')} since` : ''}`
    : `Fails since ${when(firstFailure.at)} (${plural(failures, 'attempt')})`
  if (lastSuccess === null) return complete && unread.length === 0 ? `${fails}; the logs hold no success before that.` : null
  const names = [...new Set(changes.map((c) => c.what))]
  const between =
    changes.length === 0
      ? 'no change between the two is known'
      : `changed between the two: ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`
  return `${fails}; worked at ${when(lastSuccess.at)}; ${between}.`
}

export function historyText(server: string, history: ServerHistory, home: string, theme: Theme): string {
  const { lastSuccess, firstFailure, changes, oldest, complete, unread, failures, endedWhileConnected } = history
  const { width } = theme
  const place = (m: { file: string | null; line: number | null }): string =>
    m.file === null ? '' : `${shortPath(m.file, home, theme)}${m.line === null ? '' : `:${m.line}`}`
  const row = (label: string, m: HistoryMoment | null, none: string): string[] =>
    flow([{ text: m === null ? none : `${when(m.at)}` }, ...(m === null ? [] : [{ text: '  ' }, { text: place(m), style: theme.faint }])], {
      width,
      first: `  ${label.padEnd(15)}`,
      rest: ' '.repeat(17),
    })
  const lines = [theme.strong(theme.text(server)), ...row('last success', lastSuccess, 'none in the logs that were read')]
  lines.push(...row('first failure', firstFailure, lastSuccess ? 'none since' : 'none in the logs that were read'))
  if (firstFailure)
    lines.push(
      ...paragraph(
        `${endedWhileConnected ? 'ended while connected; ' : ''}${plural(failures, 'failed attempt')} since`,
        width,
        ' '.repeat(17),
      ),
    )
  if (lastSuccess && firstFailure) {
    lines.push('', changes.length === 0 ? '  Between the two nothing is known to have changed.' : '  What changed between the two')
    for (const change of changes) {
      const values = change.before === null && change.after === null ? '' : `  ${change.before ?? 'none'} → ${change.after ?? 'none'}`
      lines.push(
        ...flow(
          [
            { text: theme.text(`${change.what}${values}`) },
            ...(place(change) === '' ? [] : [{ text: '  ' }, { text: place(change), style: theme.faint }]),
          ],
          {
            width,
            first: `    ${change.at === null ? ' '.repeat(20) : when(change.at)}  `,
            rest: ' '.repeat(26),
          },
        ),
      )
    }
    if (changes.length > 0)
      lines.push(
        ...paragraph('It came before the failure; that it caused it is not said. check looks for the cause.', width, '  ', theme.faint),
      )
  }
  lines.push('')
  if (oldest !== null)
    lines.push(
      ...paragraph(
        `The logs that were read go back to ${when(oldest)}${complete ? '; older ones are not there' : ''}.`,
        width,
        '  ',
        theme.faint,
      ),
    )
  for (const why of unread) lines.push(...paragraph(theme.text(`Not read: ${why}`), width, '  ', theme.warn))
  return `${lines.join('\n').trimEnd()}\n`
}
