/** Who listens with TLS is believed only with a certificate of an authority that is trusted, and for that name. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { certificates } from '../helpers/certificates.ts'
import { packageRoot } from '../helpers/package-root.ts'
import { smallHome } from '../helpers/small-home.ts'
import { validReport } from '../helpers/valid-report.ts'

async function listening(t: TestContext, options: ServerOptions, answer: RequestListener): Promise<number> {
  const server = createServer(options, answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const recorded = (name: string): string => readFileSync(join(packageRoot(), 'test/captures/0.60.0-healthy', name), 'utf8')
const key = 'doctor-test-api-key-8f2c'

describe('MCPProxy over https', () => {
  const cases = [
    { name: 'a certificate of its own CA', of: 'server', certs: 'trusting', code: null },
    {
      name: 'a certificate of another CA',
      of: 'server',
      certs: 'distrusting',
      code: /SELF_SIGNED_CERT_IN_CHAIN/,
    },
    { name: 'a certificate for another host', of: 'elsewhere', certs: 'trusting', code: /ERR_TLS_CERT_ALTNAME_INVALID/ },
  ] as const
  for (const { name, of, certs, code } of cases)
    test(`${name}: ${code === null ? 'it is asked, with the key' : 'it is not asked, and the reason is told'}`, async (t) => {
      const made = certificates(t)
      if (made === null) return t.skip('there is no openssl here')
      const seen: { url: string; key: unknown }[] = []
      const port = await listening(t, made[of], (request, response) => {
        seen.push({ url: request.url ?? '', key: request.headers['x-api-key'] })
        const ok = request.headers['x-api-key'] === key
        const file = /^\/api\/v1\/(info|servers|config)$/.exec(request.url ?? '')?.[1] ?? 'status'
        const { body } = JSON.parse(recorded(`api/${file}.json`)) as { body: unknown }
        response.writeHead(ok ? 200 : 401, { 'content-type': 'application/json' })
        response.end(JSON.stringify(ok ? body : { success: false, error: 'Invalid or missing API key', request_id: '1' }))
      })
      const home = smallHome(t, { capture: '0.60.0-healthy', api: `https://127.0.0.1:${port}` })
      const { stdout, stderr } = await home.run(['check', 'good', '--json', '--no-replay', '--api-key', key], {
        // An environment that switches the check off for other programs does not do so here.
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
        MCPPROXY_CERTS_DIR: made[certs],
      })
      const report = validReport(stdout)
      assert.ok(!(stdout + stderr).includes(key))
      if (code === null) {
        assert.equal(report.mcpproxy.running, true)
        assert.ok(seen.some((s) => s.key === key))
        assert.deepEqual(
          seen.filter((s, i) => i === 0 && s.key !== undefined),
          [],
          'first without the key',
        )
        return
      }
      assert.deepEqual(seen, [], 'not a byte of a request')
      assert.equal(report.mcpproxy.running, null, 'that nothing runs there is not known')
      assert.match(JSON.stringify(report.servers[0]?.undetermined), new RegExp(`not trusted \\((?:${code.source})\\)`))
    })
})

describe('an engine at tcp:// with DOCKER_TLS_VERIFY', () => {
  for (const [name, certs, reachable] of [
    ['the CA of its certificate', 'trusting', true],
    ['another CA', 'distrusting', false],
  ] as const)
    test(`${name}: ${reachable ? 'it is asked' : 'it is not asked, and the reason is told'}`, async (t) => {
      const made = certificates(t)
      if (made === null) return t.skip('there is no openssl here')
      const seen: string[] = []
      const port = await listening(t, { ...made.server, requestCert: true, rejectUnauthorized: true }, (request, response) => {
        const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').replace(/\?.*/, '')
        seen.push(path)
        const file = /^\/(version|info|containers)(?:\/json)?$/.exec(path)?.[1]
        response.setHeader('content-type', 'application/json')
        if (file !== undefined) response.end(recorded(`docker/${file}.json`))
        else if (path === '/events') response.end()
        else response.end('[]')
      })
      const home = smallHome(t, { capture: '0.60.0-healthy', engine: `tcp://127.0.0.1:${port}` })
      const { stdout } = await home.run(['check', 'good', '--json', '--no-replay'], {
        DOCKER_TLS_VERIFY: '1',
        DOCKER_CERT_PATH: made[certs],
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
      })
      const report = validReport(stdout)
      assert.equal(report.engine.reachable, reachable)
      assert.equal(seen.includes('/version'), reachable)
      if (!reachable) assert.match(stdout, /The TLS certificates for tcp:\/\/127\.0\.0\.1:\d+ do not fit \(\w+\)/)
    })
})
