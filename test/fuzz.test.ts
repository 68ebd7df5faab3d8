/**
 * Real configurations and logs, damaged at random, through `lint` and through the whole of `check`: never an exception, never a
 * rule that crashes, never a hang. fast-check prints the seed and the smallest text that does it.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fc } from './helpers/fast-check.ts'
import { UserError } from '../src/lib/errors.ts'
import { renderJson } from '../src/lib/report/json.ts'
import { memoryFiles, type CaptureFile } from '../src/lib/system/capture-files.ts'
import { openRecorded } from '../src/lib/system/recorded.ts'
import { check } from '../src/lib/workflow/check.ts'
import { placeOf } from '../src/lib/workflow/lint.ts'
import { damaged, damagesOf } from './helpers/damage.ts'
import { lint } from './helpers/lint.ts'
import { packageRoot } from './helpers/package-root.ts'

const root = join(packageRoot(), 'test/captures')
const configName = 'home/.mcpproxy/mcp_config.json'
/** What one run may take at most on a machine that does other things as well. */
const longest = 10_000

interface Capture {
  server: string
  files: CaptureFile[]
}

function filesIn(folder: string, under = ''): CaptureFile[] {
  return readdirSync(join(folder, under)).flatMap((entry) => {
    const name = under === '' ? entry : `${under}/${entry}`
    return statSync(join(folder, name)).isDirectory() ? filesIn(folder, name) : [{ name, bytes: readFileSync(join(folder, name)) }]
  })
}
const captures: Capture[] = readdirSync(root).map((name) => ({
  server: (JSON.parse(readFileSync(join(root, name, 'scenario.json'), 'utf8')) as { server: string }).server,
  files: filesIn(join(root, name)),
}))
const fileOf = ({ files }: Capture, name: string): Buffer => files.find((f) => f.name === name)?.bytes ?? Buffer.alloc(0)

// ---- damage -----------------------------------------------------------------------------

const pieces = fc.constantFrom(
  ...['{', '}', '[', ']', ',', ':', '"', "'", '\\', '\n', '\r', '\t', ' ', ' | ', '//', '/*', '*/', '#', '=', '%', '\u0000', '\u001b[31m'],
  ...['null', 'true', '0', '-1', '1e999', '""', '{}', '[]', '"args":', '"name":"a",', '"isolation":{', '"enabled":', '\uFEFF', '\ud800'],
  ...['-it', '--', '-e', '-v', '/:/', '~/', '$HOME', '${env:X}', '${', '--network', '--name=', 'docker', 'uvx', 'run', 'é', '日', '“'],
  ...['stderr', 'ERROR', '2026-11-23T16:28:37.447Z', '{"error": "', 'exit status 125', 'docker: Error', 'OOMKilled', 'container', '\n\n'],
)
const damages = damagesOf(pieces, 2000)

/** As UTF-8, as UTF-16 or with bytes that are neither. */
const encodings = fc.oneof({ weight: 8, arbitrary: fc.constant('utf8' as const) }, fc.constantFrom('utf16le' as const, 'latin1' as const))

// ---- what must hold ---------------------------------------------------------------------

test('7,000 damaged configurations through lint', () => {
  const configs = [...new Set(captures.map((c) => fileOf(c, configName).toString('utf8')))]
  fc.assert(
    fc.property(fc.constantFrom(...configs), damages, encodings, (config, list, encoding) => {
      const text = damaged(config, list, 3000)
      const started = performance.now()
      const { findings, reading } = lint(Buffer.from(text, encoding))
      assert.ok(performance.now() - started < longest)
      const lines = reading.document.text.split('\n')
      for (const finding of findings) {
        assert.notEqual(finding.code, 'rule-crashed', finding.detail)
        const place = placeOf(finding)
        assert.ok(place, finding.code)
        const line = lines[place.line - 1]
        assert.ok(
          line !== undefined && place.column >= 1 && place.column <= line.length + 1,
          `${finding.code} ${place.line}:${place.column}`,
        )
      }
    }),
    { numRuns: 7000 },
  )
})

test('3,000 damaged recordings through check', async () => {
  // Logs are what most of the pipeline reads: each counts for four files.
  const names = (capture: Capture): string[] =>
    capture.files.flatMap(({ name }) =>
      name.endsWith('.log')
        ? [name, name, name, name]
        : /mcp_config\.json$|events\.ndjson$|^api\/|^docker\/\w+\.json$/.test(name)
          ? [name]
          : [],
    )
  const change = fc.constantFrom(...captures).chain((capture) =>
    fc.record({
      capture: fc.constant(capture),
      changes: fc.array(fc.tuple(fc.constantFrom(...names(capture)), damages), { minLength: 1, maxLength: 2 }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(change, async ({ capture, changes }) => {
      const files = new Map(capture.files.map((f) => [f.name, f.bytes]))
      for (const [name, list] of changes) files.set(name, Buffer.from(damaged(files.get(name)?.toString('utf8') ?? '', list)))
      const system = await openRecorded('damaged', memoryFiles([...files].map(([name, bytes]) => ({ name, bytes }))))
      const started = performance.now()
      try {
        const report = await check(system, { servers: [capture.server], all: false, timeoutMs: 60_000 })
        const findings = [...report.findings, ...report.servers.flatMap((s) => s.findings)]
        const crashed = findings.find((f) => f.code === 'rule-crashed')
        assert.equal(crashed, undefined, JSON.stringify(crashed))
        assert.ok(renderJson(report).length > 0)
      } catch (error) {
        // The server's name is gone from the configuration, or a file of the capture is no JSON.
        if (!(error instanceof UserError)) throw error
      } finally {
        await system.close()
      }
      assert.ok(performance.now() - started < longest)
    }),
    { numRuns: 3000 },
  )
})
