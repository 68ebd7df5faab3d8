#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const argv = process.argv.slice(2)

// `| head` closes the pipe: no error. What is written after that goes nowhere.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
  })
}

if (argv[0] === '--version' || argv[0] === '-v') {
  // As oclif says it, without loading it.
  const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
} else {
  try {
    const { start } = await import('../dist/lib/start.js')
    await start(argv, fileURLToPath(import.meta.url))
  } catch (error) {
    // 1 would mean "problem found".
    process.exitCode = 4
    console.error(error)
  }
}
