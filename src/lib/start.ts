/** From the command line to a command, and from what is thrown to an exit code. */
import type { Interfaces } from '@oclif/core'
import { reportFailure } from './base-command.ts'
import type { Shipped } from './direct.ts'

/** `program`: the folder of the package, or what replaces it in the shipped file. */
export async function start(argv: readonly string[], program: string | Shipped): Promise<void> {
  // Nothing that went astray may look like "problem found" (1) or "healthy" (0).
  process.on('uncaughtException', (error) => {
    // eslint-disable-next-line no-restricted-properties -- after an uncaught error Node's state is unknown: it must end
    void reportFailure(error, argv).finally(() => process.exit(process.exitCode))
  })
  try {
    const words = spelledOut(argv)
    const direct = typeof program === 'string' ? null : program.run(words)
    if (direct) await direct
    else await runByOclif(words, typeof program === 'string' ? program : await program.options())
  } catch (thrown) {
    await reportFailure(thrown, argv)
  }
}

async function runByOclif(argv: string[], options: Interfaces.LoadOptions): Promise<void> {
  const { run } = await import('@oclif/core')
  try {
    await run(argv, options)
  } catch (thrown) {
    throw await explained(thrown, argv, options)
  }
}

/** `help`, `help COMMAND`, `-h` and `-v` are what people type. */
function spelledOut(argv: readonly string[]): string[] {
  if (argv[0] === '-v') return ['--version']
  const end = argv.indexOf('--')
  const spelled = argv.map((a, i) => (a === '-h' && (end < 0 || i < end) ? '--help' : a))
  return spelled[0] === 'help' ? [...spelled.slice(1).filter((a) => a !== '--help'), '--help'] : spelled
}

/** A command that does not exist, with those that may be meant; anything else as it is. */
async function explained(thrown: unknown, argv: readonly string[], options: Interfaces.LoadOptions): Promise<unknown> {
  const [id] = argv
  if (id === undefined || id.startsWith('-')) return thrown
  const { Config } = await import('@oclif/core')
  const config = await Config.load(options)
  if (config.findCommand(id)) return thrown
  const { suggestNames, UserError } = await import('./errors.ts')
  const near = suggestNames(id, config.commandIDs)
  return new UserError(`There is no command "${id}".`, [
    near.length > 0 ? `Did you mean ${near.map((n) => `"${n}"`).join(' or ')}?` : `There are ${config.commandIDs.toSorted().join(', ')}.`,
  ])
}
