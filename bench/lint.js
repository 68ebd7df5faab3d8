/**
 * lint on 5,000 servers beside `JSON.parse` and one walk over the values, in turns in one process, from the bytes of the file
 * on: `node bench/lint.js FILE ROUNDS` prints the milliseconds of each round.
 */
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The yardstick, as a script too: for whole processes. */
const walk = (value) =>
  typeof value === 'object' && value !== null ? Object.values(value).reduce((n, v) => n + walk(v), 1) : String(value).length > 0 ? 1 : 0
export const parseScript = `const walk = ${String(walk)}; console.log(walk(JSON.parse(require('fs').readFileSync(process.argv[1], 'utf8'))))`

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

/** As MCPProxy writes it: two blanks for each level. 2.5 MB for 5,000 servers. */
export function writeConfig(file, servers) {
  const config = { docker_isolation: { enabled: true }, mcpServers: Array.from({ length: servers }, (_, i) => server(i)) }
  fs.writeFileSync(file, JSON.stringify(config, null, 2))
}

async function main([file, rounds]) {
  const { lintText } = await import('../dist/lib/workflow/lint.js')
  const { newestKnown } = await import('../dist/lib/mcpproxy/versions.js')
  const bytes = fs.readFileSync(file)
  const options = { version: newestKnown, platform: 'linux', now: new Date(), select: null, ignore: new Set() }
  const time = (work) => {
    const start = performance.now()
    work()
    return performance.now() - start
  }
  const result = { lint: [], parse: [] }
  for (let i = 0; i < Number(rounds); i++) {
    result.parse.push(time(() => walk(JSON.parse(bytes.toString('utf8')))))
    result.lint.push(time(() => lintText(file, bytes, options)))
  }
  console.log(JSON.stringify(result))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
