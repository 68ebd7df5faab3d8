/**
 * A recorded run of `docker run` as the capture of a user whose MCPProxy v0.60 ran it: the configuration that leads to these
 * arguments, the log lines that MCPProxy writes about them, and what the engine and the host then tell. Synthetic only
 * in what MCPProxy adds; what docker said and did is recorded. Needs the built modules.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseDockerRun } from '../dist/lib/formats/docker-run.js'
import { globalConfig, parseConfig, serverEntries } from '../dist/lib/formats/mcp-config.js'
import { containerCommand, isolatedRun } from '../dist/lib/mcpproxy/isolation.js'
import { parseVersion } from '../dist/lib/mcpproxy/versions.js'
import { resolveEndpoint, publicEndpoint } from '../dist/lib/system/docker-endpoint.js'

const fixture = JSON.parse(readFileSync(fileURLToPath(new URL('../test/fixtures/docker-recordings.json', import.meta.url)), 'utf8'))
export const recordings = fixture.recordings

const start = Date.parse('2026-11-23T10:00:00.000Z')
const deadlineMs = 30_000
const release = parseVersion('v0.60.0')
const home = '/home/user'
const desktop = { file: `${home}/.docker/desktop/docker.sock`, name: 'desktop-linux' }

/** How the address of the engine answered in those recordings that are about it; all others had a working engine. */
const answers = {
  'engine-socket-missing': ['unreachable', 'missing', 'There is no socket there.'],
  'engine-tcp-refused': ['unreachable', 'refused', 'The connection was refused.'],
  'engine-host-malformed': ['unreachable', 'refused', 'The connection was refused.'],
  'engine-socket-stale': ['unreachable', 'refused', 'The connection was refused.'],
  'engine-socket-is-a-file': ['unreachable', 'refused', 'The connection was refused.'],
  'engine-socket-hangs': ['timed-out', 'timed-out', 'No answer in time.'],
  'engine-socket-closes': ['failed', 'failed', 'The connection was closed before the answer was complete.'],
  'engine-socket-garbage': ['failed', 'not-docker', 'What answers there does not speak HTTP.'],
  'engine-permission-denied': ['denied', 'denied', 'The operating system does not let this user connect.'],
  'engine-stopped-midway': ['unreachable', 'missing', 'There is no socket there.'],
  'engine-killed-midway': ['unreachable', 'refused', 'The connection was refused.'],
  'context-elsewhere': ['unreachable', 'missing', 'There is no socket there.'],
}
/** What the host then has at paths that the arguments name; everything else below /srv/mcp is there, and no other path is. */
const hostFiles = {
  'absolute-path-of-host': { '/opt/homebrew/bin/uvx': 'file' },
  'host-file-missing-node': { '/home/user/server/index.js': 'file' },
  'host-file-missing-python': { '/home/user/server/main.py': 'file' },
  'bind-v-missing': { '/srv/mcp-missing': 'directory' },
  'bind-file-missing': { '/srv/mcp-missing.json': 'directory' },
  'engine-socket-is-a-file': { '/tmp/lab-file.sock': 'file' },
  'engine-permission-denied': { '/var/run/docker.sock': 'socket' },
  // Whoever killed docker killed MCPProxy too.
  'client-killed': { '/proc/1': 'directory', '/proc/4242': null },
}
const dockerFiles = {
  'context-elsewhere': {
    [`${home}/.docker/config.json`]: { currentContext: desktop.name },
    [`${home}/.docker/contexts/meta/${createHash('sha256').update(desktop.name).digest('hex')}/meta.json`]: {
      Name: desktop.name,
      Endpoints: { docker: { Host: `unix://${desktop.file}` } },
    },
  },
}
const programs = {
  node: ['node', 'npm', 'npx', 'yarn', 'corepack', 'docker-entrypoint.sh']
    .map((n) => `/usr/local/bin/${n}`)
    .concat('/bin/sh', '/bin/bash', '/usr/bin/env'),
  python: ['/usr/bin/python', '/usr/bin/python3', '/usr/bin/pip', '/usr/bin/pip3', '/bin/sh', '/bin/bash', '/usr/bin/env'],
  alpine: ['/bin/sh', '/bin/busybox', '/usr/bin/env'],
  everything: ['/usr/local/bin/node', '/usr/local/bin/npm', '/usr/local/bin/npx', '/usr/local/bin/docker-entrypoint.sh', '/bin/sh'],
}

