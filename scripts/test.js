/**
 * `node scripts/test.js FILE…`: Node's test runner with as many files at a time as there are processors (by itself it leaves one
 * unused, which is half of a small machine). What takes long should be named first.
 */
import { spawnSync } from 'node:child_process'
import os from 'node:os'

const files = process.argv.slice(2)
if (files.length === 0) throw new Error('Which files?')
const { status } = spawnSync(process.execPath, ['--test', `--test-concurrency=${os.availableParallelism()}`, ...files], {
  stdio: 'inherit',
})
// Ended by a signal is no success.
process.exitCode = status ?? 1
