import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObservedEvidence, Subject } from '../../../src/lib/evidence/evidence.ts'
import { defineRule, type Occasion, type Outcome } from '../../../src/lib/rules/rule.ts'
import { notObserved, observed } from '../../../src/lib/system/system.ts'
import { subjectOf } from '../../helpers/subject.ts'

const { subject: failing } = await subjectOf('0.60.0-tty-flag', 'everything')
const changed = (evidence: Partial<ObservedEvidence>): Subject => ({ ...failing, evidence: { ...failing.evidence, ...evidence } })

const log = failing.evidence.serverLog
assert.ok(log.ok && log.value.failed !== null)
const untried = changed({ serverLog: observed({ ...log.value, attempts: [], newest: null, failed: null }), status: observed(null) })
const connected = changed({
  serverLog: observed({
    ...log.value,
    newest: { ...log.value.failed, outcome: 'connected', closedAfterConnect: null, disconnectedAt: null },
    failed: null,
  }),
})
const unread = changed({ serverLog: notObserved('denied', 'permission denied') })

/** Finds something wherever it may look. */
const outcome = (only: Occasion | undefined, subject: Subject, needs: 'config' | 'engine' = 'config'): Outcome['type'] =>
  defineRule({
    code: 'anything',
    severity: 'error',
    title: 'Anything',
    ...(only ? { only } : {}),
    needs: [needs],
    detect: () => ({ facts: {}, observations: ['config'], cites: [], detail: '' }),
  }).run(subject).type

test('a rule about failures has nothing to say of a server that did not fail, one about those that do not work nothing of one that does', () => {
  const on = (only?: Occasion): string[] => [failing, untried, connected].map((subject) => outcome(only, subject))
  assert.deepEqual(on('failed'), ['found', 'clear', 'clear'])
  assert.deepEqual(on('not-connected'), ['found', 'found', 'clear'])
  assert.deepEqual(on(), ['found', 'found', 'found'])
})

test('where the log could not be read it has to look', () => {
  assert.deepEqual([outcome('failed', unread), outcome('not-connected', unread)], ['found', 'found'])
})

test('what it needs and nobody could look at stays open on any occasion', () => {
  const engine = notObserved('unreachable', 'no engine')
  const blind = (subject: Subject): Subject => ({ ...subject, evidence: { ...subject.evidence, engine } })
  assert.equal(outcome('failed', blind(failing), 'engine'), 'undetermined')
  assert.equal(outcome('failed', blind(connected), 'engine'), 'undetermined')
  assert.equal(outcome(undefined, blind(connected), 'engine'), 'undetermined')
})
