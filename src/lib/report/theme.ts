/** Decides once on colour, symbols and width. Whoever reads the environment hands the facts in. */
import { clean } from './clean.ts'
import type { Style } from './wrap.ts'

export interface ThemeFacts {
  env: Record<string, string | undefined>
  platform: string
  /** Whether the stream that is written to is a terminal, and how wide. */
  isTerminal: boolean
  columns?: number | undefined
  /** `--no-color` */
  noColor?: boolean
}

export interface Symbols {
  ok: string
  problem: string
  unknown: string
  notApplicable: string
  proposed: string
  notRun: string
  gutter: string
  ellipsis: string
}

export interface Theme {
  /** As chalk counts: 0 none, 1 sixteen colours, 2 256, 3 all. */
  level: 0 | 1 | 2 | 3
  unicode: boolean
  width: number
  symbols: Symbols
  good: Style
  bad: Style
  warn: Style
  note: Style
  strong: Style
  faint: Style
  /** Foreign text, fit for this terminal and one line. */
  text: (foreign: string) => string
}

const unicodeSymbols: Symbols = {
  ok: '✓',
  problem: '✗',
  unknown: '?',
  notApplicable: '–',
  proposed: '→',
  notRun: '·',
  gutter: '│',
  ellipsis: '…',
}
const asciiSymbols: Symbols = {
  ok: 'ok',
  problem: 'x',
  unknown: '?',
  notApplicable: '-',
  proposed: '->',
  notRun: '.',
  gutter: '|',
  ellipsis: '...',
}

type Styles = Pick<Theme, 'good' | 'bad' | 'warn' | 'note' | 'strong' | 'faint'>

/** chalk looks at terminals as it loads, so only what is shown in colour needs it. */
export async function createTheme(facts: ThemeFacts): Promise<Theme> {
  const level = colourLevel(facts)
  return themeOf(facts, level, level === 0 ? plainStyles : await colours(level))
}

const plain: Style = (text) => text
const plainStyles: Styles = { good: plain, bad: plain, warn: plain, note: plain, strong: plain, faint: plain }

async function colours(level: Theme['level']): Promise<Styles> {
  const { Chalk } = await import('chalk')
  const { green, red, yellow, cyan, bold, dim } = new Chalk({ level })
  return { good: green, bad: red, warn: yellow, note: cyan, strong: bold, faint: dim }
}

function themeOf(facts: ThemeFacts, level: Theme['level'], styles: Styles): Theme {
  const unicode = canUnicode(facts)
  return {
    level,
    unicode,
    width: outputWidth(facts.isTerminal ? facts.columns : undefined),
    symbols: unicode ? unicodeSymbols : asciiSymbols,
    ...styles,
    text: unicode ? clean : (foreign) => asciiPunctuation(clean(foreign)),
  }
}

/** Without any colour, in UTF-8: for files and tests. */
export const plainTheme = (width = 80): Theme => ({
  ...themeOf({ env: { LANG: 'C.UTF-8' }, platform: 'linux', isTerminal: false }, 0, plainStyles),
  width,
})

/**
 * `--no-color` and NO_COLOR (https://no-color.org: when not empty) win over FORCE_COLOR, that over the terminal.
 * chalk alone does not obey NO_COLOR.
 */
export function colourLevel({ env, platform, isTerminal, noColor }: ThemeFacts): Theme['level'] {
  if (noColor || env['NO_COLOR']) return 0
  const forced = env['FORCE_COLOR']
  if (forced === '0' || forced === 'false') return 0
  if (forced === '2' || forced === '3') return forced === '2' ? 2 : 3
  if (forced === undefined && (!isTerminal || env['TERM'] === 'dumb')) return 0
  if (/^(truecolor|24bit)$/.test(env['COLORTERM'] ?? '')) return 3
  return platform === 'win32' || /256/.test(env['TERM'] ?? '') ? 2 : 1
}

/** POSIX: LC_ALL, else LC_CTYPE, else LANG names the character set. */
export function canUnicode({ env, platform }: Pick<ThemeFacts, 'env' | 'platform'>): boolean {
  if (platform === 'win32') return Boolean(env['WT_SESSION'] || env['TERM_PROGRAM'] || env['ConEmuTask'])
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  if (locale === '') return platform === 'darwin'
  return /utf-?8/i.test(locale)
}

/** 80 columns, or what the terminal has, from 40 to 120. */
export const outputWidth = (columns: number | undefined): number => (columns ? Math.min(120, Math.max(40, columns)) : 80)

const replacements: Record<string, string> = {
  '…': '...',
  '•': '*',
  '–': '-',
  '—': '-',
  '→': '->',
  '←': '<-',
  '✓': 'ok',
  '✔': 'ok',
  '✗': 'x',
  '✘': 'x',
  '×': 'x',
  '·': '.',
  '“': '"',
  '”': '"',
  '„': '"',
  '‘': "'",
  '’': "'",
  '│': '|',
  '└': '+',
  '├': '+',
  '─': '-',
  '\u00a0': ' ',
}
const replaceable = new RegExp(`[${Object.keys(replacements).join('')}]`, 'gu')
const asciiPunctuation = (text: string): string => text.replace(replaceable, (character) => replacements[character] ?? character)