// What MCPProxy takes by itself for these.
const alpine = 'docker.io/library/alpine:3.18'
const shells = /^(?:\/bin\/)?(?:ba)?sh$/

/** The server's entry and the global block that lead MCPProxy to these arguments. */
function configured(recording) {
  // One of them was run through a shell, as one word.
  const whole = recording.argv.flatMap((word) => (word.startsWith('docker ') ? word.split(' ') : word))
  const run = whole.slice(whole.indexOf('docker') + 1)
  const args = []
  for (let i = 0; i < run.length; i++) {
    if (run[i] === '--cidfile') i++
    else args.push(run[i])
  }
  const { imageIndex } = parseDockerRun(args)
  const command = args.slice(imageIndex + 1)
  // MCPProxy wraps no server that has no command, or docker for one, and runs `/usr/local/bin/uvx` as `uvx`.
  const own =
    command.length === 0 ||
    /docker/.test(command[0]) ||
    containerCommand({ command: command[0], args: [] }, release).command !== command[0] ||
    ['tty-t-without-i', 'no-interactive', 'flag-after-image'].includes(recording.recording)
  const isolation = {}
  const global = { enabled: true }
  const env = {}
  const extra = []
  let i = 1
  const take = () => args[++i]
  for (; i < imageIndex; i++) {
    const word = args[i]
    if (word === '--rm' || (word === '-i' && !own)) continue
    if (word === '--name' || word === '--label' || word === '--log-opt') take()
    else if (own) extra.push(word)
    else if (word === '--log-driver') global.log_driver = take()
    else if (word === '--network' && extra.length === 0) isolation.network_mode = take()
    else if (word === '--memory' && extra.length === 0) global.memory_limit = take()
    else if (word === '--cpus' && extra.length === 0) global.cpu_limit = take()
    else if (word === '--workdir' && extra.length === 0) isolation.working_dir = take()
    else if (word === '-v' && /^mcpproxy-\w+-cache:/.test(args[i + 1])) take()
    else if (word === '-e' && extra.length === 0) {
      const [name, ...value] = take().split('=')
      env[name] = value.join('=')
    } else extra.push(word)
  }
  if (isolation.network_mode === 'bridge') delete isolation.network_mode
  if (global.memory_limit === '512m') delete global.memory_limit
  if (global.cpu_limit === '1.0') delete global.cpu_limit
  const image = args[imageIndex]
  const name = recording.recording
  const entry = own
    ? { name, enabled: true, quarantined: false, command: 'docker', args: ['run', '--rm', ...extra, image, ...command] }
    : {
        name,
        enabled: true,
        quarantined: false,
        command: command[0],
        args: command.slice(1),
        ...(Object.keys(env).length === 0 ? {} : { env }),
        isolation: {
          ...isolation,
          ...(image === alpine && shells.test(command[0]) ? {} : { image }),
          ...(extra.length === 0 ? {} : { extra_args: extra }),
        },
      }
  // Only runners of packages would be missed by the doctor without a cache.
  if (command[0] === 'npx' && args.includes('--label') && !args.some((a) => /^mcpproxy-\w+-cache:/.test(a)))
    global.enable_cache_volume = false
  const containerName = args.includes('--name') ? args[args.indexOf('--name') + 1] : `mcpproxy-${name}-x1y2`
  const config = JSON.stringify({ docker_isolation: global, mcpServers: [entry] }, null, 2)
  return { own, entry, image, command, containerName, config, runArgs: own ? [] : argumentsOf(config, containerName) }
}

