/** What the parts of a report in text form are told. */
import type { NextOptions } from './next.ts'
import type { Theme } from './theme.ts'

export interface TextOptions extends NextOptions {
  theme: Theme
  /** Columns; the theme's when not given. */
  width?: number
  verbose?: boolean
  /** Text of the configuration files by path, for diffs; shown only through `mask`. */
  sources?: Record<string, string>
  /** Strikes secrets out of a line. */
  mask?: (line: string) => string
  /** Paths below it begin with `~`. */
  home?: string
}
