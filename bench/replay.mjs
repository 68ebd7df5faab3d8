// The handshake of a working server through the replay runner, against `docker run` of the same arguments with the
// barest client, in turns: `npm run build && node bench/replay.mjs [ROUNDS] [IMAGE]`. The runner's time counts from the
// call, so that its look at the image, its sweep and its watch are in it. Ends with 1 when the median ratio of
// the pairs is over the limit.
import { spawn } from 'node:child_process'
import os from 'node:os'
import { createInterface } from 'node:readline'
import { planReplay } from '../dist/lib/replay/plan.js'
import { createLiveSystem } from '../dist/lib/system/live.js'

const limit = 1.3
const rounds = Number(process.argv[2] ?? 15)
const image = process.argv[3] ?? 'mcp/everything'
const runArgs = ['run', '--rm', '-i', '--network', 'none', '--memory', '512m', image]
const newSystem = () =>
  createLiveSystem({
    deadline: Date.now() + 3_600_000,
    env: process.env,
    platform: process.platform,
    homedir: os.homedir(),
    uid: process.getuid?.() ?? null,
  })
const system = newSystem()
const owner = await system.replays.owner()
const plan = (id) =>
  planReplay({ run: { kind: 'docker', runArgs, command: [] }, serverEnv: {}, proxyEnv: process.env, platform: process.platform, id, owner })

async function bare(id) {
  const start = performance.now()
  const child = spawn('docker', plan(id).argv, { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise((done) => child.on('close', done))
  const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  send({
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const { id } = JSON.parse(line)
    if (id === 1) {
      send({ method: 'notifications/initialized' })
      send({ id: 2, method: 'tools/list' })
    }
    if (id === 2) break
  }
  const took = performance.now() - start
  child.stdin.end()
  await ended
  return took
}

async function replayed(id) {
  const start = Date.now()
  const run = await system.replays.run(plan(id), { settleMs: 0 })
  if (run.outcome !== 'works') throw new Error(`${run.outcome}: ${run.reason}`)
  return run.startedAt.getTime() + run.times.tools - start
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const times = { bare: [], replay: [] }
for (let i = -1; i < rounds; i++) {
  const pair =
    i % 2 === 0
      ? [await bare(`bench-a${i}`), await replayed(`bench-b${i}`)]
      : [await replayed(`bench-b${i}`), await bare(`bench-a${i}`)].reverse()
  // The first round only warms up.
  if (i < 0) continue
  times.bare.push(pair[0])
  times.replay.push(pair[1])
}
await system.close()
// Both of a pair meet the same load of the machine.
const ratio = median(times.bare.map((bare, i) => times.replay[i] / bare))
console.log(
  `docker run: ${median(times.bare).toFixed(0)} ms, replay: ${median(times.replay).toFixed(0)} ms (medians of ${rounds}), ratio ${ratio.toFixed(2)}, limit ${limit}`,
)
if (ratio > limit) process.exitCode = 1
