#!/usr/bin/env node
// For developers: compiles first, then starts. Node 20 does not run TypeScript, so there is nothing quicker.
'use strict'

const { spawnSync } = require('node:child_process')
const path = require('node:path')

const built = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: path.dirname(__dirname),
  // Standard output is for the result of the command.
  stdio: ['ignore', 2, 2],
})
if (built.status === 0) require('./modules.js')
else process.exitCode = 4
