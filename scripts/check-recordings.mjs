/** The page docs/check-recordings.md: what `check` says to each recorded run of `docker run`, as a user's capture would have it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openCapture } from '../dist/lib/system/recorded.js'
import { check } from '../dist/lib/workflow/check.js'
import { captureOf, recordings } from './recorded-captures.mjs'

/** Why a recording, or one variant of it, tells something else than its cause. */
const notes = {
  'banner-on-stdout': 'it works: MCPProxy passes over such lines, and only a replay shows them',
  'workdir-missing': 'it works: docker makes the folder, and this server needs nothing in it',
  'bind-relative': 'it works: docker takes relative sources since 23.0',
  'credential-helper-missing client-20.10': 'this docker went on to ask the registry, which refused',
  'npx-integrity client-20.10': 'npm had not said anything yet when the time was up',
  'npx-integrity engine-28.5': 'npm had not said anything yet when the time was up',
}

const short = (release) => release.split('.').slice(0, 2).join('.')
const shown = (f) => `${f.code} (${f.severity === 'error' ? f.rank : `${f.rank}, ${f.severity}`})`

/** `missed` is the one word that the tests do not let pass. */
function judged(code, { verdict, findings }, note) {
  const [first] = findings.filter((f) => f.severity === 'error')
  if (code === null) return verdict === 'healthy' && !first ? 'works' : 'missed'
  if (first?.code === code) return 'found'
  const named = findings.some((f) => f.code === code)
  if (named && !first) return 'found'
  if (named && first.rank !== 'proven') return 'could be these two'
  if (note !== undefined && (verdict === 'healthy' || first)) return note
  return 'missed'
}

async function reportOf(recording, variant) {
  const { files, server } = await captureOf(recording, variant)
  const root = mkdtempSync(join(tmpdir(), 'doctor-recording-'))
  try {
    for (const [name, content] of files) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), content)
    }
    const system = await openCapture(root)
    const { servers } = await check(system, { servers: [server], all: false, timeoutMs: 60_000 })
    await system.close()
    return servers[0]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** `codes`: the cause of each recording by its name; null: it works. */
export async function checkRecordings(codes) {
  const rows = []
  for (const recording of recordings) {
    const name = recording.recording
    const code = codes.get(name)
    if (code === undefined) throw new Error(`Nobody wrote down the cause of the recording ${name}.`)
    const told = new Map()
    const [main] = recording.variants
    for (const variant of recording.variants) {
      const same = variant !== main && variant.events === undefined && variant.stderr.join() === main.stderr.join()
      const note = notes[`${name} ${variant.variant}`] ?? notes[name]
      const report = same ? null : await reportOf(recording, variant)
      const row =
        report === null ? [...told.keys()][0] : `${report.findings.map(shown).join(', ') || 'nothing'} | ${judged(code, report, note)}`
      told.set(row, [...(told.get(row) ?? []), variant])
    }
    for (const [row, variants] of told) {
      const which = told.size === 1 ? 'all' : variants.map((v) => `${short(v.client)} on ${short(v.engine)}`).join(', ')
      rows.push(`| ${name} | ${which} | ${code ?? '–'} | ${row} |`)
    }
  }
  return [
    '<!-- Made by `npm run docs:findings` from test/fixtures/docker-recordings.json. -->',
    '',
    '# What `check` says to recorded failures',
    '',
    'Each row is a recorded run of `docker run`, put into the capture of a user whose MCPProxy v0.60 ran it: the configuration that',
    'leads to these arguments, the lines that MCPProxy writes, and, as they were recorded, what docker printed, the events of the',
    'engine, its release, and what it says of the image. Nothing is replayed. MCPProxy waits 30 s, the recordings waited less: what',
    'came when they gave up comes 30 s after the start here.',
    '',
    'Findings are errors where nothing else is said, the cause first. `could be these two`: the evidence fits both, and both are named,',
    'none as proven.',
    '',
    '| recording | docker on engine | cause | check says | |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
