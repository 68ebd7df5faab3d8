/**
 * Writes docs/findings/, docs/explain-recordings.md and docs/check-recordings.md from the catalogue and the recorded texts.
 * `--check` writes nothing, names what differs, and ends with 1 then. Needs `npm run build`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { allCodes, describeCode } from '../dist/lib/rules/catalogue.js'
import { rules } from '../dist/lib/rules/index.js'
import { notRules } from '../dist/lib/rules/not-rules.js'
import { explainText } from '../dist/lib/rules/match-text.js'
import { checkRecordings } from './check-recordings.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const ruled = new Set(rules.map((rule) => rule.code))
const made = '<!-- Made by `npm run docs:findings`. Edit src/lib/rules/catalogue/. -->'

// Names with * and < and a $ that starts a formula are text here, not markup.
const escape = (text) => text.replace(/[\\*<>$]|(?<![\w`])_|_(?![\w`])/g, '\\$&')
const cell = (text) => escape(text).replaceAll('|', '\\|')

function page(code) {
  const { title, severity, what, proof, fix, myth, confusedWith, mcpx } = describeCode(code)
  const section = (name, text) => (text === null ? [] : [`## ${name}`, '', escape(text), ''])
  return [
    made,
    '',
    `# ${code}`,
    '',
    `${escape(title)}. Severity: ${severity}.`,
    '',
    ...(ruled.has(code)
      ? []
      : ['`check` has no rule for it, only `explain` knows it.', ...(notRules[code] ? [escape(notRules[code])] : []), '']),
    ...section('What happens', what),
    ...section('What proves it', proof),
    ...section('What heals it', fix),
    ...section('What is often said and is wrong', myth),
    ...(confusedWith.length === 0
      ? []
      : [
          '## Often mistaken for',
          '',
          '| code | what decides |',
          '| --- | --- |',
          ...confusedWith.map((other) => `| [${other.code}](${other.code}.md) | ${cell(other.decidedBy)} |`),
          '',
        ]),
    ...(mcpx.length === 0 ? [] : ['## In MCPProxy', '', `MCPProxy calls it ${mcpx.map((name) => `\`${name}\``).join(' or ')}.`, '']),
  ].join('\n')
}

function index() {
  const row = (code) =>
    `| [${code}](${code}.md) | ${cell(describeCode(code).title)} | ${describeCode(code).severity} | ${ruled.has(code) ? 'yes' : 'no'} |`
  return [
    made,
    '',
    '# Findings',
    '',
    `${allCodes().length} codes. \`explain\` knows all of them; those without a rule, and why \`check\` cannot find them, stand at the end.`,
    '',
    '| code | means | severity | rule |',
    '| --- | --- | --- | --- |',
    ...allCodes().map(row),
    '',
    '## Without a rule',
    '',
    ...Object.entries(notRules).map(([code, why]) => `- [${code}](${code}.md): ${escape(why)}`),
    '',
  ].join('\n')
}

const recorded = JSON.parse(readFileSync(join(root, 'test/fixtures/docker-texts.json'), 'utf8'))

/** What `explain` says to the standard error of recorded failures of `docker run`. */
function recordings() {
  const rows = recorded.map(({ recording, code, texts, silent }) => {
    const told = [
      ...new Set(
        texts.map(
          ({ text }) =>
            explainText(text)
              .matches.slice(0, 3)
              .map((m) => m.code)
              .join(', ') || 'nothing',
        ),
      ),
    ]
    const places = texts.map(({ text }) => explainText(text).matches.findIndex((m) => m.code === code) + 1)
    const verdict = silent ?? (code === null ? 'works' : places.every((p) => p >= 1 && p <= 3) ? `place ${Math.max(...places)}` : 'missed')
    return `| ${recording} | ${code ?? '–'} | ${told.join('; ') || '–'} | ${verdict} |`
  })
  return [
    made,
    '',
    '# What `explain` says to recorded failures',
    '',
    'Each row is a recorded run of `docker run`, with docker 20.10 and 28.2 and engines 20.10 and 28.5 where their words differ.',
    'The first three codes are shown, and the place of the right one. Some causes leave no words; then only the events of the',
    'engine or a replay tell, and the last column says so.',
    '',
    '| recording | cause | explain says | place |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

const findings = join(root, 'docs/findings')
const files = new Map([
  [join(findings, 'README.md'), index()],
  ...allCodes().map((code) => [join(findings, `${code}.md`), page(code)]),
  [join(root, 'docs/explain-recordings.md'), recordings()],
  [join(root, 'docs/check-recordings.md'), await checkRecordings(new Map(recorded.map(({ recording, code }) => [recording, code])))],
])
mkdirSync(findings, { recursive: true })
const stale = readdirSync(findings)
  .map((name) => join(findings, name))
  .filter((file) => !files.has(file))
const different = [...files].filter(([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text).map(([file]) => file)

if (process.argv.includes('--check')) {
  for (const file of [...different, ...stale]) console.error(`differs: ${file}`)
  if (different.length + stale.length > 0) process.exitCode = 1
} else {
  for (const file of stale) rmSync(file)
  for (const file of different) writeFileSync(file, files.get(file))
  console.log(`${different.length} written, ${stale.length} removed`)
}
