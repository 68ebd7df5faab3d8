/** What a replay starts, rebuilt from recordings. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  baselineOf,
  candidatesOf,
  loggedValues,
  recordedSignature,
  sameStart,
  specOfText,
  type StartSpec,
} from '../../../src/lib/replay/start-spec.ts'
import { newestKnown } from '../../../src/lib/mcpproxy/versions.ts'
import { subjectOf } from '../../helpers/subject.ts'

const nothing = { logged: {}, env: {} }
async function specs(capture: string, server: string) {
  const { subject, report } = await subjectOf(capture, server)
  const values = { logged: loggedValues(subject.evidence), env: {} }
  const baseline = baselineOf(subject, values)
  assert.ok(baseline.ok)
  return {
    baseline: baseline.spec,
    from: baseline.from,
    candidates: candidatesOf(subject, report.findings, baseline.spec, values),
    subject,
  }
}
const line = (spec: StartSpec | null | undefined): string =>
  spec?.kind === 'docker' ? [...spec.runArgs, ...spec.command].join(' ') : JSON.stringify(spec)

describe('baseline', () => {
  test('an isolated server: what the log says ran', async () => {
    const { baseline, from } = await specs('0.60.0-missing-env', 'keyed')
    assert.equal(from, 'log')
    assert.match(line(baseline), /^run --rm -i --name mcpproxy-keyed-.* docker\.io\/library\/node:22 node \/srv\/mcp\/needs-env\.mjs$/)
  })
  test('its own docker command: what the configuration says', async () => {
    const { baseline, from } = await specs('0.60.0-tty-flag', 'everything')
    assert.equal(from, 'config')
    assert.equal(line(baseline), 'run -it --rm mcp/everything')
  })
})

describe('candidates are the remedies of the findings', () => {
  test('-it becomes -i', async () => {
    const { candidates } = await specs('0.60.0-tty-flag', 'everything')
    assert.ok(candidates.some((c) => c.code === 'tty-flag' && line(c.spec) === 'run -i --rm mcp/everything'))
  })
  test('edited, not restarted: what the file says today', async () => {
    const { candidates, baseline } = await specs('0.60.0-edited-not-restarted', 'good')
    assert.match(line(baseline), /alpine:3\.18/)
    assert.ok(candidates.some((c) => c.code === 'not-restarted' && /node:20/.test(line(c.spec))))
  })
  test('isolation off: a program of this machine', async () => {
    const { candidates } = await specs('0.60.0-docker-in-docker', 'wrapped')
    const host = candidates.find((c) => c.class === 'unisolated')
    assert.deepEqual(host?.spec, { kind: 'host', command: 'sh', args: ['-c', 'docker run -i --rm mcp/everything'], cwd: null, env: {} })
  })
})

test('the recorded failure, with the exit code of the events', async () => {
  const { subject } = await specs('0.60.0-missing-env', 'keyed')
  const signature = recordedSignature(subject.evidence)
  assert.equal(signature?.how, 'ended')
  assert.equal(signature?.exitCode, 1)
  assert.match(signature?.text ?? '', /DEMO_API_KEY/)
})

describe('placeholders', () => {
  const config = (value: string): string =>
    JSON.stringify({
      docker_isolation: { enabled: true },
      mcpServers: [{ name: 'a', command: 'npx', args: ['x'], enabled: true, env: { TOKEN: value } }],
    })
  test('from the environment, from the log, or not at all', () => {
    const from = (values: Parameters<typeof specOfText>[3]) => specOfText(config('${env:T}'), 'a', newestKnown, values)
    const given = from({ logged: {}, env: { T: 'one' } })
    assert.match(given.ok ? line(given.spec) : '', / -e TOKEN=one /)
    const logged = from({ logged: { TOKEN: 'two' }, env: {} })
    assert.match(logged.ok ? line(logged.spec) : '', / -e TOKEN=two /)
    assert.deepEqual(from(nothing), { ok: false, why: 'the value of ${env:T} is not known here' })
  })
})

test('name, labels and the order of variables do not make another start', () => {
  const spec = (...runArgs: string[]): StartSpec => ({ kind: 'docker', runArgs: ['run', ...runArgs, 'img'], command: ['x'], env: {} })
  assert.ok(
    sameStart(spec('--name', 'mcpproxy-a-1234', '-e', 'A=1', '-e', 'B=2'), spec('--name', 'mcpproxy-a-zzzz', '-e', 'B=2', '-e', 'A=1')),
  )
  assert.ok(!sameStart(spec('--memory', '1g'), spec('--memory', '2g')))
  assert.ok(!sameStart(spec('--name', 'mine'), spec()))
})
