/** Runs `check` on each recording: the truth must come first, and every code is as written down beside it. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { renderJson } from '../src/lib/report/json.ts'
import { exitCode } from '../src/lib/report/report.ts'
import { openCapture } from '../src/lib/system/recorded.ts'
import { check } from '../src/lib/workflow/check.ts'
import { schemaErrors } from './helpers/valid-report.ts'

const folder = path.resolve('test/captures')
const read = (...names: string[]): unknown => JSON.parse(fs.readFileSync(path.join(folder, ...names), 'utf8'))

for (const name of fs.readdirSync(folder).sort()) {
  test(`capture ${name}`, async () => {
    const { server, truth } = read(name, 'scenario.json') as { server: string; truth: { modes: string[] } }
    const expected = read(name, 'expect.json') as { cause: string | null; codes: string[] }
    const report = await check(await openCapture(path.join(folder, name)), { servers: [server], all: false, timeoutMs: 60_000 })
    assert.equal(schemaErrors(JSON.parse(renderJson(report))), null)
    const [first] = report.servers
    assert.ok(first)
    const codes = first.findings.map((f) => f.code)
    assert.deepEqual(codes, expected.codes)
    const errors = first.findings.filter((f) => f.severity === 'error')
    if (truth.modes.length === 0) assert.deepEqual(errors, [])
    else assert.equal(errors[0]?.code, expected.cause)
    assert.equal(exitCode(report), truth.modes.length === 0 ? 0 : 1)
    // The lab's API key and every canary value must be struck.
    assert.doesNotMatch(JSON.stringify(report), /lab0key0|canary|ghp_[A-Za-z0-9]{20}/)
  })
}
