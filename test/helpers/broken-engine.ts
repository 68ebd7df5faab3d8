/** A Docker engine that answers from a recording, up to the place where it breaks. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { packageRoot } from './package-root.ts'

export type Breakage =
  | 'none'
  | 'missing'
  | 'refused'
  | 'killed'
  | 'silent'
  | 'silent-after-version'
  | 'reset'
  | 'reset-in-body'
  | 'stalls-in-body'
  | 'http-500'
  | 'html'
  | 'garbage'
  | 'no-json'

const recorded = (name: string): string => readFileSync(join(packageRoot(), 'test/captures/0.60.0-healthy/docker', name), 'utf8')

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').replace(/^\/v[\d.]+/, '')
  response.setHeader('content-type', 'application/json')
  if (path.startsWith('/version')) response.end(recorded('version.json'))
  else if (path.startsWith('/info')) response.end(recorded('info.json'))
  else if (path.startsWith('/containers/json')) response.end(recorded('containers.json'))
  else if (path.startsWith('/events')) response.end(recorded('events.ndjson'))
  else if (path.startsWith('/networks')) response.end('[]')
  else response.writeHead(404).end('{"message":"no such thing"}')
}

function handle(breakage: Breakage, request: IncomingMessage, response: ServerResponse): void {
  const isVersion = request.url?.includes('/version') === true
  if (breakage === 'silent' || (breakage === 'silent-after-version' && !isVersion)) return
  if (breakage === 'reset') request.socket.destroy()
  else if (breakage === 'reset-in-body' || breakage === 'stalls-in-body') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{"Version": "20', () => {
      if (breakage === 'reset-in-body') request.socket.destroy()
    })
  } else if (breakage === 'http-500') response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"boom"}')
  else if (breakage === 'html') response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>')
  else if (breakage === 'no-json') response.writeHead(200, { 'content-type': 'application/json' }).end('{"Version": ')
  else answer(request, response)
}

/** Answers half a header and is gone: a daemon that is killed (SIGKILL) while it answers. */
const dyingEngine = `import net from 'node:net'
net.createServer((socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\\r\\nContent-Le', () => process.kill(process.pid, 'SIGKILL'))))
  .listen(process.argv[1], () => process.stdout.write('up'))`

/** Its address, `unix:///…`. */
export async function brokenEngine(t: TestContext, breakage: Breakage): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-engine-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const socket = join(folder, 'e.sock')
  const host = `unix://${socket}`
  if (breakage === 'missing') return host
  if (breakage === 'refused') {
    writeFileSync(socket, '')
    return host
  }
  if (breakage === 'killed') {
    const child = spawn(process.execPath, ['--input-type=module', '-e', dyingEngine, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    return host
  }
  const sockets = new Set<net.Socket>()
  const server =
    breakage === 'garbage'
      ? net.createServer((s) => s.on('data', () => s.end('SSH-2.0-OpenSSH_9.6\r\n')))
      : createServer((request, response) => handle(breakage, request, response))
  server.on('connection', (s: net.Socket) => {
    sockets.add(s)
    s.on('error', () => {})
  })
  server.listen(socket)
  await once(server, 'listening')
  t.after(() => {
    for (const s of sockets) s.destroy()
    server.close()
  })
  return host
}
