/**
 * `node scripts/test.js FILE…`: Node's test runner with one file more at a time than there are processors, because many wait for the programs
 * that they start (by itself it leaves one processor unused, which is half of a small machine). What takes long should be named first.
 */
import { spawnSync } from 'node:child_process'
import os from 'node:os'

const files = process.argv.slice(2)
if (files.length === 0) throw new Error('Which files?')
const { status } = spawnSync(process.execPath, ['--test', `--test-concurrency=${os.availableParallelism() + 1}`, ...files], {
  stdio: 'inherit',
})
// Ended by a signal is no success.
process.exitCode = status ?? 1
