/** oclif.manifest.json is generated and committed; this says when it is not what the commands are. Needs a build. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'

const file = 'oclif.manifest.json'
const before = fs.readFileSync(file, 'utf8')
const { status, stderr } = spawnSync(process.execPath, ['node_modules/oclif/bin/run.js', 'manifest'], {
  encoding: 'utf8',
  env: { ...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: 'true' },
})
if (status !== 0) {
  console.error(stderr)
  process.exitCode = 1
} else if (fs.readFileSync(file, 'utf8') !== before) {
  console.error(`${file} was not up to date; it is now: look at the difference and commit it.`)
  process.exitCode = 1
}
