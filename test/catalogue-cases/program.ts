/** Causes in the program itself, its packages and its network; and what MCPProxy makes of them. */
import { attempt, container, life, mainLine, startedTogether } from '../helpers/synthetic.ts'
import { failed, flags, hung, node, npx, works, type Cases } from './case.ts'

const invalid = (server: Record<string, unknown>, text: string, answer: string): ReturnType<typeof failed> => {
  const parts = failed(server, [text])
  return { ...parts, serverLog: (parts.serverLog ?? []).map((l) => l.replace('transport closed', answer)) }
}
const proxy = { env: { HTTPS_PROXY: 'http://proxy.test:3128' }, clientProxies: [] }
const remote = { command: 'npx', args: ['-y', 'mcp-remote', 'http://host.docker.internal:8080/mcp'] }
const together = (apart: number): Partial<ReturnType<typeof hung>> => ({
  events: startedTogether(12, apart),
})
const gaveUp = mainLine(
  60,
  'Giving up automatic reconnection after max retries — use manual reconnect or reconnect-on-use',
  { server: 'web', retry_count: 20 },
  'WARN',
)
const canceled = (error: string): string =>
  mainLine(60, 'Tool call canceled/deadline by caller; not marking server unhealthy', { server: 'web', tool: 'slow', error }, 'WARN')

export const programCases: Cases = {
  'localhost-in-container': {
    near: failed({ ...npx, isolation: { network_mode: 'host' } }, ['Error: connect ECONNREFUSED 127.0.0.1:5432']),
  },
  'host-docker-internal': { near: failed(npx, ['Error: getaddrinfo ENOTFOUND db.internal']) },
  'host-loopback-only': {
    found: failed({ ...npx, env: { PGHOST: 'host.docker.internal' } }, ['Error: connect ECONNREFUSED 172.17.0.1:5432']),
    near: failed(npx, ['Error: connect ECONNREFUSED 10.1.2.3:5432']),
  },
  'container-dns': { near: failed(npx, ['Error: getaddrinfo EAI_AGAIN host.docker.internal']) },
  'tls-untrusted': { near: works(npx, ['warning: self-signed certificate of the cache accepted']) },
  'network-none': { near: failed(npx, ['Error: getaddrinfo EAI_AGAIN api.example.test']) },
  'host-header-refused': {
    found: failed(remote, ['Error: Error POSTing to endpoint (HTTP 421): 421 Misdirected Request']),
    near: failed(remote, ['Error: HTTP 401 Unauthorized']),
  },
  'package-index-unreachable': { near: failed(npx, ['Error: connect ECONNREFUSED 192.0.2.1:5432']) },
  'host-env-not-passed': {
    found: failed(
      npx,
      ['npm error code ETIMEDOUT', 'npm error request to https://registry.test/some-mcp failed, reason: connect ETIMEDOUT 192.0.2.1:443'],
      { environment: proxy },
    ),
    near: failed(npx, ['npm error code ECONNREFUSED'], { environment: proxy }),
  },
  'env-missing': { near: failed(npx, ['SENTRY_DSN is not set, error reporting disabled', 'TypeError: x is not a function']) },
  'env-flag-without-value': { near: failed(flags('-e', 'DEMO_API_KEY=x'), ['Error: DEMO_API_KEY is not accepted']) },
  'stdout-noise': {
    found: failed({ command: 'npx', args: ['-y', 'mcp-bridge'] }, ['Failed to parse JSONRPC message from server']),
    near: failed(npx, [`SyntaxError: Unexpected token 'A', "Azure" is not valid JSON`]),
  },
  'protocol-version': {
    found: invalid(npx, 'hello', 'unsupported protocol version: 2023-01-01'),
    near: works(npx, ['client asked for an old version, answering with 2025-06-18']),
  },
  'stdout-buffered': {
    found: hung({ command: 'python3', args: ['/srv/server.py'] }, ['started']),
    near: hung({ command: 'python3', args: ['-u', '/srv/server.py'] }, ['started']),
  },
  'speaks-http': {
    found: hung({ command: 'uvx', args: ['some-mcp'] }, ['INFO: Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)']),
    near: works(npx, ['dashboard listening on http://0.0.0.0:8000']),
  },
  'browser-sandbox': {
    found: failed(npx, ['[FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox! If you are running on Ubuntu 23.10+ …']),
    near: works(npx, ['No usable sandbox! Falling back to --no-sandbox']),
  },
  'browser-profile-locked': {
    found: failed(npx, [
      'Error: Browser is already in use for /data/profile, use --isolated to run multiple instances of the same browser',
    ]),
    near: failed(npx, ['Error: listen EADDRINUSE: address already in use :::9222']),
  },
  'package-unknown': { near: works(npx, ['npm error code E404']) },
  'executable-name-differs': { near: failed(node, ['sh: 1: ffmpeg: not found'], { exit: 127 }) },
  'cache-damaged': { near: failed(npx, ['Error: the index seems to be old. Trying again.']) },
  'sdk-major-release': {
    found: failed({ command: 'uvx', args: ['duckduckgo-mcp-server'] }, ["ModuleNotFoundError: No module named 'mcp.server.fastmcp'"]),
    near: failed({ command: 'uvx', args: ['--with', 'mcp<2', 'duckduckgo-mcp-server'] }, [
      "ModuleNotFoundError: No module named 'mcp.server.fastmcp'",
    ]),
  },
  'host-path-not-mounted': { near: failed(node, ["Error: ENOENT: no such file or directory, open '/tmp/cache.json'"]) },
  'start-too-slow': { near: hung(npx, ['waiting for a login']) },
  'start-stampede': { found: hung(npx, [], together(0.5)), near: hung(npx, [], together(60)) },
  'client-timeout': {
    found: works(npx, [], { mainLog: [canceled('context canceled')] }),
    near: works(npx, [], { mainLog: [canceled('context deadline exceeded')] }),
  },
  'retry-cap-reached': {
    found: failed(npx, ['x'], { mainLog: [gaveUp] }),
    near: failed(npx, ['x'], { mainLog: [gaveUp.replace('"web"', '"api"')] }),
  },
  // A symptom: it ended because somebody removed its container, or docker ended and it did not.
  'server-crash': {
    near: {
      ...failed(npx),
      events: life({
        then: [
          [0.1, 'create'],
          [0.3, 'start'],
        ],
      }),
      containers: [container({})].map((c) => ({ ...(c as object), Id: 'id-mcpproxy-web-ab12' })),
    },
  },
  'no-answer': { near: { ...works(npx), serverLog: attempt({ end: ['connected', 29] }) } },
}
