/** What is thrown, as an exit code and a text. */
import { UserError } from '../errors.ts'
import { cleanLines } from './clean.ts'
import { renderJson } from './json.ts'
import type { Theme } from './theme.ts'
import { flow } from './wrap.ts'

export interface Failure {
  /** 2 wrong usage, 4 our own failure, 129, 130 or 143 stopped by a signal; else what oclif's `exit` asked for. */
  exitCode: number
  /** Null: nothing is said. */
  message: string | null
  suggestions: string[]
  /** Only of our own failures. */
  stack: string | null
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** A signal asked us to stop. */
export class Interrupted extends Error {
  readonly signal: StopSignal
  /** What came of the work, one sentence; null: nothing needs to be said. */
  readonly says: string | null
  constructor(signal: StopSignal, says: string | null = null) {
    super(signal)
    this.name = 'Interrupted'
    this.signal = signal
    this.says = says
  }
}

/** As shells give it for a program that a signal ended. */
export const signalCodes: Record<StopSignal, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof Interrupted) return { exitCode: signalCodes[thrown.signal], message: thrown.says, suggestions: [], stack: null }
  if (thrown instanceof UserError) return { exitCode: 2, message: thrown.message, suggestions: thrown.suggestions, stack: null }
  const exit = oclifExit(thrown)
  if (thrown instanceof Error && exit !== null) {
    if ('code' in thrown && thrown.code === 'EEXIT') return { exitCode: exit, message: null, suggestions: [], stack: null }
    if (exit === 2) return { exitCode: 2, ...usage(thrown.message), stack: null }
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return { exitCode: 4, message: error.message || error.name, suggestions: [], stack: withCauses(error) }
}

/** Errors of oclif carry the exit code that it would use: 2 for flags and arguments. */
function oclifExit(thrown: unknown): number | null {
  if (typeof thrown !== 'object' || thrown === null || !('oclif' in thrown)) return null
  const { oclif } = thrown
  return typeof oclif === 'object' && oclif !== null && 'exit' in oclif && typeof oclif.exit === 'number' ? oclif.exit : null
}

/** oclif ends the messages of its parser with a hint at --help. */
function usage(message: string): { message: string; suggestions: string[] } {
  const lines = cleanLines(message)
  const hint = lines.findIndex((line) => line.startsWith('See more help'))
  return { message: lines.filter((_, i) => i !== hint).join('\n'), suggestions: hint < 0 ? [] : ['--help shows what there is.'] }
}

function withCauses(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`
  return error.cause instanceof Error ? `${own}\nCaused by: ${withCauses(error.cause)}` : own
}

export const failureJson = ({ message, suggestions, exitCode }: Failure): string =>
  renderJson({ error: { message: message ?? '', suggestions, exitCode } })

export function failureText(failure: Failure, theme: Theme, reportTo: string): string {
  const { width } = theme
  const cross = theme.symbols.problem
  const ours = failure.stack !== null
  const lines = cleanLines(failure.message ?? '').flatMap((line, i) => {
    const text = i === 0 && ours ? `mcpproxy-doctor itself failed: ${line}` : line
    return flow([...(i === 0 ? [{ text: cross, style: theme.bad }, { text: ' ' }] : []), { text: theme.text(text) }], {
      width,
      first: i === 0 ? '' : '  ',
      rest: '  ',
    })
  })
  for (const suggestion of failure.suggestions)
    lines.push(...cleanLines(suggestion).flatMap((line) => flow([{ text: theme.text(line) }], { width, first: '  ' })))
  if (ours) {
    lines.push(
      ...cleanLines(failure.stack ?? '')
        .slice(0, 40)
        .map((line) => theme.faint(`    ${theme.text(line)}`)),
    )
    lines.push(
      ...flow(
        [
          {
            text: `This is a fault of mcpproxy-doctor, not of your setup. Please report it with the lines above${reportTo === '' ? '' : ` at ${reportTo}`}.`,
          },
        ],
        { width, first: '  ' },
      ),
    )
  }
  return `${lines.join('\n')}\n`
}
