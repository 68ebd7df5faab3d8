/**
 * `node scripts/test.js FILE…`: Node's test runner with one file more at a time than there are processors, because many wait for the programs
 * that they start (by itself it leaves one processor unused, which is half of a small machine). What takes long should be named first.
 * What failed is said once more at the end.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const args = process.argv.slice(2)
if (args.length === 0) throw new Error('Which files?')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-tests-'))
const failures = path.join(folder, 'failures')
try {
  const { status } = spawnSync(
    process.execPath,
    [
      '--test',
      // Who names another number of files at a time names it later, and that is what counts.
      `--test-concurrency=${os.availableParallelism() + 1}`,
      `--test-reporter=${process.stdout.isTTY ? 'spec' : 'tap'}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./scripts/failures.js',
      `--test-reporter-destination=${failures}`,
      ...args,
    ],
    { stdio: 'inherit' },
  )
  // Ended by a signal is no success.
  process.exitCode = status ?? 1
  if (status !== 0 && fs.existsSync(failures)) process.stdout.write(`\n${fs.readFileSync(failures, 'utf8')}`)
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
