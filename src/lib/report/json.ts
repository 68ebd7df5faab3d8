/** JSON for programs: the report itself. */

// What JSON.stringify leaves as it is and a terminal would act on: DEL, C1, bidi, zero width, tags, line separators.
const unsafe = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\u2065\u{e0000}-\u{e0fff}]/gu

/** A character beyond the first plane is two escapes. */
const escape = (character: string): string =>
  Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
const escaped = (json: string): string => `${json.replace(unsafe, escape)}\n`

export const renderJson = (value: unknown): string => escaped(JSON.stringify(value, null, 2))

/** One document per line, for what is told as it happens. */
export const renderJsonLine = (value: unknown): string => escaped(JSON.stringify(value))
