import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DockerEngine } from '../../../src/lib/evidence/evidence.ts'
import rule from '../../../src/lib/rules/socket-permission.ts'
import type { Finding } from '../../../src/lib/rules/rule.ts'
import { observed } from '../../../src/lib/system/system.ts'
import { attempt, subject, type Synthetic } from '../../helpers/synthetic.ts'

/** The engine refuses the check itself. */
async function found(groups: string[], more: Partial<Synthetic> = {}): Promise<Finding | null> {
  const web = await subject({
    server: { name: 'web', command: 'npx', args: ['-y', 'tool'] },
    environment: { user: { uid: 1000, gid: 1000, groups } },
    ...more,
  })
  const { engine } = web.evidence
  assert.ok(engine.ok)
  const denied: DockerEngine = { ...engine.value, reachable: { yes: false, why: 'denied', message: 'EACCES' } }
  const outcome = rule.run({ ...web, evidence: { ...web.evidence, engine: observed(denied) } })
  return outcome.type === 'found' ? outcome.finding : null
}

const said =
  'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/_ping": dial unix /var/run/docker.sock: connect: permission denied'

test('MCPProxy was refused, or its process is not in the group', async () => {
  const log = await found(['docker'], { serverLog: attempt({ stderr: [[0.1, said]] }) })
  assert.deepEqual([log?.severity, log?.rank], ['error', 'supported'])
  const outside = await found(['users'])
  assert.deepEqual([outside?.severity, outside?.rank], ['error', 'supported'])
})

test('only the check was refused: nothing is claimed of MCPProxy', async () => {
  const ours = await found(['users', 'docker'])
  assert.deepEqual([ours?.severity, ours?.rank], ['warning', 'suspected'])
  assert.match(ours?.title ?? '', /is not known/)
})