/** `docker_run_args` that MCPProxy v0.60 makes of a configuration. */
function argumentsOf(config, containerName) {
  const document = parseConfig('mcp_config.json', Buffer.from(config))
  const { tokens } = isolatedRun(serverEntries(document)[0], globalConfig(document), release)
  const list = tokens.flatMap((t) => t.tokens)
  const known = [
    [/^mcpproxy-.*-xxxx$/, containerName],
    [/INSTANCE$/, '5f0c7a52-3c1e-4a55-9d2e-0d7d5b6f4c11'],
    [/=PID$/, '=4242'],
  ]
  return list.map((word) => known.reduce((text, [pattern, value]) => text.replace(pattern, value), word))
}

const at = (ms) => new Date(start + ms).toISOString()
const line = (ms, message, fields, level = 'INFO') => `${at(ms)} | ${level} | x/y.go:1 | ${message} | ${JSON.stringify(fields)}`

/** `waited`: no answer until the time was up. `works`: it ended only because the recording did. `lost`: docker, and MCPProxy with it, was killed. */
function outcomeOf(variant) {
  const waited = variant.handshake === 'no answer' || variant.gaveUpAfterMs !== undefined
  const lost = variant.exitCode === null
  const connected = !waited && variant.handshake === 'ok'
  return { waited: waited && !lost, lost, connected, works: connected && variant.exitCode === 0 }
}

function logs(variant, made) {
  const { name: server } = made.entry
  const ids = { upstream_id: server, upstream_name: server, server }
  const { waited, connected, works, lost } = outcomeOf(variant)
  const own = [
    line(0, 'Starting connection attempt', { server, transport: 'stdio', url: '', command: made.entry.command, protocol: 'stdio' }),
  ]
  const main = [
    line(-5000, 'Starting mcpproxy', { version: 'v0.60.0', edition: 'personal' }),
    line(0, 'Connecting to upstream MCP server', { ...ids, url: '', command: made.entry.command, protocol: 'stdio' }),
    line(2, 'Checking for existing containers before creation', { ...ids, name_pattern: `mcpproxy-${server}-` }),
  ]
  if (!made.own) {
    const told = { runtime_type: made.command[0].split('/').at(-1), container_name: made.containerName, container_command: made.command[0] }
    own.push(line(10, 'Docker isolation configured', { server, ...told }))
    main.push(
      line(9, 'Docker isolation enabled for server', { ...ids, original_command: made.entry.command }),
      line(10, 'Docker isolation setup completed', {
        ...ids,
        ...told,
        container_args: made.command.slice(1),
        docker_run_args: made.runArgs,
      }),
    )
  }
  const end = 20 + (waited ? deadlineMs : connected ? (variant.handshakeMs ?? 500) : variant.durationMs)
  for (const [i, message] of variant.stderr.entries()) {
    const ms = waited ? 600 + i : Math.max(20, end - 20 - variant.stderr.length + i)
    own.push(line(ms, 'stderr', { server, message }))
    main.push(line(ms, 'stderr output', { ...ids, message }))
  }
  const closed = line(end + 2, 'stderr stream closed', { server })
  if (connected) {
    own.push(
      line(end, 'MCP initialization completed successfully', {
        server,
        server_name: 'lab',
        server_version: '1.0.0',
        protocol_version: '2025-06-18',
      }),
      line(end + 1, 'Successfully connected and initialized', { server, transport: 'stdio', server_name: 'lab', server_version: '1.0.0' }),
    )
    if (!works) {
      const over = 20 + variant.durationMs
      own.push(line(over, 'stderr stream closed', { server }))
      main.push(line(over, 'Stderr stream ended', ids))
    }
  } else if (!lost) {
    const raw = `transport error: ${waited ? 'context deadline exceeded' : 'transport closed'}`
    const recent = variant.stderr
      .slice(-20)
      .map((l) => `\n  | ${l.slice(0, 512)}`)
      .join('')
    const what = waited
      ? `server did not respond to MCP initialize within 30s${recent ? ` (subprocess may have crashed or printed to stderr instead of stdout); recent stderr:${recent}` : ' and produced no stderr output (check that the command starts an MCP server and not a help banner)'}`
      : `server process exited before completing the MCP initialize handshake${recent ? `; recent stderr:${recent}` : ' and produced no stderr output (transport closed before the handshake)'}`
    const error = `stdio transport (command="/bin/bash", docker_isolation=true): ${what}: ${raw}`
    own.push(
      line(end, 'MCP initialize JSON-RPC call failed', { server, error: raw }, 'ERROR'),
      closed,
      line(end + 15, 'Connection failed', { server, transport: 'stdio', error }, 'ERROR'),
    )
    main.push(line(end + 2, 'Stderr stream ended', ids), line(end + 20, 'Connection error', { server, error, retry_count: 1 }, 'ERROR'))
  }
  const sorted = (lines) =>
    lines
      .map((text, i) => ({ text, i }))
      .sort((a, b) => a.text.slice(0, 24).localeCompare(b.text.slice(0, 24)) || a.i - b.i)
      .map((l) => l.text)
  return { own: sorted(own), main: sorted(main) }
}

