/**
 * `node scripts/side-by-side.js NAME…`: these npm scripts, as many at a time as there are processors. What each says is shown when
 * it has ended, with its name; all are run to the end, and one that fails makes the whole fail.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'

const names = process.argv.slice(2)
if (names.length === 0) throw new Error('Which scripts?')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const failed = []

async function run(name) {
  const began = performance.now()
  const child = spawn(npm, ['run', '--silent', name], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => said.push(data))
  const [code] = await once(child, 'close')
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'passed' : 'FAILED'}: ${name} (${seconds} s)`)
  process.stdout.write(Buffer.concat(said))
  if (code !== 0) failed.push(name)
}

async function worker() {
  for (let name = names.shift(); name !== undefined; name = names.shift()) await run(name)
}
await Promise.all(Array.from({ length: os.availableParallelism() }, worker))
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}`)
  process.exitCode = 1
}
