/** Foreign text (log lines, names, error texts) made fit for a terminal, and its width there. */

// OSC, DCS, SOS, PM and APC strings with their end, in 7-bit and 8-bit form. Without an end only the introducer goes,
// so that nobody can hide the rest of a line.
const strings = /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0090\u0098\u009c-\u009f]*(?:\u0007|\u001b\\|\u009c)/g
const csi = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g
const escapes = /\u001b[ -/]*[0-~]?/g
const lineBreaks = /\r\n|[\n\r\t\v\f\u0085\u2028\u2029]/g
// Controls, formats (bidi, zero width, tags, soft hyphen), and all that is drawn as nothing at all.
// Made when they are first used: to look up what they name takes a millisecond, and most text is ASCII.
const invisible = (): RegExp => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const loneSurrogates = (): RegExp => /\p{Cs}/gu
const stackedMarks = (): RegExp => /(\p{M}{3})\p{M}+/gu
const plainAscii = /^[ -~]*$/

/** One line of plain, visible text: no ANSI or OSC, no controls, no bidi or zero-width characters; breaks become spaces. */
export function clean(text: string): string {
  if (plainAscii.test(text)) return text
  return text
    .replace(strings, '')
    .replace(csi, '')
    .replace(escapes, '')
    .replace(lineBreaks, ' ')
    .replace(invisible(), '')
    .replace(loneSurrogates(), '\uFFFD')
    .replace(stackedMarks(), '$1')
}

/** The same for text of several lines; blank lines at both ends go. */
export function cleanLines(text: string): string[] {
  const lines = text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).map((line) => clean(line).trimEnd())
  while (lines.length > 0 && lines[0] === '') lines.shift()
  while (lines.length > 0 && lines.at(-1) === '') lines.pop()
  return lines
}

const wide = (): RegExp =>
  /[\u1100-\u115f\u231a\u231b\u2329\u232a\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const zero = (): RegExp => /\p{M}/u

/** What reports themselves are written with: it needs no look into the tables of Unicode, which takes a millisecond. */
const own = '✓✗·–—→│…'

/** Columns that a clean text takes. */
export function displayWidth(text: string): number {
  if (plainAscii.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += characterWidth(character)
  return columns
}

export function characterWidth(character: string): 0 | 1 | 2 {
  if (character <= '~' || own.includes(character)) return 1
  return zero().test(character) ? 0 : wide().test(character) ? 2 : 1
}

export const padEnd = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - displayWidth(text)))

/** The longest beginning that fits; at least one character, so that every loop ends. */
export function headOf(text: string, columns: number): string {
  let used = 0
  let end = 0
  for (const character of text) {
    used += characterWidth(character)
    if (used > columns && end > 0) break
    end += character.length
  }
  return text.slice(0, end)
}
