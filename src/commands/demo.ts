import { fileURLToPath } from 'node:url'
import { BaseCommand, sharedFlags } from '../lib/base-command.ts'

export default class Demo extends BaseCommand {
  static override description = 'Show a check on the recording that ships with the package; needs neither Docker nor MCPProxy.'
  static override examples = ['<%= config.bin %> <%= command.id %>']
  static override flags = { json: sharedFlags.json }

  async run(): Promise<void> {
    const { flags } = await this.parse(Demo)
    const system = await this.open({ from: fileURLToPath(new URL('../../demo', import.meta.url)) })
    const { check } = await import('../lib/workflow/check.ts')
    const report = await check(system, { servers: [], all: true, timeoutMs: 30_000 })
    if (flags.json) return this.print(`${JSON.stringify(report, null, 2)}\n`)
    this.print(`This is a recording of ${report.recordedAt ?? ''}, not this machine.\n\n${(await import('../lib/report/text.ts')).renderText(report)}`)
  }
}
