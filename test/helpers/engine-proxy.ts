/**
 * A socket in front of the engine that writes down every request which changes something, so that a test can say what
 * was done by the code under test, also on an engine that others use at the same time.
 */
import fs from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

export interface EngineProxy {
  /** For `--docker-host` and DOCKER_HOST. */
  host: string
  /** In order; `body` of a creation only. */
  requests: { method: string; path: string; body: string }[]
  close(): Promise<void>
}

export async function engineProxy(engine = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'): Promise<EngineProxy> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'engine-proxy-'))
  const socket = path.join(folder, 'docker.sock')
  const requests: EngineProxy['requests'] = []
  const open = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const upstream = net.connect({ path: engine.replace(/^unix:\/\//, ''), allowHalfOpen: true })
    let hijacked = false
    let creating: { body: string } | null = null
    for (const side of [client, upstream]) {
      open.add(side)
      side.on('close', () => open.delete(side)).on('error', () => (client.destroy(), upstream.destroy()))
    }
    client.on('data', (chunk) => {
      if (hijacked) return
      const text = chunk.toString('latin1')
      const request = /^([A-Z]+) (\S+) HTTP\/1\.1\r\n/.exec(text)
      if (request === null) {
        if (creating !== null) creating.body += text
        return
      }
      const [, method = '', target = ''] = request
      creating = null
      if (/\r\nupgrade: /i.test(text)) hijacked = true
      if (method === 'GET' || method === 'HEAD') return
      const entry = { method, path: target.replace(/^\/v[\d.]+/, ''), body: '' }
      if (entry.path.startsWith('/containers/create')) {
        creating = entry
        entry.body = text.slice(text.indexOf('\r\n\r\n') + 4)
      }
      requests.push(entry)
    })
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((done) => server.listen(socket, done))
  return {
    host: `unix://${socket}`,
    requests,
    close: async () => {
      for (const side of open) side.destroy()
      await new Promise((done) => server.close(done))
      await fs.rm(folder, { recursive: true })
    },
  }
}
