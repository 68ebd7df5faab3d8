import { Args, Flags } from '@oclif/core'
import { BaseCommand, sharedFlags } from '../lib/base-command.ts'
import { exitCode } from '../lib/report/report.ts'

export default class Check extends BaseCommand {
  static override description = 'Find out why a server does not work. Without SERVER: every enabled server that is not connected.'
  static override examples = ['<%= config.bin %> <%= command.id %> everything --from ./capture', '<%= config.bin %> <%= command.id %> --all --from ./capture --json']
  static override strict = false
  static override args = { server: Args.string({ description: 'name of a server; several are allowed' }) }
  static override flags = { ...sharedFlags, all: Flags.boolean({ description: 'look at all servers' }) }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Check)
    const system = await this.open(flags)
    const { check } = await import('../lib/workflow/check.ts')
    const report = await check(system, { servers: argv.map(String), all: flags.all, timeoutMs: flags.timeout * 1000 })
    await system.close()
    if (flags.json) this.print(`${JSON.stringify(report, null, 2)}\n`)
    else this.print((await import('../lib/report/text.ts')).renderText(report))
    process.exitCode = exitCode(report)
  }
}
