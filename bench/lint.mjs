// lint on 5,000 servers against JSON.parse and one walk over the same text, in turns: `npm run build && node bench/lint.mjs
// [ROUNDS] [SERVERS]`. Each round is a process of its own, as a user has it, and only the work is timed, not the start of node.
// Ends with 1 when the median ratio or the memory is over its limit.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const limits = { ratio: 10, megabytes: 300 }

function server(i) {
  const kinds = [
    { command: 'docker', args: ['run', '-i', '--rm', '-e', 'API_TOKEN', `mcp/server-${i}`], isolation: { enabled: false } },
    { command: 'uvx', args: [`mcp-server-${i}`, '--port', `${i}`], isolation: { enabled: true } },
    { command: 'npx', args: ['-y', `@example/server-${i}`], isolation: { network_mode: 'bridge' } },
    { command: 'node', args: [`/srv/mcp/${i}.mjs`], isolation: { extra_args: ['-v', '/srv/mcp:/srv/mcp:ro'] } },
    // One in a hundred is wrong.
    i % 100 === 4 ? { command: 'bunx', args: [`server-${i}`] } : { command: 'python', args: ['-m', `server_${i}`] },
  ]
  return {
    name: `server-${i}`,
    protocol: 'stdio',
    enabled: true,
    quarantined: false,
    env: { API_TOKEN: `tok-${i}-0123456789abcdef`, LOG_LEVEL: 'info', REGION: 'eu-west-1' },
    created: '2026-11-23T16:30:02.633672004Z',
    updated: '0001-01-01T00:00:00Z',
    ...kinds[i % 5],
  }
}

const walk = (value) =>
  typeof value === 'object' && value !== null ? Object.values(value).reduce((n, v) => n + walk(v), 1) : String(value).length > 0 ? 1 : 0

async function work(kind, file) {
  const bytes = readFileSync(file)
  let found
  const { lintText } = await import('../dist/lib/workflow/lint.js')
  const { newestKnown } = await import('../dist/lib/mcpproxy/versions.js')
  const start = performance.now()
  if (kind === 'parse') found = walk(JSON.parse(bytes.toString('utf8')))
  else
    found = lintText(file, bytes, { version: newestKnown, platform: 'linux', now: new Date(), select: null, ignore: new Set() }).findings
      .length
  const ms = performance.now() - start
  console.log(JSON.stringify({ ms, found, megabytes: process.resourceUsage().maxRSS / 1024 }))
}

const run = (kind, file) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--work', kind, file], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

if (process.argv[2] === '--work') await work(process.argv[3], process.argv[4])
else {
  const rounds = Number(process.argv[2] ?? 7)
  const servers = Number(process.argv[3] ?? 5000)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'doctor-bench-'))
  try {
    const file = path.join(folder, 'mcp_config.json')
    const config = { docker_isolation: { enabled: true }, mcpServers: Array.from({ length: servers }, (_, i) => server(i)) }
    writeFileSync(file, JSON.stringify(config, null, 2))
    const pairs = Array.from({ length: rounds }, () => ({ parse: run('parse', file), lint: run('lint', file) }))
    const [parse, lint] = [median(pairs.map((p) => p.parse.ms)), median(pairs.map((p) => p.lint.ms))]
    const ratio = median(pairs.map((p) => p.lint.ms / p.parse.ms))
    const megabytes = Math.max(...pairs.map((p) => p.lint.megabytes))
    console.log(`${servers} servers, ${pairs[0].lint.found} findings`)
    console.log(`JSON.parse and one walk  ${parse.toFixed(0)} ms`)
    console.log(`lint                     ${lint.toFixed(0)} ms   ratio ${ratio.toFixed(1)} (limit ${limits.ratio})`)
    console.log(`memory                   ${megabytes.toFixed(0)} MiB (limit ${limits.megabytes})`)
    if (ratio > limits.ratio || megabytes > limits.megabytes) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
