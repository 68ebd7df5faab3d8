/** `fix --apply`, ended by SIGKILL at some moment: what is on the disk then, and whether the way back works. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { packageRoot } from './package-root.ts'
import { ProxyPlayer } from './proxy-player.ts'
import { runCli } from './run-cli.ts'

const config = {
  docker_isolation: { enabled: true },
  mcpServers: [{ name: 'everything', command: 'docker', args: ['run', '-it', '--rm', 'mcp/everything'], enabled: true }],
}

/** When to kill: so many milliseconds after the start, or after the first file appeared beside the configuration. */
export type Moment = { after: 'start' | 'first-file'; ms: number }

export interface Killed {
  /** What the configuration held afterwards. */
  held: 'old' | 'new'
  /** False: the doctor was done before. */
  killed: boolean
  /** Temporary files that it left. */
  left: number
}

/** @throws AssertionError when the configuration is neither the old nor the new one, or cannot be taken back. */
export async function killFix(moment: Moment): Promise<Killed> {
  const player = await new ProxyPlayer({
    config,
    works: (s) => (s.args.includes('-it') ? 'the input device is not a TTY' : true),
  }).start()
  try {
    const before = player.text()
    const after = before.replace('"-it"', '"-i"')
    const child = spawn(
      process.execPath,
      [path.join(packageRoot(), 'bin/run.js'), 'fix', 'everything', '--apply', '--yes', '--json', '--stable', '1', ...player.flags],
      { stdio: 'ignore', env: { PATH: process.env['PATH'], HOME: player.folder } },
    )
    const ended = once(child, 'exit')
    const kill = (): void => void setTimeout(() => child.kill('SIGKILL'), moment.ms)
    const watcher = fs.watch(player.folder, (_, name) => {
      if (moment.after === 'first-file' && name?.includes('.doctor-') === true) {
        watcher.close()
        kill()
      }
    })
    if (moment.after === 'start') kill()
    await ended
    watcher.close()
    const now = player.text()
    assert.ok(now === before || now === after, `neither the old nor the new configuration: ${JSON.stringify(now.slice(0, 200))}`)
    JSON.parse(now)
    const names = fs.readdirSync(player.folder)
    for (const name of names.filter((n) => n.startsWith('mcp_config.json.doctor-')))
      assert.equal(fs.readFileSync(path.join(player.folder, name), 'utf8'), before, `the backup ${name} is not whole`)
    player.die()
    const undo = await runCli(['fix', '--undo', 'everything', '--yes', ...player.flags])
    assert.equal(player.text(), before, `${undo.stdout}${undo.stderr}`)
    // 3: MCPProxy is gone, so that nothing is verified; 0: nothing to undo; 2: it was killed before there was a backup.
    assert.ok([0, 2, 3].includes(undo.exitCode ?? -1), undo.stderr)
    return {
      held: now === after ? 'new' : 'old',
      killed: child.signalCode === 'SIGKILL',
      left: names.filter((n) => n.includes('doctor-tmp')).length,
    }
  } finally {
    await player.stop()
  }
}

/** Any moment of a run, and half of the time one while files are written. */
export const anyMoment = (random: () => number): Moment =>
  random() < 0.5 ? { after: 'start', ms: random() * 4000 } : { after: 'first-file', ms: random() < 0.5 ? random() * 4 : random() * 40 }
