/** The schemas of reports that no other test prints, and that a schema refuses what it should. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { UserError } from '../../../src/lib/errors.ts'
import { parseSettings } from '../../../src/lib/workflow/lint-settings.ts'
import { lintCodes } from '../../../src/lib/workflow/lint.ts'
import type { SmokeReport } from '../../../src/lib/workflow/smoke.ts'
import { packageRoot } from '../../helpers/package-root.ts'
import { ttyFlag } from '../../helpers/sample-report.ts'
import { errorsBy } from '../../helpers/valid-report.ts'

const smoke: SmokeReport = {
  schemaVersion: 1,
  config: '/home/me/mcp_config.json',
  mcpproxyVersion: { value: 'v0.60.0', assumed: true },
  checkedAt: '2026-11-24T10:00:00.000Z',
  ...{ passed: 0, failed: 1, notTried: 1 },
  servers: [
    {
      ...{ server: 'everything', result: 'fail', why: 'exit 1' },
      run: { what: 'as configured', change: null, outcome: 'fails', exitCode: 1, says: 'no', tools: null, ms: 80, handshake: null },
      findings: [ttyFlag],
    },
    { server: 'web', result: 'not-tried', why: 'its image is not here', run: null, findings: [] },
  ],
}

test('replay --all', () => {
  assert.equal(errorsBy('replay-all', smoke), null)
  assert.notEqual(errorsBy('replay-all', { ...smoke, schemaVersion: 2 }), null)
  assert.notEqual(errorsBy('replay-all', { ...smoke, servers: [{ ...smoke.servers[1], result: 'maybe' }] }), null)
})

test('a step that is none, and a fix without its steps', () => {
  for (const name of ['steps', 'fix', 'reload'] as const) {
    assert.notEqual(errorsBy(name, {}), null)
    assert.notEqual(errorsBy(name, { schemaVersion: 1, server: 'web', step: { step: 'cooking', outcome: 'ok', summary: '' } }), null)
  }
})

test('settings: the schema takes what lint takes, and refuses what lint refuses', () => {
  const ignore = { code: 'tty-flag', server: 'a', path: '/mcpServers/a', reason: 'x', expires: '2026-12-31' }
  const taken = [{}, { $schema: 'x', ignores: [ignore, { code: 'tty-flag', reason: 'x' }], helpUriBase: 'https://example.org/x' }]
  const refused = [
    [],
    { ignore: [] },
    { ignores: {} },
    { helpUriBase: 'docs/findings' },
    { helpUriBase: 1 },
    ...[{ reason: undefined }, { reason: ' ' }, { expires: 'soon' }, { path: 'args' }, { sever: 'a' }, { server: 1 }].map((more) => ({
      ignores: [JSON.parse(JSON.stringify({ ...ignore, ...more })) as unknown],
    })),
  ]
  for (const settings of taken) {
    assert.equal(errorsBy('settings', settings), null)
    parseSettings('s', JSON.stringify(settings), lintCodes)
  }
  for (const settings of refused) {
    assert.notEqual(errorsBy('settings', settings), null, JSON.stringify(settings))
    assert.throws(() => parseSettings('s', JSON.stringify(settings), lintCodes), UserError)
  }
})

test('every schema ships, and each is one that a test holds values against', () => {
  assert.deepEqual(readdirSync(join(packageRoot(), 'schemas')).sort(), [
    ...['capture.schema.json', 'diff.schema.json', 'explain.schema.json', 'fix.schema.json', 'lint.schema.json', 'reload.schema.json'],
    ...['replay-all.schema.json', 'report.schema.json', 'settings.schema.json', 'steps.schema.json'],
  ])
})
