#!/usr/bin/env node
// For developers: builds first, then starts. Node 20 does not run TypeScript, so there is nothing quicker.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  // Standard output is for the result of the command.
  stdio: ['ignore', 2, 2],
})
if (built.status === 0) await import('./run.js')
else process.exitCode = 4
