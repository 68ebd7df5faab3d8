/** A process that runs one replay, to be killed by the tests: `node replay-child.js ID COMMAND…` in node:20. */
import os from 'node:os'
import { planReplay } from '../../src/lib/replay/plan.ts'
import { createLiveSystem } from '../../src/lib/system/live.ts'

const [id = 'x', ...command] = process.argv.slice(2)
const system = createLiveSystem({
  deadline: Date.now() + 60_000,
  env: process.env,
  platform: process.platform,
  homedir: os.homedir(),
  uid: process.getuid?.() ?? null,
  dockerHost: process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock',
})
const plan = planReplay({
  run: { kind: 'docker', runArgs: ['run', '--rm', '-i', '--network', 'none', 'node:20'], command },
  serverEnv: {},
  proxyEnv: process.env,
  platform: process.platform,
  id,
  owner: await system.replays.owner(),
})
const run = await system.replays.run(plan)
process.stdout.write(`${run.outcome}\n`)
await system.close()
