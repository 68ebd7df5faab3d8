import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/base-command.ts'
import { suggestNames, UserError } from '../lib/errors.ts'
import type { Explanations } from '../lib/rules/match-text.ts'

export default class Explain extends BaseCommand {
  static override summary = 'Explain a code, or the codes that an error text can mean.'
  static override description =
    'A code: what happens, what proves it, what heals it, and what it is mistaken for.\nA text, as an argument, a file or on standard input, as it was copied from a terminal or a log: what it can mean, the likeliest first, and what decides. Looks at nothing on this machine.'
  static override usage = ['<%= command.id %> CODE', '<%= command.id %> TEXT | --file FILE', '<%= command.id %> --list']
  static override examples = [
    '<%= config.bin %> explain tty-flag',
    '<%= config.bin %> explain \'exec: "uvx": executable file not found in $PATH\'',
    { description: 'What was copied, or a log:', command: 'pbpaste | <%= config.bin %> explain' },
    { description: 'All codes:', command: '<%= config.bin %> explain --list' },
  ]

  // A pasted text may be several words.
  static override strict = false
  static override args = {
    text: Args.string({
      name: 'CODE or TEXT',
      description: 'Code of a finding, e.g. tty-flag, or an error text; none or - is standard input.',
      // oclif would wait ten milliseconds for it and take a part.
      ignoreStdin: true,
    }),
  }

  static override flags = {
    file: Flags.string({ description: 'Read the text from this file; - is standard input.', helpValue: 'FILE' }),
    list: Flags.boolean({ description: 'List all codes.' }),
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Explain)
    const { explainAll, explainCode, explainText } = await import('../lib/rules/match-text.ts')
    if (flags.list) return this.show(explainAll(), flags, 'list')
    const words = argv.map(String).join(' ').trim()
    if (words !== '' && flags.file !== undefined) throw new UserError('A text and --file exclude each other.')
    const asArgument = words !== '' && words !== '-'
    const given = !asArgument ? await this.readText(flags.file) : words
    if (given.trim() === '') throw new UserError('explain needs a code or a text.', ['mcpproxy-doctor explain --list shows all codes.'])
    const code = given.trim().toLowerCase()
    const explained = explainCode(code)
    if (explained) return this.show(explained, flags, 'code')
    const found = explainText(given)
    // One word that means nothing was meant as a code.
    if (found.matches.length === 0 && found.harmless.length === 0 && asArgument && /^[\w-]+$/.test(code)) {
      const { allCodes } = await import('../lib/rules/catalogue.ts')
      const near = suggestNames(code, allCodes())
      throw new UserError(`There is no code "${words}".`, [
        near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'mcpproxy-doctor explain --list shows all of them.',
      ])
    }
    return this.show(found, flags, 'text')
  }

  private async show(found: Explanations, flags: { json: boolean; 'no-color': boolean }, asked: 'code' | 'list' | 'text'): Promise<void> {
    if (flags.json) {
      const { renderJson } = await import('../lib/report/json.ts')
      this.print(renderJson(found))
      return
    }
    const { renderCodes, renderExplanation, renderMatches } = await import('../lib/report/explanation.ts')
    const theme = await this.theme(flags)
    const [first] = found.matches
    if (asked === 'list') this.print(renderCodes(found.matches, theme))
    else if (asked === 'code' && first) this.print(renderExplanation(first, theme))
    else this.print(renderMatches(found, theme))
  }
}
