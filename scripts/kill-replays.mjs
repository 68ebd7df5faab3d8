// Kills doctors (SIGKILL) in the middle of their replays, at random moments, and sees whether one sweep clears up behind
// them all: `npm run build && node scripts/kill-replays.mjs [NUMBER, default 200] [AT ONCE, default 4]`.
import { spawn } from 'node:child_process'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import Docker from 'dockerode'
import { planReplay } from '../dist/lib/replay/plan.js'
import { createLiveSystem } from '../dist/lib/system/live.js'
import { replayLabel } from '../dist/lib/system/replay-plan.js'

const system = createLiveSystem({
  deadline: Date.now() + 3_600_000,
  env: process.env,
  platform: process.platform,
  homedir: os.homedir(),
  uid: process.getuid?.() ?? null,
})

if (process.argv[2] === '--doctor') {
  const id = process.argv[3]
  // Half of them would live on for ever.
  const stubborn = Number(id.split('-').at(-1)) % 2 === 0
  const command = ['node', '-e', stubborn ? 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)' : 'process.stdin.resume()']
  const run = { kind: 'docker', runArgs: ['run', '--rm', '-i', '--network', 'none', 'node:20'], command }
  const owner = await system.replays.owner()
  process.stdout.write('now\n')
  await system.replays.run(planReplay({ run, serverEnv: {}, proxyEnv: process.env, platform: process.platform, id, owner }))
  await system.close()
} else {
  const number = Number(process.argv[2] ?? 200)
  const prefix = `kill-${process.pid}-`
  const docker = new Docker()
  const mine = async () =>
    (await docker.listContainers({ all: true, filters: { label: [replayLabel] } })).filter((c) => c.Labels[replayLabel].startsWith(prefix))
  let next = 0
  const seen = new Map()
  const killer = async () => {
    while (next < number) {
      const doctor = spawn(process.execPath, [fileURLToPath(import.meta.url), '--doctor', `${prefix}${next++}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const ended = new Promise((done) => doctor.on('exit', done))
      await new Promise((done) => doctor.stdout.once('data', done).once('end', done))
      await new Promise((done) => setTimeout(done, Math.random() * 1500))
      doctor.kill('SIGKILL')
      await ended
      for (const { Id, State } of await mine()) seen.set(Id, State)
    }
  }
  await Promise.all(Array.from({ length: Number(process.argv[3] ?? 4) }, killer))
  // A docker command that outlived its doctor by a moment may still have a request under way.
  await new Promise((done) => setTimeout(done, 3000))
  const before = await mine()
  const { removed, failed } = await system.replays.sweep()
  const left = await mine()
  await system.close()
  console.log(
    `${number} doctors killed, ${seen.size} containers seen after a kill, ${before.length} left before the sweep, ${removed.length} removed by it, ${left.length} left`,
  )
  if (left.length > 0 || failed.length > 0) {
    for (const sentence of failed) console.error(sentence)
    process.exitCode = 1
  }
}
