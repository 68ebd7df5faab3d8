/** MCPProxy's REST API on a socket, played from a recording. */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { packageRoot } from './package-root.ts'

interface RecordedAnswer {
  request: { path: string }
  status: number
  body: unknown
}

/** Its address, `unix:///…`. */
export async function recordedApi(t: TestContext, capture: string): Promise<string> {
  const recorded = join(packageRoot(), 'test/captures', capture, 'api')
  const answers = readdirSync(recorded).map((name) => JSON.parse(readFileSync(join(recorded, name), 'utf8')) as RecordedAnswer)
  const folder = mkdtempSync(join(tmpdir(), 'doctor-api-'))
  const socket = join(folder, 'mcpproxy.sock')
  const server = createServer((request, response) => {
    const answer = answers.find((a) => a.request.path.split('?')[0] === request.url?.split('?')[0])
    response.writeHead(answer?.status ?? 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer?.body ?? {}))
  })
  server.listen(socket)
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return `unix://${socket}`
}
