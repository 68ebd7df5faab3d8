/** `fix --apply` killed at random moments; the full run is scripts/kill-fixes.mjs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyMoment, killFix, type Killed } from '../helpers/kill-fix.ts'

test('killed at any moment: the old or the new configuration, and a way back', async () => {
  const seen: Killed[] = []
  for (let i = 0; i < 12; i++) seen.push(await killFix(anyMoment(Math.random)))
  // Also right after the first file and well after the last one, so that both states occur.
  seen.push(await killFix({ after: 'first-file', ms: 0 }), await killFix({ after: 'first-file', ms: 700 }))
  assert.ok(seen.some((s) => s.held === 'new') && seen.some((s) => s.killed))
})
