/** The package holds what it should and nothing else, e.g. no file of dist/ whose source is gone. Needs a build. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const below = (folder) =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name).replaceAll(path.sep, '/'))

const wanted = new Set([
  ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'oclif.manifest.json', 'bin/run.js'],
  ...below('src').map((file) => file.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js')),
  ...below('demo'),
  ...below('schemas'),
])

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const { status, stdout, stderr } = spawnSync(npm, ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
if (status !== 0) throw new Error(`npm pack: ${stderr}`)
const packed = new Set(JSON.parse(stdout)[0].files.map((file) => file.path))

const missing = [...wanted].filter((file) => !packed.has(file))
const extra = [...packed].filter((file) => !wanted.has(file))
for (const file of missing) console.error(`not in the package: ${file}`)
for (const file of extra) console.error(`in the package without being meant to: ${file}`)
if (missing.length + extra.length > 0) process.exitCode = 1
else console.log(`the package has ${packed.size} files, all of them meant`)
