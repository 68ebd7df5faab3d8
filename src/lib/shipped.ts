/**
 * The commands of the shipped file. oclif looks for commands in folders; here package.json, the manifest and the
 * commands are inside the one file that scripts/bundle.js makes, and nothing has to be searched or read.
 */
import { Errors, Plugin, type Command, type Config, type Interfaces } from '@oclif/core'

export interface Contents {
  pjson: Interfaces.PJSON
  manifest: Interfaces.Manifest
  /** By id. */
  commands: Record<string, () => Promise<{ default: Command.Class }>>
}

class ShippedPlugin extends Plugin {
  readonly #contents: Contents

  constructor(root: string, contents: Contents) {
    super({ root, pjson: contents.pjson, isRoot: true })
    this.#contents = contents
  }

  override async load(): Promise<void> {
    const { pjson, manifest } = this.#contents
    this.type = 'core'
    this.isRoot = true
    this.root = this.options.root
    this.pjson = pjson
    this.moduleType = 'commonjs'
    this.name = pjson.name
    this.alias = pjson.name
    this.version = pjson.version
    this.valid = true
    this.hooks = {}
    this.hasManifest = true
    this.manifest = manifest
    this.commandIDs = Object.keys(manifest.commands)
    this.commands = Object.entries(manifest.commands)
      .map(([id, command]) => ({
        ...command,
        load: () => this.findCommand(id, { must: true }),
        pluginAlias: this.alias,
        pluginType: this.type,
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  override findCommand(id: string, options: { must: true }): Promise<Command.Class>
  override findCommand(id: string, options?: { must: boolean }): Promise<Command.Class | undefined>
  override async findCommand(id: string, options?: { must: boolean }): Promise<Command.Class | undefined> {
    const load = this.#contents.commands[id]
    if (!load) {
      if (options?.must === true) Errors.error(`command ${id} not found`)
      return undefined
    }
    const { default: command } = await load()
    command.id = id
    command.plugin = this
    return command
  }
}

/** `root`: the folder of the package. */
export async function shippedOptions(root: string, contents: Contents): Promise<Config['options']> {
  const plugin = new ShippedPlugin(root, contents)
  await plugin.load()
  return { root, plugins: new Map([[plugin.name, plugin]]) }
}
