import { Args, Flags } from '@oclif/core'
import { BaseCommand, formatFlags } from '../lib/base-command.ts'
import { parseOutputs } from '../lib/report/formats.ts'
import type { Severity } from '../lib/rules/rule.ts'

export default class Lint extends BaseCommand {
  static override summary = 'Find what is wrong in configuration files, with line and column.'
  static override description = `Looks at nothing but the files: no MCPProxy, no Docker, no network, no logs. Without CONFIG it takes the file that MCPProxy
would read. What needs more than the file to be told is what \`check\` is for.

A ${'.mcpproxy-doctor.json'} beside the file or in the current folder may hold
{ "ignores": [{ "code": "…", "server": "…", "path": "/mcpServers/NAME/…", "reason": "…", "expires": "2026-12-31" }],
  "helpUriBase": "https://…" };
code and reason are required, and --help-uri-base goes before helpUriBase.

Exit code: 0 nothing at or above --fail-on, 1 something, 2 wrong usage or a file cannot be read or written, 4 a fault of
mcpproxy-doctor.`

  static override usage = '<%= command.id %> [CONFIG...] [FLAGS]'
  static override examples = [
    '<%= config.bin %> lint mcp_config.json',
    {
      description: 'Several files, for code scanning and for people:',
      command: "<%= config.bin %> lint 'configs/**/*.json' --output sarif=lint.sarif",
    },
    { description: 'What --fix would change:', command: '<%= config.bin %> lint mcp_config.json --diff' },
    { description: 'Only what is new:', command: '<%= config.bin %> lint --baseline lint-baseline.json' },
  ]

  static override args = {
    config: Args.string({
      name: 'CONFIG',
      description: 'Files and globs; - is standard input.',
      multiple: true,
      // oclif would wait ten milliseconds for it and take a part.
      ignoreStdin: true,
    }),
  }

  static override flags = {
    ...formatFlags,
    'mcpproxy-version': Flags.string({
      description: 'The release that the files are for; the newest known when not given.',
      helpValue: 'X',
    }),
    'fail-on': Flags.string({
      description: 'The least severe finding that makes the exit code 1.',
      options: ['error', 'warning', 'info'],
      default: 'error',
    }),
    select: Flags.string({
      description: 'Only these codes.',
      helpValue: 'CODE[,CODE]',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
    ignore: Flags.string({
      description: 'Not these codes.',
      helpValue: 'CODE[,CODE]',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
    baseline: Flags.string({ description: 'Only what is not in this file.', helpValue: 'FILE' }),
    'write-baseline': Flags.boolean({
      description: 'Write what is found into the baseline (.mcpproxy-doctor-baseline.json when not given).',
    }),
    fix: Flags.boolean({ description: 'Write the safe mechanical edits, with a backup beside the file.' }),
    diff: Flags.boolean({ description: 'Show what --fix would change, and write nothing.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Lint)
    // Before anything is written.
    parseOutputs(flags.output ?? [])
    const about = await this.about(flags)
    const { runLint } = await import('../lib/workflow/lint-run.ts')
    const { report, sources, mask, diff, helpUriBase } = await runLint({
      files: args.config ?? [],
      stdin: process.stdin,
      cwd: process.cwd(),
      platform: process.platform,
      now: new Date(),
      mcpproxyVersion: flags['mcpproxy-version'],
      failOn: flags['fail-on'] as Severity,
      select: flags.select ?? [],
      ignore: flags.ignore ?? [],
      baseline: flags.baseline,
      writeBaseline: flags['write-baseline'],
      fix: flags.fix,
      diff: flags.diff,
    })
    const pages = flags['help-uri-base'] === undefined ? (helpUriBase ?? about.pages) : about.pages
    const { lintResults } = await import('../lib/report/results.ts')
    const { lintExitCode } = await import('../lib/report/lint-report.ts')
    process.exitCode = lintExitCode(report)
    const toPrograms = flags.json || flags.format !== 'text'
    if (diff && toPrograms) process.stderr.write(`${diff}\n`)
    else if (diff) this.print(`${diff}\n`)
    // A runner of GitHub Actions obeys commands on standard error too, and a note quotes what stands in files.
    const { clean } = await import('../lib/report/clean.ts')
    for (const note of report.notes) process.stderr.write(`${clean(note)}\n`)
    await this.deliver(flags, async (format, theme) => {
      if (format === 'text') return (await import('../lib/report/lint-text.ts')).renderLint(report, { theme, verbose: flags.verbose })
      if (format === 'json') return (await import('../lib/report/json.ts')).renderJson(report)
      const { renderResults } = await import('../lib/report/formats.ts')
      return renderResults(format, lintResults(report), { ...about, pages, sources, mask })
    })
  }
}
