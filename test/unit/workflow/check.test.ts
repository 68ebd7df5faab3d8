import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRedactor } from '../../../src/lib/evidence/secrets.ts'
import type { Report } from '../../../src/lib/report/report.ts'
import { redactReport } from '../../../src/lib/workflow/redact.ts'

test('secrets are struck from every place of a report; the name of the server stays', () => {
  const report: Report = {
    schemaVersion: 1,
    verdict: 'problem',
    recordedAt: null,
    checkedAt: '2026-11-24T10:00:00.000Z',
    mcpproxy: { version: 'v0.60.0', running: true, config: '/home/me/hush-hush-9/mcp_config.json' },
    engine: { host: 'tcp://me:topsecret@10.0.0.1:2375', version: null, reachable: false },
    findings: [],
    servers: [
      {
        server: 'hush-hush-9',
        verdict: 'problem',
        summary: 'says hush-hush-9',
        findings: [],
        steps: [{ step: 'logs', outcome: 'problem', summary: 'hush-hush-9' }],
        undetermined: [],
        replays: [],
        replayed: null,
        rules: { looked: 1, couldNot: 0 },
      },
    ],
  }
  const struck = redactReport(report, makeRedactor(['hush-hush-9']))
  assert.equal(struck.servers[0]?.server, 'hush-hush-9')
  const rest = JSON.stringify({ ...struck, servers: struck.servers.map((s) => ({ ...s, server: '' })) })
  assert.doesNotMatch(rest, /hush-hush-9|topsecret/)
  assert.match(rest, /10\.0\.0\.1:2375/)
})
