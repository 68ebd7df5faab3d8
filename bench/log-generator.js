/**
 * A main.log like MCPProxy's, of any size, the same every time: line shapes of a real log, twenty servers, one start at
 * the beginning, one isolation event per 20,000 lines, now and then a line of some kilobytes with JSON in its payload.
 */
import fs from 'node:fs'

export const servers = Array.from({ length: 20 }, (_, i) => `s${String(i).padStart(2, '0')}`)

const random = (seed) => () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32

const setup = (time, server) =>
  `${time} | INFO | core/connection_stdio.go:150 | Docker isolation setup completed | {"upstream_id": "${server}", "upstream_name": "${server}", "server": "${server}", "runtime_type": "uvx", "container_name": "mcpproxy-${server}-ypwk", "container_command": "uvx", "container_args": ["mcp-server-time"], "docker_run_args": ["run", "--rm", "-i", "--name", "mcpproxy-${server}-ypwk", "--label", "com.mcpproxy.server=${server}", "--network", "bridge", "--memory", "512m", "python:3.11"]}`

/**
 * Writes at least `bytes` bytes. `last`: a server that is set up after all that, by a restart
 * 2000 lines from the end.
 */
export function writeLog(file, bytes, { last = null, seed = 1 } = {}) {
  const next = random(seed)
  const handle = fs.openSync(file, 'w')
  let at = Date.UTC(2026, 10, 1)
  const now = () => new Date((at += 1 + Math.floor(next() * 500))).toISOString()
  const start = () => `${now()} | INFO | cobra@v1.10.2/command.go:1015 | Starting mcpproxy | {"version": "v0.60.0", "edition": "personal"}`
  let lines = [start()]
  let written = 0
  let count = 0
  const flush = () => {
    if (lines.length === 0) return
    written += fs.writeSync(handle, `${lines.join('\n')}\n`)
    lines = []
  }
  while (written < bytes) {
    const server = servers[Math.floor(next() * servers.length)]
    const id = Math.floor(next() * 1e12).toString(36)
    const kind = next()
    if (++count % 20_000 === 0) lines.push(setup(now(), server))
    else if (kind < 0.004)
      lines.push(
        `${now()} | DEBUG | upstream/core/client.go:402 | Tool call result | {"server": "${server}", "result": "${`{\\"items\\":[{\\"id\\":\\"${id}\\",\\"name\\":\\"entry\\"}]} `.repeat(80)}"}`,
      )
    else if (kind < 0.5)
      lines.push(
        `${now()} | DEBUG | upstream/managed/client.go:613 | Health check passed for server | {"server": "${server}", "state": "Ready", "latency_ms": ${Math.floor(next() * 90)}, "request_id": "${id}", "next_check": "30s", "consecutive_failures": 0, "transport": "stdio", "tools_cached": ${Math.floor(next() * 40)}, "last_success": "2026-11-01T00:00:00Z"}`,
      )
    else
      lines.push(
        `${now()} | INFO | runtime/activity_service.go:259 | Tool call recorded in the activity log | {"server": "${server}", "tool": "get_${id.slice(0, 4)}", "session_id": "${id}", "duration_ms": ${Math.floor(next() * 900)}, "status": "success", "request_bytes": ${Math.floor(next() * 4000)}, "response_bytes": ${Math.floor(next() * 40_000)}, "user_agent": "client/1.0"}`,
      )
    if (lines.length >= 5000) flush()
  }
  flush()
  if (last !== null) {
    lines.push(start(), setup(now(), last))
    for (let i = 0; i < 2000; i++) lines.push(`${now()} | INFO | server/server.go:179 | Update checker tick ${i} | {"count": ${i}}`)
    flush()
  }
  // What is still to be written to disk would take a processor from whoever runs next.
  fs.fsyncSync(handle)
  fs.closeSync(handle)
}
