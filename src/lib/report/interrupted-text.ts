/** What a signal left unseen, in words. */
import type { InterruptedLook } from './report.ts'
import type { Theme } from './theme.ts'
import { paragraph } from './wrap.ts'

const shown = 8

/** `Interrupted. Not looked at: the containers, the engine's events.` */
export function interruptedSentence({ notLooked }: InterruptedLook): string {
  const names = notLooked.length > shown ? [...notLooked.slice(0, shown - 1), `${notLooked.length - shown + 1} more`] : notLooked
  return names.length === 0 ? 'Interrupted before the end.' : `Interrupted. Not looked at, or not to the end: ${names.join(', ')}.`
}

export const interruptedLines = (look: InterruptedLook, theme: Theme, width: number): string[] =>
  paragraph(theme.text(interruptedSentence(look)), width, '', theme.warn)
