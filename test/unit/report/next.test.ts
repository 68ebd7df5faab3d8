import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Remedy } from '../../../src/lib/remedies/remedy.ts'
import { nextStep } from '../../../src/lib/report/next.ts'
import type { Report } from '../../../src/lib/report/report.ts'
import { healthy, only, sampleReport, ttyFlag, undecided } from '../../helpers/sample-report.ts'

const withRemedies = (remedies: Remedy[], rank = ttyFlag.rank): Report => ({
  ...sampleReport,
  servers: sampleReport.servers.map((s) => ({ ...s, findings: [{ ...ttyFlag, rank, remedies }] })),
})
const line = (report: Report, commands?: string[]): string | null => {
  const next = nextStep(report, commands ? { commands } : {})
  return next === null ? null : next.kind === 'run' ? next.argv.join(' ') : next.text
}

test('nothing is to be done where all is well', () => assert.equal(line(only(healthy)), null))

test('the first remedy decides', () => {
  assert.equal(line(withRemedies([{ kind: 'reload', title: 'Restart' }])), 'mcpproxy-doctor reload everything')
  assert.equal(line(withRemedies([{ kind: 'command', title: 'Get it', argv: ['docker', 'pull', 'x'] }])), 'docker pull x')
  assert.equal(line(withRemedies([{ kind: 'instruction', title: 'Think' }])), 'mcpproxy-doctor explain tty-flag')
})

test('a suspicion without a remedy is tried', () => {
  assert.equal(line(withRemedies([], 'suspected')), 'mcpproxy-doctor replay everything')
  assert.equal(line(withRemedies([], 'suspected'), ['logs']), 'mcpproxy-doctor logs everything')
})

test('commands that this build does not have are not named', () => {
  assert.match(line(withRemedies([{ kind: 'reload', title: 'Restart' }]), []) ?? '', /^restart the server/)
})

test('undecided: the source that could be looked at', () => {
  assert.equal(line(only(undecided)), 'mcpproxy-doctor logs files')
  const error = { kind: 'denied', message: 'no' } as const
  assert.equal(line(only({ ...undecided, undetermined: [{ code: 'x', source: 'serverLog', error }] })), 'mcpproxy-doctor container files')
})

test('a server whose name looks like a flag is named behind --', () => {
  const next = nextStep(only({ ...undecided, server: '--help' }), { flags: ['--config', 'x.json'] })
  assert.deepEqual(next, { kind: 'run', argv: ['mcpproxy-doctor', 'logs', '--config', 'x.json', '--', '--help'] })
})
