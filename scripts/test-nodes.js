/**
 * The tests of the command line on the shipped file, run by other releases of Node: `npm run test:nodes -- 22 24`.
 * Each comes as the npm package `node`, into a temporary folder. Needs a build and compiled tests.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const majors = process.argv.slice(2)
if (majors.length === 0) throw new Error('Which? For example: npm run test:nodes -- 22 24')
const folder = 'dist-test/test/cli'
const tests = fs.readdirSync(folder).filter((name) => name.endsWith('.test.js'))
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-nodes-'))

/** 'passed', 'failed', or why it was not tried. */
function outcome(major) {
  const prefix = path.join(temporary, major)
  // The program itself is put there by an install script of that package.
  const installed = spawnSync(
    'npm',
    ['install', '--prefix', prefix, '--no-audit', '--no-fund', '--ignore-scripts=false', `node@${major}`],
    {
      encoding: 'utf8',
    },
  )
  const node = path.join(prefix, 'node_modules/node/bin/node')
  if (installed.status !== 0 || !fs.existsSync(node)) return `could not be had, nothing was tested: ${installed.stderr.trim()}`
  const ran = spawnSync(node, ['scripts/test.js', ...tests.map((name) => path.join(folder, name))], {
    stdio: 'inherit',
    env: { ...process.env, MCPPROXY_DOCTOR_TEST: 'shipped' },
  })
  return ran.status === 0 ? 'passed' : 'failed'
}

try {
  const outcomes = majors.map((major) => [major, outcome(major)])
  for (const [major, text] of outcomes) console.log(`Node ${major}: ${text}`)
  if (outcomes.some(([, text]) => text !== 'passed')) process.exitCode = 1
} finally {
  fs.rmSync(temporary, { recursive: true, force: true })
}
