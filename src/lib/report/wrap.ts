/** Word wrapping by display width; styles go on after the measuring. */
import { displayWidth, headOf } from './clean.ts'

export type Style = (text: string) => string
/** A piece of clean text and how it looks. `whole`: never broken inside, even where it does not fit. */
export interface Span {
  text: string
  style?: Style | undefined
  whole?: boolean
}

export interface Flow {
  width: number
  /** What stands before the first line, and before the others. Measured as it is, so without colour. */
  first?: string
  rest?: string
}

interface Word {
  text: string
  style: Style | undefined
  whole: boolean
  /** Spaces before it, kept inside a line. */
  gap: number
}

/** Fills lines of at most `width` columns with words; words that are longer than a line are cut. */
export function flow(spans: readonly Span[], { width, first = '', rest = first }: Flow): string[] {
  const lines: Word[][] = [[]]
  const indent = (): number => displayWidth(lines.length === 1 ? first : rest)
  let used = indent()
  let gap = 0
  for (const span of spans) {
    for (const part of span.whole ? [span.text] : span.text.split(/( +)/)) {
      if (part === '') continue
      if (!span.whole && part.trim() === '') {
        gap += part.length
        continue
      }
      let text = part
      while (text !== '') {
        const line = lines.at(-1) ?? []
        const before = line.length === 0 ? 0 : gap
        const room = width - used - before
        const fits = displayWidth(text) <= room
        if (!fits && line.length > 0 && (gap > 0 || span.whole)) {
          lines.push([])
          used = indent()
          gap = 0
          continue
        }
        const piece = fits || span.whole ? text : headOf(text, Math.max(1, room))
        line.push({ text: piece, style: span.style, whole: span.whole ?? false, gap: before })
        used += before + displayWidth(piece)
        gap = 0
        text = text.slice(piece.length)
        if (text !== '') {
          lines.push([])
          used = indent()
        }
      }
    }
  }
  return lines.map((line, i) => (i === 0 ? first : rest) + paint(line)).map((line) => line.trimEnd())
}

/** Neighbours of one style are painted together, with the spaces between them. */
function paint(words: readonly Word[]): string {
  let out = ''
  let run = ''
  let style: Style | undefined
  const flush = (): void => {
    if (run !== '') out += style ? style(run) : run
    run = ''
  }
  for (const word of words) {
    if (word.style !== style) {
      flush()
      out += ' '.repeat(word.gap)
      style = word.style
      run = word.text
    } else run += ' '.repeat(word.gap) + word.text
  }
  flush()
  return out
}

export const paragraph = (text: string, width: number, indent = '', style?: Style): string[] =>
  flow([{ text, style }], { width, first: indent })
