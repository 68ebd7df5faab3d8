/** Commands as they can be pasted. */
import { clean } from './clean.ts'

const harmless = /^[A-Za-z0-9_@%+=:,./-]+$/
const odd = /[^ -~]/gu

/** One argument for sh. What a terminal would not show as it is goes into `$'…'` (bash, zsh, ksh, POSIX 2024). */
export function shellQuote(argument: string): string {
  if (harmless.test(argument)) return argument
  if (clean(argument) === argument) return `'${argument.replaceAll("'", `'\\''`)}'`
  const escaped = argument.replace(/[\\']/g, '\\$&').replace(odd, (c) => {
    const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[c]
    const code = c.codePointAt(0) ?? 0
    return (
      named ??
      (code < 0x80
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : code > 0xffff
          ? `\\U${code.toString(16).padStart(8, '0')}`
          : `\\u${code.toString(16).padStart(4, '0')}`)
    )
  })
  return `$'${escaped}'`
}

export const shellLine = (argv: readonly string[]): string => argv.map(shellQuote).join(' ')
