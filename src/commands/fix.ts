import { Args, Flags } from '@oclif/core'
import { environment, placeFlags, SystemCommand, type SystemFlags } from '../lib/base-command.ts'
import { UserError } from '../lib/errors.ts'
import { editClasses, type EditClass } from '../lib/remedies/remedy.ts'
import { Interrupted } from '../lib/report/failure.ts'
import { shellLine } from '../lib/report/shell.ts'
import type { LiveSystem } from '../lib/system/live.ts'
import type { FixReport } from '../lib/workflow/fix-report.ts'
import type { ProofOptions } from '../lib/workflow/proof.ts'

export default class Fix extends SystemCommand {
  static override summary = 'Show the remedy of a cause as a diff; apply it, prove that it helped, or put everything back.'
  static override description = `Checks SERVER and shows what would heal it. Nothing is changed without --apply.
With --apply the configuration is backed up and changed, MCPProxy takes it in the way of its version, the server is restarted and
watched. If it does not work then, or another server is worse than before, the old bytes are put back.
What weakens something needs its class: --allow unisolated (no isolation for this server), network (more network),
mounts (a writable mount, or one that the configuration does not name), limits (higher limits).

Exit code: 0 verified or nothing to do, 1 something to do, 2 wrong usage or the file cannot be written, 3 could not be verified,
4 a fault of mcpproxy-doctor, 5 it did not help and was undone.`

  static override usage = '<%= command.id %> [SERVER] [CODE] [--apply | --undo] [FLAGS]'
  static override examples = [
    { description: 'What would heal it:', command: '<%= config.bin %> fix everything' },
    { description: 'Heal it, with a question before:', command: '<%= config.bin %> fix everything --apply' },
    { description: 'Without a question, also with more network:', command: '<%= config.bin %> fix fetch --apply --yes --allow network' },
    { description: 'Back to the newest backup:', command: '<%= config.bin %> fix --undo everything' },
  ]

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of a server, as in mcpServers.' }),
    code: Args.string({ name: 'CODE', description: 'Only the remedies of this finding, e.g. tty-flag.' }),
  }

  static override flags = {
    apply: Flags.boolean({ description: 'Apply the safe remedies and those that --allow names.', exclusive: ['undo'] }),
    allow: Flags.string({ description: 'Classes of remedies that weaken something.', helpValue: 'CLASS[,CLASS]', multiple: true }),
    yes: Flags.boolean({ description: 'Do it without a question.' }),
    undo: Flags.boolean({ description: 'Put the newest backup back, with the same verification.' }),
    run: Flags.boolean({ description: 'Also run a harmless command that is the remedy (docker pull).', exclusive: ['undo'] }),
    wait: Flags.integer({
      description: 'How long to wait until the server is connected.',
      helpValue: 'SECONDS',
      default: 200,
      min: 1,
      max: 3600,
    }),
    stable: Flags.integer({ description: 'How long it has to stay connected.', helpValue: 'SECONDS', default: 10, min: 0, max: 3600 }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Fix)
    const { server, code } = args
    if (server === undefined && !flags.undo) throw new UserError('Which server?', ['mcpproxy-doctor check shows those that do not work.'])
    if (flags.undo && code !== undefined) throw new UserError('--undo takes the whole file back, not one finding.', ['Leave out CODE.'])
    const state = { written: null as string | null, asked: false }
    const proof: ProofOptions & { timeoutMs: number } = {
      connectMs: flags.wait * 1000,
      stableMs: flags.stable * 1000,
      timeoutMs: flags.timeout * 1000,
      progress: () => undefined,
    }
    const onWritten = (backup: string): void => void (state.written = backup)
    try {
      // The whole takes longer than the look at the beginning; each wait has its own limit.
      const report = await this.withSystem({ ...flags, timeout: 24 * 3600 }, async (system, progress) => {
        const confirm = this.confirmation(flags, () => {
          state.asked = true
          progress('')
        })
        if (flags.undo) {
          if (system.recording) throw new UserError('A capture is only looked at: there is nothing to undo in it.')
          const { undo } = await import('../lib/workflow/undo.ts')
          return undo(system as LiveSystem, { ...proof, progress, server: server ?? null, yes: flags.yes, confirm, onWritten })
        }
        const { fix } = await import('../lib/workflow/fix.ts')
        // oclif leaves a flag undefined that was not given.
        const [apply, yes, run] = [Boolean(flags.apply), Boolean(flags.yes), Boolean(flags.run)]
        return fix(system, {
          ...proof,
          progress,
          server: server ?? '',
          code: code ?? null,
          apply,
          allow: classesOf(flags.allow),
          yes,
          run,
          env: environment(),
          confirm,
          onWritten,
        })
      })
      await this.show(report, flags, state.asked)
    } catch (error) {
      if (error instanceof Interrupted && state.written !== null)
        process.stderr.write(
          `Stopped: the changed configuration is written, but not verified. The old one is in ${state.written}.\n` +
            `Undo: mcpproxy-doctor fix --undo ${shellLine([...(server === undefined ? [] : [server]), ...placeFlags(flags)])}\n`,
        )
      throw error
    }
  }

  private async show(report: FixReport, flags: SystemFlags & { undo: boolean; apply: boolean }, asked: boolean): Promise<void> {
    if (flags.json) {
      const { renderJson } = await import('../lib/report/json.ts')
      this.print(renderJson({ schemaVersion: 1, ...report }))
    } else {
      const { renderFix } = await import('../lib/report/fix-text.ts')
      this.print(
        renderFix(report, {
          theme: await this.theme(flags),
          next: asked && report.backup === null ? null : nextCommand(report, flags),
          asked,
        }),
      )
    }
    process.exitCode = report.exitCode
  }

  /** Null: there is nobody to ask. */
  private confirmation(flags: SystemFlags, begin: () => void): ((report: FixReport) => Promise<boolean>) | null {
    if (flags.json || !process.stdin.isTTY || !process.stderr.isTTY) return null
    return async (report) => {
      const { proposal } = await import('../lib/report/fix-text.ts')
      const { ask } = await import('../lib/ask.ts')
      begin()
      const lines = proposal(report, await this.theme(flags, 'stderr'))
      return ask(`${lines.join('\n')}\nApply it to ${report.config ?? 'the configuration'}? [y/N] `)
    }
  }
}

function classesOf(words: readonly string[] | undefined): EditClass[] {
  return (words ?? [])
    .flatMap((w) => w.split(','))
    .map((word) => {
      const found = editClasses.find((c) => c === word.trim())
      if (!found)
        throw new UserError(`"${word}" is no class of remedies.`, [`There are ${editClasses.filter((c) => c !== 'safe').join(', ')}.`])
      return found
    })
}

/** Apply what was shown, or take back what was done. */
function nextCommand(report: FixReport, flags: SystemFlags & { undo: boolean; apply: boolean }): string[] | null {
  const where = placeFlags(flags)
  if (flags.from !== undefined || flags.undo) return null
  if (report.backup !== null) return ['mcpproxy-doctor', 'fix', '--undo', report.server, ...where]
  const first = report.remedies.find((r) => r.kind === 'config-edit' || r.kind === 'reload')
  if (!first || report.steps.length > 0 || (first.kind === 'config-edit' && first.diff === null)) return null
  const allow = first.class === null || first.class === 'safe' ? [] : ['--allow', first.class]
  return ['mcpproxy-doctor', 'fix', report.server, ...where, '--apply', ...allow]
}
