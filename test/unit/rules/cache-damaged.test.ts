import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, codes, finding, type Synthetic } from '../../helpers/synthetic.ts'

const lines = (...texts: string[]): [number, string][] => texts.map((t, i) => [1 + i / 100, t])
// Synthetic: the lines of npm as they stand in the linked reports.
const failed = (texts: string[], more: Partial<Synthetic> = {}): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', 'some-mcp'] },
  serverLog: [
    ...attempt({ at: 0, container: 'mcpproxy-web-aa11', stderr: lines(...texts) }),
    ...attempt({ at: 30, container: 'mcpproxy-web-bb22', stderr: lines(...texts) }),
  ],
  ...more,
})
const notEmpty = [
  'npm error code ENOTEMPTY',
  'npm error syscall rename',
  'npm error path /root/.npm/_npx/5a9d9b5cd0a1f8a5/node_modules/some-mcp',
]

test('an unfinished folder in the shared volume: only that folder is deleted', async () => {
  const found = await finding('cache-damaged', failed(notEmpty))
  assert.equal(found?.rank, 'supported')
  assert.match(found?.detail ?? '', /mcpproxy-npm-cache.*1 earlier attempt /)
  const [remedy] = found?.remedies ?? []
  assert.deepEqual(remedy?.kind === 'command' && remedy.argv.slice(-3), ['docker.io/library/node:22', '-rf', '/c/_npx/5a9d9b5cd0a1f8a5'])
})

test('without a volume every start begins with an empty cache: a suspicion', async () => {
  const found = await finding(
    'cache-damaged',
    failed(notEmpty, { config: { docker_isolation: { enabled: true, enable_cache_volume: false } } }),
  )
  assert.equal(found?.rank, 'suspected')
})

test('a wrong checksum may be the index too', async () => {
  const found = await finding('cache-damaged', failed(['npm error code EINTEGRITY', 'npm error sha512-x integrity checksum failed']))
  assert.equal(found?.rank, 'suspected')
  assert.match(found?.detail ?? '', /the index or a proxy/)
})

test('a module that is missing inside the folder of npx comes before packages of the host', async () => {
  const text =
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /root/.npm/_npx/5a9d9b5cd0a1f8a5/node_modules/some-mcp/index.js"
  assert.equal((await codes(failed([text])))[0], 'cache-damaged')
})

test('near miss: a package that does not exist', async () => {
  assert.equal(await finding('cache-damaged', failed(['npm error code E404', "npm error 404 'some-mcp@*' is not in this registry."])), null)
})
