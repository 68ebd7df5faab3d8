/** Many servers in one configuration, with one main.log that tells of all of them, and a log of each. */
import fs from 'node:fs'
import path from 'node:path'

const start = Date.UTC(2026, 10, 1)
const at = (ms) => new Date(start + ms).toISOString()

/** `folder`: new. Returns the flags that look there. */
export function manyServers(folder, count) {
  const logs = path.join(folder, 'logs')
  fs.mkdirSync(logs, { recursive: true })
  const names = Array.from({ length: count }, (_, i) => `server-${String(i).padStart(3, '0')}`)
  const server = (name) => ({ name, protocol: 'stdio', command: 'uvx', args: ['mcp-server-time'], enabled: true })
  const config = path.join(folder, 'mcp_config.json')
  fs.writeFileSync(config, JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: names.map(server) }, null, 2))
  const main = [`${at(0)} | INFO | cobra@v1.10.2/command.go:1015 | Starting mcpproxy | {"version": "v0.60.0", "edition": "personal"}`]
  names.forEach((name, i) => {
    const container = `mcpproxy-${name}-ab${(i % 36).toString(36)}d`
    const time = at(1000 + i)
    main.push(
      `${time} | INFO | core/connection_stdio.go:150 | Docker isolation setup completed | {"upstream_id": "${name}", "upstream_name": "${name}", "server": "${name}", "runtime_type": "uvx", "container_name": "${container}", "container_command": "uvx", "container_args": ["mcp-server-time"], "docker_run_args": ["run", "--rm", "-i", "--name", "${container}", "--label", "com.mcpproxy.server=${name}", "--network", "bridge", "--memory", "512m", "python:3.11"]}`,
    )
    const line = (ms, level, message, fields = {}) =>
      `${at(ms)} | ${level} | core/connection.go:1 | ${message} | ${JSON.stringify({ server: name, ...fields })}`
    const log = Array.from({ length: 5 }, (_, attempt) => 2000 + i + attempt * 60_000).flatMap((ms) => [
      line(ms, 'INFO', 'Starting connection attempt'),
      line(ms + 10, 'INFO', 'Docker isolation configured', { runtime_type: 'uvx', container_name: container, container_command: 'uvx' }),
      line(ms + 900, 'INFO', 'stderr', { message: 'docker: Error response from daemon: exec: "uvx": executable file not found in $PATH' }),
      line(ms + 950, 'ERROR', 'MCP initialize JSON-RPC call failed', { error: 'transport error: transport closed' }),
      line(ms + 960, 'INFO', 'stderr stream closed'),
      line(ms + 1000, 'ERROR', 'Connection failed', { transport: 'stdio', error: 'transport error: transport closed' }),
    ])
    fs.writeFileSync(path.join(logs, `server-${name}.log`), `${log.join('\n')}\n`)
  })
  fs.writeFileSync(path.join(logs, 'main.log'), `${main.join('\n')}\n`)
  return ['--config', config, '--log-dir', logs, '--data-dir', folder, '--api', 'http://127.0.0.1:9']
}
