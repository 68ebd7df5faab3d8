/**
 * Known weaknesses of what is bundled. Everything is a development dependency, so `npm audit --omit=dev` would look at nothing:
 * this looks at all and keeps those that are in THIRD-PARTY-NOTICES. Needs a build and the registry.
 * Exit code: 0 none is known, 1 one is, 3 the registry could not be asked.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const notices = fs.readFileSync(path.join(root, 'THIRD-PARTY-NOTICES'), 'utf8')
const shipped = new Set([...notices.matchAll(/^-{80}\n\n(\S+) \S+ \(/gm)].map((m) => m[1]))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const { stdout, error } = spawnSync(npm, ['audit', '--json'], { cwd: root, encoding: 'utf8' })
const { vulnerabilities, message } = answerOf(stdout)
if (!vulnerabilities) {
  // Not a word about weaknesses: that nobody could be asked is no good news.
  console.error(`Not known whether what is bundled has weaknesses: the registry could not be asked (${message}).`)
  process.exit(3)
}
const hit = Object.values(vulnerabilities).filter(({ name }) => shipped.has(name))
for (const { name, severity, range } of hit) console.error(`${name} ${range}: ${severity}`)
console.error(
  `${shipped.size} packages are bundled; ${hit.length} have a known weakness, of those for development ${Object.keys(vulnerabilities).length - hit.length}.`,
)
if (hit.length > 0) process.exitCode = 1

function answerOf(text) {
  try {
    return JSON.parse(text)
  } catch {
    return { message: error?.message ?? (text.trim().slice(0, 200) || 'npm audit said nothing') }
  }
}
