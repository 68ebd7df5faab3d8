/** The real engine behind a process of its own that breaks when a certain thing is asked. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/**
 * `dies`: 40 bytes of the answer, and the process is killed. `hangs`: 40 bytes and no more. `half`: 40 bytes, and this connection
 * is cut. `500`, `garbage`: another answer in its place. `none`: nothing breaks.
 */
export const faults = ['dies', 'hangs', 'half', '500', 'garbage'] as const
export type Fault = (typeof faults)[number] | 'none'

const proxy = `import net from 'node:net'
const [place, host, pattern, fault] = process.argv.slice(1)
const wanted = new RegExp(pattern)
const target = host.startsWith('unix://') ? { path: host.slice(7) } : { host: new URL(host).hostname, port: Number(new URL(host).port) }
const instead = {
  500: 'HTTP/1.1 500 Internal Server Error\\r\\ncontent-type: application/json\\r\\ncontent-length: 18\\r\\n\\r\\n{"message":"boom"}',
  garbage: '\\u0000\\u0001SSH-2.0-OpenSSH_9.6\\r\\n',
}
net.createServer({ allowHalfOpen: true }, (client) => {
  const engine = net.connect({ ...target, allowHalfOpen: true })
  let broken = false
  client.on('error', () => engine.destroy()).on('close', () => engine.destroy()).on('end', () => engine.end())
  engine.on('error', () => client.destroy()).on('end', () => broken || client.end())
  client.on('data', (data) => {
    if (broken) return
    const [first] = data.toString('latin1').split('\\r\\n')
    if (fault !== 'none' && / HTTP\\/1/.test(first) && wanted.test(first)) {
      broken = true
      process.stdout.write('!')
      if (instead[fault]) return client.end(instead[fault])
    }
    engine.write(data)
  })
  engine.on('data', (data) => {
    if (!broken) return client.write(data)
    engine.pause()
    client.write(data.subarray(0, 40), () => {
      if (fault === 'dies') process.kill(process.pid, 'SIGKILL')
      if (fault === 'half') client.destroy()
    })
  })
}).listen(place, () => process.stdout.write('up'))`

export interface FaultyEngine {
  /** For DOCKER_HOST. */
  host: string
  /** Was the thing asked for? A test in which nothing broke proves nothing. */
  broke(): boolean
}

/** `pattern`: of the first line of a request, e.g. `GET \\S*\/events`. */
export async function faultyEngine(t: TestContext, pattern: string, fault: Fault): Promise<FaultyEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-faulty-'))
  const place = join(folder, 'e.sock')
  const engine = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
  const child = spawn(process.execPath, ['--input-type=module', '-e', proxy, place, engine, pattern, fault], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  t.after(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  await once(child.stdout, 'data')
  return { host: `unix://${place}`, broke: () => said.includes('!') }
}
