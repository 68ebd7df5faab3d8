/** Parsers of JSON call themselves for each level; a file that is nested too deep would end the program. */

/** Deeper than any configuration; Go's encoding/json gives up at 10,000. */
export const deepest = 500

/** The offset of the first bracket that is nested too deep; null: there is none. Strings are passed over. */
export function tooDeepAt(text: string): number | null {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (quoted) {
      if (c === '\\') i++
      else if (c === '"' || c === '\n') quoted = false
    } else if (c === '"') quoted = true
    else if (c === '{' || c === '[') {
      if (++depth > deepest) return i
    } else if (c === '}' || c === ']') depth--
  }
  return null
}