/** The engine's events in the user's time: what came when the recording gave up comes when MCPProxy does. */
function eventsOf(recording, variant, made) {
  const labels = {
    'com.mcpproxy.managed': 'true',
    'com.mcpproxy.server': made.entry.name,
    'com.mcpproxy.created': '4242',
    'com.mcpproxy.instance': '5f0c7a52-3c1e-4a55-9d2e-0d7d5b6f4c11',
  }
  const list = variant.events ?? recording.variants[0].events ?? []
  const gaveUp = variant.events ? variant.gaveUpAfterMs : recording.variants[0].gaveUpAfterMs
  const end = list.find(([, type, action]) => outcomeOf(variant).works && type === 'container' && (action === 'kill' || action === 'die'))
  return (end ? list.slice(0, list.indexOf(end)) : list).map(([ms, Type, Action, id, attributes]) => {
    const late = gaveUp !== undefined && ms >= gaveUp - 500
    const time = start + 30 + ms + (late ? deadlineMs - gaveUp + 200 : 0)
    const mine = Type === 'container' && attributes.name === made.containerName
    const Attributes = { ...attributes, ...(mine && !made.own ? labels : {}), ...(mine && made.own ? { name: 'clever_merkle' } : {}) }
    return {
      Type,
      Action,
      Actor: { ID: createHash('sha256').update(`${recording.recording} ${id}`).digest('hex'), Attributes },
      time: Math.floor(time / 1000),
      timeNano: time * 1e6,
    }
  })
}

/** Containers that the events leave behind. */
function containersOf(events) {
  const states = new Map()
  for (const e of events.filter((e) => e.Type === 'container')) {
    if (e.Action === 'create') states.set(e.Actor.ID, { event: e, state: 'created' })
    const seen = states.get(e.Actor.ID)
    if (seen && e.Action === 'start') seen.state = 'running'
    if (seen && e.Action === 'pause') seen.state = 'paused'
    if (seen && e.Action === 'unpause') seen.state = 'running'
    if (e.Action === 'destroy') states.delete(e.Actor.ID)
  }
  return [...states.values()].map(({ event, state }) => ({
    Id: event.Actor.ID,
    Names: [`/${event.Actor.Attributes.name}`],
    Image: event.Actor.Attributes.image,
    ImageID: 'sha256:1',
    Command: '',
    Created: event.time,
    State: state,
    Status: 'Up 1 minute',
    Labels: Object.fromEntries(Object.entries(event.Actor.Attributes).filter(([key]) => key.startsWith('com.mcpproxy.'))),
  }))
}

