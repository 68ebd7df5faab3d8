/** A healthy server for a live check: the recorded configuration, logs and API of one, and a container that runs. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'

/** `folder`: for all of it, new. Returns the flags that look there, the socket of the API, and what ends it. */
export async function healthyServer(root, folder) {
  const capture = path.join(root, 'test/captures/0.60.0-healthy')
  const { recordedAt } = JSON.parse(fs.readFileSync(path.join(capture, 'capture.json'), 'utf8'))
  // A name of its own: the engine's events may still tell of an earlier one.
  const suffix = Math.random().toString(36).slice(2, 6).padEnd(4, 'x')
  const here = (text) => text.replaceAll('/home/user', folder).replaceAll('mcpproxy-good-ypwk', `mcpproxy-good-${suffix}`)
  const copy = (from, to, change) => {
    fs.mkdirSync(path.join(folder, to), { recursive: true })
    for (const name of fs.readdirSync(path.join(capture, from)))
      fs.writeFileSync(path.join(folder, to, name), change(here(fs.readFileSync(path.join(capture, from, name), 'utf8'))))
  }
  // The server was stopped after it had been recorded.
  const until = (text) =>
    text
      .split('\n')
      .filter((line) => line.slice(0, recordedAt.length) < recordedAt)
      .join('\n') + '\n'
  copy('home/.mcpproxy', '.mcpproxy', (text) => text)
  copy('home/.local/state/mcpproxy/logs', 'logs', until)
  copy('api', 'api', (text) => text)
  const name = /mcpproxy-good-\w+/.exec(fs.readFileSync(path.join(folder, 'logs/server-good.log'), 'utf8'))[0]

  const socket = path.join(folder, 'api.sock')
  const api = spawn(process.execPath, [path.join(root, 'bench/api.js'), path.join(folder, 'api'), socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(api.stdout, 'data')
  const labels = { server: 'good', managed: 'true', created: String(api.pid) }
  const flags = Object.entries(labels).flatMap(([key, value]) => ['--label', `com.mcpproxy.${key}=${value}`])
  const started = spawnSync('docker', ['run', '-d', '--rm', '--name', name, ...flags, 'node:20', 'sleep', '3600'], { encoding: 'utf8' })
  const end = () => {
    api.kill()
    spawnSync('docker', ['rm', '-f', name], { stdio: 'ignore' })
  }
  if (started.status !== 0) {
    end()
    throw new Error(started.stderr)
  }
  const data = path.join(folder, '.mcpproxy')
  const place = ['--config', `${data}/mcp_config.json`, '--log-dir', `${folder}/logs`, '--data-dir', data, '--api', `unix://${socket}`]
  return { place, socket, end }
}
