/** network_mode names a network that does not exist. */
import type { ConfigEvidence, DockerEngine } from '../evidence/evidence.ts'
import { flagValue } from '../formats/docker-run.ts'
import type { ConfigPath } from '../formats/mcp-config.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { citeConfig, citeEngine } from './cite.ts'
import { configFlag, dockerFailure, effectiveRun, refusal, story } from './helpers.ts'
import { defineRule } from './rule.ts'

const builtIn = /^(?:bridge|host|none|default|nat|container:.*|)$/

export default defineRule({
  code: 'network-unknown',
  severity: 'error',
  title: 'The container is to join a network that does not exist',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'engine', 'setup'],
  detect({ config }, { serverLog, events, engine, setup }) {
    const run = effectiveRun(config, setup)?.run
    const asked = run ? flagValue(run, 'network') : null
    const refusedBy = dockerFailure(serverLog, 'network-unknown', 'container-missing')
    // network_mode "container:NAME" shares the network of another container.
    const shared = refusedBy?.kind === 'container-missing'
    const said = shared && !asked?.startsWith('container:') ? null : refusedBy
    const name = shared ? asked : (said?.subject ?? asked)
    const absent = name !== null && !builtIn.test(name) && engine?.networks != null && !engine.networks.includes(name)
    if (!said && !(absent && !serverLog?.failed)) return null
    const flag = configFlag(config, 'network')
    const mine = flag && flag.flag.value === name ? flag : null
    const refused = said ? refusal(said, serverLog, events) : null
    const s = story(events)
    const signature = s !== null && s.startedAt === null && s.destroyedAt !== null
    return {
      observations: [...(mine ? (['config'] as const) : []), ...(refused?.observations ?? []), ...(absent ? (['engine'] as const) : [])],
      ...(said && (mine || absent || signature)
        ? { proof: 'The engine names the network, and the container was removed before it started.' }
        : {}),
      facts: { network: name, networks: engine?.networks ?? null },
      cites: [
        ...(mine ? [citeConfig(config, mine.place)] : []),
        ...(refused?.cites ?? []),
        ...(absent ? [citeEngine('/networks', `has ${engine?.networks?.join(', ') ?? ''}`)] : []),
      ],
      detail: shared
        ? `The network of a container is to be shared, and there is no running container "${asked?.slice('container:'.length) ?? ''}".`
        : `The engine has no network "${name ?? ''}". Compose puts the name of the project in front of its networks.`,
      remedies: shared
        ? [{ kind: 'instruction', title: 'Start that container first, or name another network in network_mode; "bridge" is the default.' }]
        : [
            ...ownNetworkOff(config, engine, mine?.place ?? null),
            { kind: 'command', title: 'Create the network', argv: ['docker', 'network', 'create', name ?? 'NAME'] },
            { kind: 'instruction', title: 'Or name an existing network in network_mode; "bridge" is the default.' },
          ],
    }
  },
})

/** Without its own network_mode the server gets the network that the configuration gives to all servers. */
function ownNetworkOff(config: ConfigEvidence, engine: DockerEngine | undefined, place: ConfigPath | null): Remedy[] {
  if (place?.[0] !== 'mcpServers' || place.at(-1) !== 'network_mode') return []
  const common = config.global.docker_isolation.network_mode ?? 'bridge'
  if (common === '' || (common !== 'none' && engine?.networks?.includes(common) !== true)) return []
  return [
    {
      kind: 'config-edit',
      // The network of the host is more than an isolated server should get unasked.
      class: common === 'host' || common.startsWith('container:') ? 'network' : 'safe',
      title: 'Take network_mode out of this server',
      because: `it then gets "${common}", as docker_isolation gives it to every server`,
      edits: [{ path: place, value: undefined }],
    },
  ]
}
