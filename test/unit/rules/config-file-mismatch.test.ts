import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MainLogReading } from '../../../src/lib/evidence/collect-logs.ts'
import { versionOf, type Shared } from '../../../src/lib/evidence/collect.ts'
import type { ConfigEvidence, ProxyStatus } from '../../../src/lib/evidence/evidence.ts'
import { parseLogLine } from '../../../src/lib/formats/log-line.ts'
import { parseVersion } from '../../../src/lib/mcpproxy/versions.ts'
import rule from '../../../src/lib/rules/config-file-mismatch.ts'
import type { Finding } from '../../../src/lib/rules/rule.ts'
import { observed } from '../../../src/lib/system/system.ts'
import { mainLine, subject } from '../../helpers/synthetic.ts'

const read = '/home/user/.mcpproxy/mcp_config.json'
const other = '/srv/other/c.json'

interface Told {
  /** config_path of "ConfigService initialized". */
  log?: string
  /** config_path of the API. */
  api?: string
  tracked?: string
  /** The file has no such server. */
  unknown?: boolean
}

async function found({ log, api, tracked, unknown = false }: Told): Promise<Finding | null> {
  const web = await subject({
    server: { name: 'web', command: 'npx', args: ['-y', 'tool'] },
    mainLog: log === undefined ? [] : [mainLine(1, 'ConfigService initialized', { config_path: log, version: 0 })],
    status: {},
  })
  const { config, status } = web.evidence
  assert.ok(config.ok && status.ok && status.value)
  const file: ConfigEvidence = { ...config.value, trackedPath: tracked ?? null, ...(unknown ? { server: null } : {}) }
  const running: ProxyStatus | null = api === undefined ? null : { ...status.value, configPath: api }
  const outcome = rule.run({ ...web, evidence: { ...web.evidence, config: observed(file), status: observed(running) } })
  return outcome.type === 'found' ? outcome.finding : null
}

const hosts = (f: Finding | null): string[] => (f?.cites ?? []).flatMap((c) => (c.type === 'host' ? [c.path] : []))

test('it reads one file and saves to another: both are cited', async () => {
  const tracked = '/var/lib/mcpproxy/mcp_config.json'
  const alone = await found({ tracked })
  assert.deepEqual([alone?.rank, alone?.severity, hosts(alone)], ['suspected', 'warning', [read, tracked]])
  const agreed = await found({ tracked, log: tracked })
  assert.deepEqual([agreed?.rank, agreed?.cites.length], ['supported', 3])
  // The log of another start neither agrees nor takes this away.
  const apart = await found({ tracked, log: other })
  assert.deepEqual([apart?.rank, apart?.cites.length, apart?.facts['tracked']], ['suspected', 2, tracked])
})

test('the log of a MCPProxy with another file says nothing of this one', async () => {
  assert.equal(await found({ log: other }), null)
  assert.equal(await found({ log: read }), null)
  // Where the file lacks the server, the other file is a lead, and no more is claimed than that.
  const lead = await found({ log: other, unknown: true })
  assert.deepEqual([lead?.severity, lead?.rank], ['error', 'suspected'])
  assert.match(lead?.title ?? '', /last saved to and watched another/)
})

test('a running MCPProxy with another file is not said to read this one', async () => {
  const running = await found({ api: other })
  assert.deepEqual([running?.severity, running?.rank], ['warning', 'suspected'])
  assert.doesNotMatch(`${running?.title} ${running?.detail}`, /\breads\b/)
  assert.equal(await found({ api: read, log: other }), null)
})

test('the version is that of the log only when it had this file', () => {
  const logOf = (path: string | null): MainLogReading => {
    const line = path === null ? null : parseLogLine(mainLine(1, 'ConfigService initialized', { config_path: path }), 'main.log', 1)
    return {
      log: { files: [], general: line ? [line] : [], start: null, version: parseVersion('v0.23.2'), complete: true },
      byServer: new Map(),
      setups: new Map(),
      unread: null,
    }
  }
  const shared = { status: observed(null), system: { recording: null }, locations: { config: read, trackedConfig: null } }
  const version = (path: string | null): string => versionOf(shared as unknown as Shared, observed(logOf(path))).value.text
  assert.equal(version(read), 'v0.23.2')
  assert.equal(version(null), 'v0.23.2')
  assert.equal(version(other), 'v0.60.0')
})