/** The files of the capture, by name. `variant`: one of the recording's. */
export async function captureOf(recording, variant) {
  const made = configured(recording)
  const name = recording.recording
  const events = eventsOf(recording, variant, made)
  const log = logs(variant, made)
  const { works, lost } = outcomeOf(variant)
  const env = { HOME: home, PATH: '/usr/bin:/bin', ...recording.env }
  const disk = dockerFiles[name] ?? {}
  const endpoint = publicEndpoint(
    await resolveEndpoint({
      env,
      home,
      platform: 'linux',
      whose: 'the MCPProxy process',
      read: (path) => Promise.resolve({ ok: true, value: disk[path] ? Buffer.from(JSON.stringify(disk[path])) : null }),
    }),
  )
  const [kind, why, message] = endpoint.problem === null ? (answers[name] ?? []) : ['failed', 'misconfigured', endpoint.problem]
  const engine = variant.engine.startsWith('28') ? '28.5' : '20.10'
  const failed = kind === undefined ? null : { error: { kind, why, message } }
  const version = {
    Version: variant.engine,
    ApiVersion: engine === '28.5' ? '1.51' : '1.41',
    MinAPIVersion: engine === '28.5' ? '1.24' : '1.12',
  }
  const files = new Map()
  const json = (file, value) => files.set(file, JSON.stringify(value, null, 1))
  json('capture.json', {
    format: 'mcpproxy-doctor-capture/1',
    recordedAt: at(Math.max(60_000, variant.durationMs + 30_000)),
    platform: 'linux',
    home,
    config: 'home/.mcpproxy/mcp_config.json',
    logs: 'home/.local/state/mcpproxy/logs',
    mcpproxy: { version: 'v0.60.0', running: !lost },
    docker: endpoint,
  })
  files.set('home/.mcpproxy/mcp_config.json', made.config)
  files.set('home/.local/state/mcpproxy/logs/main.log', `${log.main.join('\n')}\n`)
  files.set(`home/.local/state/mcpproxy/logs/server-${name}.log`, `${log.own.join('\n')}\n`)
  if (!lost) {
    const answer = (file, path, data) =>
      json(`api/${file}.json`, { request: { method: 'GET', path }, status: 200, body: { success: true, data } })
    answer('servers', '/api/v1/servers', {
      servers: [{ name, enabled: true, quarantined: false, connected: works, tool_count: works ? 1 : 0 }],
    })
    answer('info', '/api/v1/info', { version: 'v0.60.0', pid: 4242 })
  }
  json('docker/version.json', failed ?? version)
  json('docker/info.json', failed ?? fixture.engines[engine])
  json('docker/containers.json', failed ?? containersOf(events))
  json('docker/networks.json', failed ?? ['bridge', 'host', 'none'].map((Name) => ({ Name })))
  if (failed) json('docker/events-error.json', failed)
  else files.set('docker/events.ndjson', events.map((e) => JSON.stringify(e)).join('\n'))
  const image = fixture.images[made.image] ?? fixture.images[`docker.io/library/${made.image}`]
  const has = Object.keys(programs).find((key) => made.image.includes(key))
  json(
    `docker/images/${made.image.replaceAll(/[^\w.-]+/g, '_')}.json`,
    failed ??
      (image
        ? { image: made.image, inspect: { Architecture: 'amd64', Os: 'linux', ...image }, programs: programs[has] }
        : { image: made.image, error: 'no such image' }),
  )
  const paths = {}
  for (const word of [...made.entry.args, made.entry.command, ...(made.entry.isolation?.extra_args ?? [])])
    for (const path of word.split(/[:=,]/))
      if (path.startsWith('/'))
        paths[path] = /^\/srv\/mcp(?:\/|$)/.test(path) ? (/\.\w+$|program$/.test(path) ? 'file' : 'directory') : null
  Object.assign(paths, hostFiles[name])
  json(
    'host/files.json',
    Object.fromEntries(
      Object.entries(paths).map(([path, type]) => [
        path,
        type ? { type, mode: type === 'file' ? '0644' : '0755', uid: 0, gid: 0, size: 100 } : { error: 'ENOENT' },
      ]),
    ),
  )
  json('host/environment.json', {
    user: { uid: 1000, gid: 1000, groups: name === 'engine-permission-denied' ? ['user'] : ['user', 'docker'] },
    env,
    programs: { docker: name === 'client-missing' ? null : '/usr/bin/docker', node: null, npx: null },
  })
  return { files, server: name }
}
