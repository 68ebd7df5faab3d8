import { join } from 'node:path'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/base-command.ts'

export default class Demo extends BaseCommand {
  static override summary = 'Show a check of a recording: needs neither Docker nor MCPProxy.'
  static override description =
    'The recording ships with the package. Nothing on this machine is looked at, and the exit code is 0 whatever it shows.'
  static override usage = '<%= command.id %> [FLAGS]'
  static override examples = ['<%= config.bin %> demo', '<%= config.bin %> demo --verbose']
  static override flags = {
    timeout: Flags.integer({ hidden: true, default: 30, min: 1, max: 3600 }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Demo)
    const { check } = await import('../lib/workflow/check.ts')
    const system = await this.openCapture(join(this.config.root, 'demo'))
    try {
      const report = await check(system, { servers: [], all: true, timeoutMs: flags.timeout * 1000 })
      if (flags.json) {
        const { renderJson } = await import('../lib/report/json.ts')
        this.print(renderJson(report))
        return
      }
      const { renderReport } = await import('../lib/report/text.ts')
      const { paragraph } = await import('../lib/report/wrap.ts')
      const theme = await this.theme(flags)
      const shown = await this.textSources(system, report)
      this.print(renderReport(report, { ...shown, theme, verbose: flags.verbose, commands: this.config.commandIDs }))
      this.print(
        `\n${paragraph(`This is a recording of ${report.recordedAt?.slice(0, 10) ?? 'another machine'}, not this machine. For yours: mcpproxy-doctor check`, theme.width, '', theme.faint).join('\n')}\n`,
      )
    } finally {
      await system.close()
    }
  }
}
