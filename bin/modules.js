#!/usr/bin/env node
// For developers and tests: the compiled modules instead of the shipped file, with oclif's own search for commands.
'use strict'

const path = require('node:path')

const argv = process.argv.slice(2)

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
  })
}

async function main() {
  try {
    const { start } = await import('../dist/lib/start.js')
    await start(argv, path.dirname(__dirname))
  } catch (error) {
    process.exitCode = 4
    console.error(error)
  }
}

void main()
