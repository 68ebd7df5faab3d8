/**
 * Runs a command of the shipped file without oclif's own start, which looks (twice) for plugins, themes, hooks and folders of the
 * user; here are none. The commands, their flags, the parser and its errors are oclif's. Whatever is not simply a command with its
 * arguments goes the whole way.
 */
import { Config, type Command, type Interfaces } from '@oclif/core'
import { environment, type BaseCommand } from './base-command.ts'
import type { Contents } from './shipped.ts'

type Startable = Command.Class & Pick<typeof BaseCommand, 'start'> & (new (argv: string[], config: Config) => BaseCommand)

export interface Shipped {
  /** Null: this is no command by itself. */
  run(argv: readonly string[]): Promise<unknown> | null
  /** For oclif's own start. */
  options(): Promise<Config['options']>
}

interface Parts extends Omit<Contents, 'manifest' | 'commands'> {
  /** The folder of the package. */
  root: string
  /** Names of the streams of `process` that were made so far. */
  used: ReadonlySet<string>
  commands: Record<string, () => Promise<{ default: Startable }>>
  manifest: () => Promise<{ default: Interfaces.Manifest }>
}

export function shipped({ root, used, pjson, commands, manifest }: Parts): Shipped {
  return {
    run(argv) {
      const [id = '', ...rest] = argv
      const load = Object.hasOwn(commands, id) ? commands[id] : undefined
      const end = rest.indexOf('--')
      const help = (end < 0 ? rest : rest.slice(0, end)).includes('--help')
      // oclif tells of itself on the way when it is asked to.
      if (!load || help || environment()['DEBUG'] || environment()['MCPPROXY_DOCTOR_DEBUG']) return null
      return load().then(({ default: command }) => {
        command.id = id
        return command.start(rest, new DirectConfig(root, used, pjson, Object.keys(commands)))
      })
    },
    async options() {
      const { shippedOptions } = await import('./shipped.ts')
      return shippedOptions(root, { pjson, commands, manifest: (await manifest()).default })
    },
  }
}

/** What the commands ask for, and what oclif's parser does. */
class DirectConfig extends Config {
  readonly #ids: string[]
  readonly #used: ReadonlySet<string>

  constructor(root: string, used: ReadonlySet<string>, pjson: Interfaces.PJSON, ids: readonly string[]) {
    super({ root })
    this.#used = used
    this.root = root
    this.pjson = pjson
    this.name = pjson.name
    this.version = pjson.version
    this.bin = pjson.oclif.bin ?? pjson.name
    this.#ids = ids.toSorted()
  }

  /**
   * Whether standard output may be written to past Node's stream: nothing was written to that, and nothing was loaded before the program that
   * may have changed it.
   */
  get writesAtOnce(): boolean {
    return !this.#used.has('stdout') && process.execArgv.length === 0 && !environment()['NODE_OPTIONS']
  }

  override get commandIDs(): string[] {
    return this.#ids
  }

  override runHook: Config['runHook'] = () => Promise.resolve({ successes: [], failures: [] })
}
