/** From the command line to a command, and from what is thrown to an exit code. */
import { Config, run } from '@oclif/core'
import { reportFailure } from './base-command.ts'

export async function start(argv: readonly string[], root: string): Promise<void> {
  // Nothing that went astray may look like "problem found" (1) or "healthy" (0).
  process.on('uncaughtException', (error) => {
    // eslint-disable-next-line no-restricted-properties -- after an uncaught error Node's state is unknown: it must end
    void reportFailure(error, argv).finally(() => process.exit(process.exitCode))
  })
  try {
    await run(withHelp(argv), root)
  } catch (thrown) {
    await reportFailure(await explained(thrown, argv, root), argv)
  }
}

/** `help`, `help COMMAND` and `-h` are what people type. */
function withHelp(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  const spelled = argv.map((a, i) => (a === '-h' && (end < 0 || i < end) ? '--help' : a))
  return spelled[0] === 'help' ? [...spelled.slice(1).filter((a) => a !== '--help'), '--help'] : spelled
}

/** A command that does not exist, with those that may be meant; anything else as it is. */
async function explained(thrown: unknown, argv: readonly string[], root: string): Promise<unknown> {
  const [id] = argv
  if (id === undefined || id.startsWith('-')) return thrown
  const config = await Config.load(root)
  if (config.findCommand(id)) return thrown
  const { suggestNames, UserError } = await import('./errors.ts')
  const near = suggestNames(id, config.commandIDs)
  return new UserError(`There is no command "${id}".`, [
    near.length > 0 ? `Did you mean ${near.map((n) => `"${n}"`).join(' or ')}?` : `There are ${config.commandIDs.toSorted().join(', ')}.`,
  ])
}
