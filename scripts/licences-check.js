/**
 * What is bundled may be passed on: every package in THIRD-PARTY-NOTICES has a permissive licence, and its text is there. Also
 * no new package comes without its text unseen. Needs a build.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** They ask for nothing but that their text goes along, which it does. */
const permissive = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0', 'CC0-1.0', 'Unlicense'])
/** They name their licence in package.json, but come without a file of its text. */
const withoutText = new Set(['split-ca'])

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const notices = fs.readFileSync(path.join(root, 'THIRD-PARTY-NOTICES'), 'utf8')
const packages = notices.split(`${'-'.repeat(80)}\n\n`).slice(1)
const problems = packages.flatMap((part) => {
  const [, name = '', licence = ''] = /^(\S+) \S+ \((.+)\)\n/.exec(part) ?? []
  if (name === '') return [`cannot be read: ${part.slice(0, 80)}`]
  // `(MIT OR Apache-2.0)`: one of them is enough.
  const choices = licence.replace(/[()]/g, '').split(/ or /i)
  return [
    ...(choices.some((choice) => permissive.has(choice.trim())) ? [] : [`${name} has the licence ${licence}`]),
    ...(part.includes('It has no file with the text') && !withoutText.has(name) ? [`${name} comes without the text of its licence`] : []),
  ]
})
if (packages.length === 0) problems.push('THIRD-PARTY-NOTICES names no package')

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
