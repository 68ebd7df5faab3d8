/** The host has proxy, index or certificate variables that the container does not get. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { flagValue } from '../formats/docker-run.ts'
import { baseName } from '../mcpproxy/images.ts'
import { since, type Version } from '../mcpproxy/versions.ts'
import type { ProgramErrorKind } from '../formats/program-error.ts'
import type { Remedy } from '../remedies/remedy.ts'
import type { ProxyEnvironment } from '../system/system.ts'
import { citeConfig, citeHost, citeLog } from './cite.ts'
import { callsDocker, effectiveRun, failure, passedVariables, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

interface Group {
  what: string
  names: RegExp
  /** Failures of package managers that these variables would prevent; of others the same text is less sure. */
  sure: ProgramErrorKind[]
  unsure: ProgramErrorKind[]
}
const groups: Group[] = [
  {
    what: 'proxy',
    names: /^(?:https?|all)_proxy$/i,
    sure: ['npm-network', 'uv-network', 'npm-dns', 'uv-dns'],
    unsure: ['connection-timeout', 'name-unresolved'],
  },
  {
    what: 'certificate',
    names: /^(?:NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|PIP_CERT|npm_config_cafile)$/i,
    sure: ['certificate'],
    unsure: [],
  },
  {
    what: 'index',
    names: /^(?:npm_config_registry|UV_.*INDEX.*|PIP_.*INDEX_URL)$/i,
    sure: ['npm-not-found', 'npm-no-version', 'uv-not-found', 'uv-no-version', 'npm-network', 'uv-network'],
    unsure: [],
  },
]

export default defineRule({
  code: 'host-env-not-passed',
  severity: 'error',
  title: 'The host has variables for its network that the container does not get',
  only: 'failed',
  needs: ['config', 'serverLog', 'environment'],
  uses: ['setup', 'image'],
  detect({ config, serverLog, environment }, { setup, image }, { version }) {
    const attempt = failure(serverLog)
    const run = effectiveRun(config, setup)?.run
    const { server } = config
    if (!attempt || !run || !server || !callsDocker(config) || flagValue(run, 'network') === 'none') return null
    const given = passedVariables(run, image)
    const has = new Set([...given.set, ...given.byNameOnly, ...(environment.clientProxies ?? [])].map((n) => n.toLowerCase()))
    for (const group of groups) {
      const missing = Object.keys(environment.env).filter((n) => environment.env[n] && group.names.test(n) && !has.has(n.toLowerCase()))
      const relevant = group.what === 'index' ? missing.filter((n) => forRunner(n, server.command)) : missing
      if (relevant.length === 0) continue
      const said = programSaid(serverLog, ...group.sure) ?? programSaid(serverLog, ...group.unsure)
      // A refused connection got through to a machine; it is not a proxy that is missing.
      const refused = attempt.stderr.some((l) => /ECONNREFUSED|connection refused/i.test(l.raw))
      const silent = group.what === 'proxy' && attempt.outcome === 'no-answer' && attempt.stderr.length === 0 && installs(server.command)
      if ((!said && !silent) || (said && refused && group.what === 'proxy')) continue
      // A package that an index does not know may be misspelt; and the docker client may add a proxy where nobody looked.
      const certain = group.what === 'certificate' || (group.what === 'proxy' && environment.clientProxies !== undefined)
      const sure = certain && said !== null && group.sure.includes(said.kind) && environment.source !== 'assumed'
      return {
        observations: ['serverLog', 'environment', 'config'],
        rank: sure ? 'supported' : 'suspected',
        facts: { variables: relevant, of: environment.source, dockerClientProxies: environment.clientProxies ?? null },
        cites: [
          citeHost(
            environment.source === 'assumed' ? 'environment of this program' : 'environment of MCPProxy',
            `has ${relevant.join(', ')}`,
          ),
          citeConfig(config, serverPath(server, 'env')),
          ...(said ? [citeLog(said.line)] : attempt.errorLine ? [citeLog(attempt.errorLine, attempt.error ?? undefined)] : []),
        ],
        detail: `A container gets only the env of its server, so ${relevant.join(', ')} ${relevant.length === 1 ? 'stays' : 'stay'} outside${
          environment.clientProxies === undefined && group.what === 'proxy'
            ? ' (unless the docker client adds it, which was not looked at)'
            : ''
        }. ${said ? 'What failed is what needs it.' : 'The package manager waits without a word for an address that it cannot reach directly.'}`,
        remedies: remedies(config, relevant, group.what, environment, version.value),
      }
    }
    return null
  },
})

const installs = (command: string): boolean => /^(?:npx|npm|uvx|uv|pipx|bunx|yarn)(?:\.\w+)?$/.test(baseName(command))
const forRunner = (name: string, command: string): boolean =>
  /^npm_/i.test(name) ? /^(?:npx|npm|yarn|pnpm|node)/.test(baseName(command)) : /^(?:uvx|uv|pip|pipx|python)/.test(baseName(command))

function remedies(config: ConfigEvidence, names: string[], what: string, environment: ProxyEnvironment, version: Version): Remedy[] {
  const { server } = config
  if (!server) return []
  if (what === 'certificate')
    return [
      { kind: 'instruction', title: `Mount the certificate file and name its place in the container with ${names.join(', ')} in env.` },
    ]
  // On the host's own loopback the proxy is out of reach for a container, under whatever name.
  const local = names.filter((n) => /^(?:\w+:\/\/)?(?:[^@/]*@)?(?:localhost|127\.|\[::1\])/.test(environment.env[n] ?? ''))
  if (local.length > 0 || environment.source === 'assumed' || !since(version, 'envReferences'))
    return [
      {
        kind: 'instruction',
        title: `Name ${names.join(', ')} in the env of the server${local.length > 0 ? ', with an address that a container reaches instead of localhost' : ''}.`,
      },
    ]
  return [
    {
      kind: 'config-edit',
      class: 'network',
      title: 'Pass them on from the environment of MCPProxy',
      because: 'MCPProxy replaces ${env:NAME} at the start, so that no value has to stand in the file',
      edits: names.map((name) => ({ path: serverPath(server, 'env', name), value: `\${env:${name}}` })),
    },
  ]
}
