#!/usr/bin/env node
// Starts the shipped file. CommonJS, because that starts sooner than a module (bin/package.json).
'use strict'

const argv = process.argv.slice(2)

/** Streams that were made. */
const used = new Set()

/** `| head` closes the pipe: no error. What is written after that goes nowhere. The streams are made when they are first used. */
function allowClosedPipe(name) {
  const { get } = Object.getOwnPropertyDescriptor(process, name)
  let stream
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get() {
      used.add(name)
      stream ??= get.call(process).on('error', (error) => {
        if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
      })
      return stream
    },
  })
}
allowClosedPipe('stdout')
allowClosedPipe('stderr')

/** What oclif says as it loads, which it does not here. */
function checkPlace() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    process.emitWarning(`Node version must be >=20.19 to use this program. Current node version: ${process.versions.node}`)
  try {
    process.cwd()
  } catch (error) {
    if (error.code === 'ENOENT') process.stderr.write('WARNING: current directory does not exist\n')
  }
}

/** When nothing is left to do, all is written. To take the heap apart at the end would only keep people waiting. */
const endAtOnce = () => void process.once('beforeExit', () => process.exit())

async function main() {
  try {
    endAtOnce()
    const path = require('node:path')
    const { runCached } = require('./code-cache.js')
    const root = path.dirname(__dirname)
    checkPlace()
    const { env } = process
    const end = argv.indexOf('--')
    const off = Boolean(env.MCPPROXY_DOCTOR_NO_CACHE) || (end < 0 ? argv : argv.slice(0, end)).includes('--no-cache')
    const load = runCached(path.join(root, 'bundle/mcpproxy-doctor.cjs'), { argv, off, env })
    if (argv[0] === 'args') load('./early.js').beginEarly(argv, process)
    await load('./stdin.js').main(argv, root, used)
  } catch (error) {
    // 1 would mean "problem found".
    process.exitCode = 4
    console.error(error)
  }
}

if (argv[0] === '--version' || argv[0] === '-v') {
  // As oclif says it, without loading it.
  const { name, version } = require('../package.json')
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
} else {
  void main()
}
