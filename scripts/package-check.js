/**
 * The package holds what it should and nothing else, needs no other package, is small, and runs where it is unpacked.
 * Needs a build.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const largest = 1024 * 1024

const below = (folder) =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name).replaceAll(path.sep, '/'))

const wanted = new Set([
  ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'THIRD-PARTY-NOTICES', 'bundle/mcpproxy-doctor.cjs'],
  ...['bin/run.js', 'bin/code-cache.js', 'bin/package.json'],
  ...below('demo'),
  ...below('schemas'),
])

function run(program, args, options) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', ...options })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-package-'))
const problems = []
try {
  const [{ files, size, filename }] = JSON.parse(run(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]))
  const packed = new Set(files.map((file) => file.path))
  for (const file of wanted) if (!packed.has(file)) problems.push(`not in the package: ${file}`)
  for (const file of packed) if (!wanted.has(file)) problems.push(`in the package without being meant to: ${file}`)
  if (size > largest) problems.push(`the package has ${size} bytes; at most ${largest} are wanted`)

  run('tar', ['-xzf', filename], { cwd: folder })
  const unpacked = path.join(folder, 'package')
  const { dependencies, optionalDependencies } = JSON.parse(fs.readFileSync(path.join(unpacked, 'package.json'), 'utf8'))
  if (dependencies ?? optionalDependencies) problems.push('the package has dependencies')
  // Nothing beside it, so that everything has to come from the package.
  const env = { PATH: process.env.PATH, HOME: folder }
  for (const args of [['--version'], ['--help'], ['demo', '--json'], ['explain', '--list']]) {
    const said = run(process.execPath, [path.join(unpacked, 'bin/run.js'), ...args], { cwd: folder, env })
    if (said === '') problems.push(`${args.join(' ')} says nothing`)
  }
  if (problems.length === 0) console.log(`the package has ${packed.size} files, ${size} bytes, all of them meant, and runs`)
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
