/** From a bundle follows what follows from the machine: on every recording, with the secrets in and with the secrets out. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { configSource } from '../src/lib/report/config-source.ts'
import { exitCode, type Report } from '../src/lib/report/report.ts'
import { renderReport } from '../src/lib/report/text.ts'
import { plainTheme } from '../src/lib/report/theme.ts'
import { packArchive } from '../src/lib/system/archive.ts'
import { memoryFiles, type CaptureFile } from '../src/lib/system/capture-files.ts'
import { openCapture, openRecorded } from '../src/lib/system/recorded.ts'
import { captureFiles } from '../src/lib/system/recording.ts'
import type { System } from '../src/lib/system/system.ts'
import { record, redacted } from '../src/lib/workflow/bundle.ts'
import { check } from '../src/lib/workflow/check.ts'
import { captureErrors } from './helpers/valid-capture.ts'

const folder = path.resolve('test/captures')
const scratch = mkdtempSync(path.join(tmpdir(), 'doctor-bundle-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

/** What must not differ: the codes, how sure they are, what is wrong where, and the exit code. */
const essence = (report: Report): unknown => ({
  exit: exitCode(report),
  verdict: report.verdict,
  file: report.findings.map((f) => `${f.code} ${f.rank}`),
  servers: report.servers.map((s) => ({
    server: s.server,
    verdict: s.verdict,
    findings: s.findings.map((f) => ({
      code: f.code,
      rank: f.rank,
      cites: f.cites.map((c) => [c.type, 'line' in c ? c.line : null]),
      remedies: f.remedies.map((r) => r.kind),
    })),
    undetermined: s.undetermined.map((u) => `${u.code} ${u.source} ${u.error.kind}`),
    steps: s.steps.map((step) => step.outcome),
  })),
})
interface Seen {
  essence: unknown
  text: string
}

const checked = async (system: System, server: string): Promise<Seen> => {
  const report = await check(system, { servers: [server], all: false, timeoutMs: 60_000 })
  return { essence: essence(report), text: await plainText(system, report) }
}

/** As a person reads it, in lines that are never wrapped, `~` for the home. */
async function plainText(system: System, report: Report): Promise<string> {
  const { home } = await system.locations()
  const path = report.mcpproxy.config
  const file = path === null ? null : await system.files.read(path, 16 * 1024 * 1024)
  const shown = path !== null && file?.ok && file.value ? configSource(path, file.value) : {}
  return renderReport(report, {
    ...shown,
    home,
    theme: plainTheme(),
    width: 100_000,
    verbose: true,
    commands: ['check', 'fix', 'explain'],
    flags: [],
  })
}

/** The same for every value that was masked, in whichever way. A mask is not as long as the value: carets and rulers move. */
const unmasked = (text: string): string =>
  text
    .replaceAll(/(?:SECRET|VALUE)_[0-9a-f]{12}|•+/g, '•')
    .replaceAll(/ {2,}/g, ' ')
    .replaceAll(/\^+/g, '^')

for (const name of readdirSync(folder).sort()) {
  test(`bundle of ${name}`, async () => {
    const { server } = JSON.parse(readFileSync(path.join(folder, name, 'scenario.json'), 'utf8')) as { server: string }
    const original = await checked(await openCapture(path.join(folder, name)), server)
    const { content, report } = await record(await openCapture(path.join(folder, name)), {
      servers: [server],
      all: false,
      timeoutMs: 60_000,
    })
    assert.deepEqual(essence(report), original.essence, 'while recording')

    const plain = captureFiles(content)
    assert.deepEqual(await checked(await openRecorded('bundle', memoryFiles(plain)), server), original, 'with the secrets in')

    const { files } = redacted(content, { keepPaths: false, hostname: 'elsewhere' })
    const archive = path.join(scratch, `${name}.tgz`)
    writeFileSync(archive, await packArchive(files))
    const clean = await checked(await openCapture(archive), server)
    assert.deepEqual(clean.essence, original.essence, 'with the secrets out')
    assert.deepEqual(unmasked(clean.text).split('\n'), unmasked(original.text).split('\n'), 'the same words but for what was masked')
    for (const file of files) assert.equal(captureErrors(file), null)
    // The lab's API key and every canary value.
    for (const file of files) assert.doesNotMatch(file.bytes.toString('latin1'), /lab0key0|ghp_[A-Za-z0-9]{20}/, file.name)
  })
}

/** Names of users; all but the first are words of programs, images, servers or of the capture itself. */
const users = 'josephine git postgres node docker root server log uvx everything npm python mcp good'.split(' ')

/** The same recording from the machine of somebody with this name. */
function ofUser(user: string, name: string): CaptureFile[] {
  const root = path.join(folder, name)
  return readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile()) return []
    const full = path.join(entry.parentPath, entry.name)
    const bytes = readFileSync(full)
    const text = bytes.toString('utf8')
    if (!Buffer.from(text).equals(bytes)) return [{ name: path.relative(root, full), bytes }]
    return [{ name: path.relative(root, full), bytes: Buffer.from(text.replaceAll('/home/user', `/home/${user}`)) }]
  })
}

for (const [i, name] of readdirSync(folder).sort().entries()) {
  const user = users[i % users.length] ?? ''
  test(`bundle of ${name}, of a user who is called ${user}`, async () => {
    const { server } = JSON.parse(readFileSync(path.join(folder, name, 'scenario.json'), 'utf8')) as { server: string }
    const open = (): Promise<System> => openRecorded('bundle', memoryFiles(ofUser(user, name)))
    const original = await checked(await open(), server)
    const { content } = await record(await open(), { servers: [server], all: false, timeoutMs: 60_000 })
    const { files, redactions } = redacted(content, { keepPaths: false, hostname: `${user}s-laptop` })
    const clean = await checked(await openRecorded('bundle', memoryFiles(files)), server)
    assert.deepEqual(clean.essence, original.essence)
    assert.deepEqual(unmasked(clean.text).split('\n'), unmasked(original.text).replaceAll(`/home/${user}`, '/home/user').split('\n'))
    const trace = user === 'josephine' ? user : `/home/${user}`
    for (const file of files) assert.ok(!file.bytes.toString('utf8').toLowerCase().includes(trace), file.name)
    assert.ok(redactions.some((r) => r.kind === 'home' || r.kind === 'user-name'))
    const kept = redacted(content, { keepPaths: true, hostname: `${user}s-laptop` })
    assert.ok(kept.files.some((f) => f.bytes.toString('utf8').includes(`/home/${user}`)))
  })
}
