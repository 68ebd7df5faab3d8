/** Says what a terminal would obey, or not show, of a text that a command has printed. */

/** Our own: the colours of theme.ts. */
const colours = /\u001b\[[\d;]*m/g
// Everything of C0 and C1 but tab and newline (a lone CR overwrites a line), bidi and zero-width controls, separators of lines
// that are none for a pipe, tags, and halves of pairs.
const unclean =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}\p{Cs}]/u

/** Our own: what keeps Markdown from making a link of an address, and a mention of a name (markdown.ts). */
const breaks = /(?<=@)\u200b(?=\w)|(?<=https?)\u200b(?=:\/\/)/gi

interface Own {
  /** Our own colours are allowed; text for a file or a pipe has none. */
  colour?: boolean
  /** Our own zero-width spaces are allowed, just where Markdown needs them. */
  markdown?: boolean
}

/** Null: it is clean. */
export function uncleanPart(text: string, { colour = false, markdown = false }: Own = {}): string | null {
  let plain = text
  if (colour) plain = plain.replace(colours, '')
  if (markdown) plain = plain.replace(breaks, '')
  const hit = unclean.exec(plain)
  return hit === null ? null : JSON.stringify(plain.slice(Math.max(0, hit.index - 60), hit.index + 20))
}
