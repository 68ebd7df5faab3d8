/** From a bundle follows what follows from the machine: on every recording, with the secrets in and with the secrets out. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { exitCode, type Report } from '../src/lib/report/report.ts'
import { packArchive } from '../src/lib/system/archive.ts'
import { memoryFiles } from '../src/lib/system/capture-files.ts'
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
const checked = async (system: System, server: string): Promise<unknown> =>
  essence(await check(system, { servers: [server], all: false, timeoutMs: 60_000 }))

for (const name of readdirSync(folder).sort()) {
  test(`bundle of ${name}`, async () => {
    const { server } = JSON.parse(readFileSync(path.join(folder, name, 'scenario.json'), 'utf8')) as { server: string }
    const original = await checked(await openCapture(path.join(folder, name)), server)
    const { content, report } = await record(await openCapture(path.join(folder, name)), {
      servers: [server],
      all: false,
      timeoutMs: 60_000,
    })
    assert.deepEqual(essence(report), original, 'while recording')

    const plain = captureFiles(content)
    assert.deepEqual(await checked(await openRecorded('bundle', memoryFiles(plain)), server), original, 'with the secrets in')

    const { files } = redacted(content, { keepPaths: false, hostname: 'elsewhere' })
    const archive = path.join(scratch, `${name}.tgz`)
    writeFileSync(archive, await packArchive(files))
    assert.deepEqual(await checked(await openCapture(archive), server), original, 'with the secrets out')
    for (const file of files) assert.equal(captureErrors(file), null)
    // The lab's API key and every canary value.
    for (const file of files) assert.doesNotMatch(file.bytes.toString('latin1'), /lab0key0|ghp_[A-Za-z0-9]{20}/, file.name)
  })
}
