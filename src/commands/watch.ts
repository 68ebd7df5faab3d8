import os from 'node:os'
import { Args, Flags } from '@oclif/core'
import { SystemCommand } from '../lib/base-command.ts'
import { UserError } from '../lib/errors.ts'
import { Interrupted } from '../lib/report/failure.ts'
import type { WatchSummary } from '../lib/report/watch-text.ts'

export default class Watch extends SystemCommand {
  static override summary = 'Wait for the next failure, and keep what it leaves before it is gone.'
  static override description = `Listens to the engine and says what happens to the containers of MCPProxy's servers, a line each, until one of them dies by
itself or with an error (--keep-going: goes on), or Ctrl-C. A container that was sent a signal and ended of it was asked to
end; the engine does not say by whom, so a server on which MCPProxy gave up looks like one that it stopped. Then it writes a
capture, as bundle does, with the secrets out: also all events since the start, of which the engine keeps only the last 256,
and the inspect of each container that died; where --rm was quicker, that of its start, with State null. It starts and
stops nothing.

Exit code: 0 stopped and no server failed, 1 a server failed, 2 wrong usage, 3 the engine cannot be watched,
4 a fault of mcpproxy-doctor.`

  static override usage = '<%= command.id %> [SERVER...] [-o FILE.tgz|DIR] [FLAGS]'
  static override examples = [
    { description: 'One server, until it fails:', command: '<%= config.bin %> watch everything' },
    { description: 'All, for as long as it runs, as a folder:', command: '<%= config.bin %> watch --keep-going -o night/' },
  ]

  static override args = {
    server: Args.string({ name: 'SERVER', description: 'Name of a server, as in mcpServers.', multiple: true }),
  }

  static override flags = {
    output: Flags.string({ char: 'o', description: 'Where to: a .tgz, or a folder that does not exist.', helpValue: 'FILE.tgz|DIR' }),
    'keep-going': Flags.boolean({ description: 'Go on when a server fails, until Ctrl-C.' }),
    'keep-paths': Flags.boolean({ description: 'Leave the names of user and host, and home paths, as they are.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Watch)
    const servers = [...new Set(args.server ?? [])]
    if (flags.from !== undefined) throw new UserError('A capture is of one moment: there is nothing to watch in it.')
    const { bundleTarget, refuseExisting, writeBundle } = await import('../lib/workflow/bundle.ts')
    const { nothingWatched, watch, watchedBundle } = await import('../lib/workflow/watch.ts')
    const { renderHappening, renderWatchSummary } = await import('../lib/report/watch-text.ts')
    const { renderJsonLine } = await import('../lib/report/json.ts')
    const { shellLine } = await import('../lib/report/shell.ts')
    if (flags.output !== undefined) await refuseExisting(bundleTarget(flags.output, []))
    const theme = await this.theme(flags)
    const errors = await this.theme(flags, 'stderr')
    const timeoutMs = flags.timeout * 1000
    const watched = nothingWatched()
    let stopped = false
    const lost = await this.withSystem(flags, async (system, progress) =>
      watch(system, watched, {
        servers,
        // oclif leaves a flag undefined that was not given.
        keepGoing: Boolean(flags['keep-going']),
        timeoutMs,
        say: (happening) => this.print(flags.json ? renderJsonLine(happening) : renderHappening(happening, theme)),
        note: (text) => {
          progress('')
          process.stderr.write(`${errors.text(text)}\n`)
        },
      }),
    ).catch((error: unknown) => {
      // Ctrl-C is how a watch is meant to end.
      if (!(error instanceof Interrupted) || watched.since === null) throw error
      stopped = true
      return null
    })
    if (lost !== null) process.stderr.write(`${errors.text(`The engine cannot be watched: ${lost.message}`)}\n`)
    process.exitCode = watched.failed.size > 0 ? 1 : lost === null ? 0 : 3
    if (watched.since === null) return
    // The engine may need its time again, and Ctrl-C a second time ends this too.
    const { files } = await this.withSystem(flags, (system, progress) =>
      watchedBundle(system, watched, servers, {
        servers,
        all: false,
        timeoutMs,
        keepPaths: Boolean(flags['keep-paths']),
        hostname: os.hostname(),
        progress,
      }),
    )
    const failed = [...watched.failed]
    const about = failed.length > 0 ? failed : servers
    // Not the name that an earlier watch took: this evidence cannot be had again.
    const time = new Date().toISOString().replaceAll(/[-:]|\..*/g, '')
    const target = bundleTarget(flags.output, about).replace(/\.tgz$/, flags.output === undefined ? `-${time}.tgz` : '.tgz')
    await writeBundle(target, files)
    const inspects = [...watched.inspects.values()]
    const summary: WatchSummary = {
      what: 'ended',
      because: lost !== null ? 'engine-lost' : stopped ? 'stopped' : 'server-failed',
      failed,
      written: target,
      events: watched.events.length,
      inspects: inspects.filter((i) => i.ok).length,
      unseen: inspects.filter((i) => !i.ok).length,
      dropped: watched.dropped,
      next: shellLine(['mcpproxy-doctor', 'check', ...about, '--from', target]),
    }
    this.print(flags.json ? renderJsonLine(summary) : renderWatchSummary(summary, theme))
  }
}
