/** Certificates made for one test, by the openssl program: no private key is kept anywhere. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export interface Certificates {
  /** Each holds `ca.pem`, and `cert.pem` and `key.pem` of a client, as in DOCKER_CERT_PATH. Both clients are of the server's CA. */
  trusting: string
  distrusting: string
  server: { cert: Buffer; key: Buffer; ca: Buffer }
  /** Of the same CA, for another host. */
  elsewhere: { cert: Buffer; key: Buffer }
}

/** Null: there is no openssl here. */
export function certificates(t: TestContext): Certificates | null {
  if (spawnSync('openssl', ['version']).status !== 0) return null
  const folder = mkdtempSync(join(tmpdir(), 'doctor-certificates-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = (name: string): string => join(folder, name)
  const run = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`)
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authority = (name: string): void =>
    run('req', '-x509', ...key, '-days', '2', '-subj', `/CN=doctor-test-${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`))
  const signed = (name: string, extension: string): { cert: Buffer; key: Buffer } => {
    run('req', ...key, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`))
    writeFileSync(at(`${name}.ext`), `${extension}\n`)
    const ca = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial']
    run('x509', '-req', '-in', at(`${name}.csr`), ...ca, '-days', '2', '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`))
    return { cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)) }
  }
  authority('ca')
  authority('stranger')
  const server = signed('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost')
  const elsewhere = signed('elsewhere', 'subjectAltName=DNS:example.org')
  const client = signed('client', 'extendedKeyUsage=clientAuth')
  const clientFolder = (name: string, ca: string): string => {
    mkdirSync(at(name))
    writeFileSync(join(at(name), 'ca.pem'), readFileSync(at(`${ca}.pem`)))
    writeFileSync(join(at(name), 'cert.pem'), client.cert)
    writeFileSync(join(at(name), 'key.pem'), client.key)
    return at(name)
  }
  return {
    trusting: clientFolder('trusting', 'ca'),
    distrusting: clientFolder('distrusting', 'stranger'),
    server: { ...server, ca: readFileSync(at('ca.pem')) },
    elsewhere,
  }
}
