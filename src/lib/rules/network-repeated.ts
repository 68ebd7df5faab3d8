/** A second `--network` through extra_args: docker refuses two of them. */
import { flagsNamed } from '../formats/docker-run.ts'
import { citeConfig } from './cite.ts'
import { dockerFailure, effectiveRun, placeOfToken, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'network-repeated',
  severity: 'error',
  title: 'The docker arguments name two networks, and docker refuses that',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'setup'],
  detect({ config }, { serverLog, events, setup }) {
    const run = effectiveRun(config, setup)?.run
    const networks = run ? flagsNamed(run, 'network') : []
    const said = dockerFailure(serverLog, 'network-repeated')
    // Two networks of one's own are fine for newer engines; bridge, host and none are not.
    const twice = networks.length > 1 && networks.some((n) => /^(?:bridge|host|none|default|container:)/.test(n.value ?? ''))
    if (!said && !(twice && !serverLog?.failed)) return null
    const mine = (config.expected ? flagsNamed(config.expected.run, 'network') : []).at(-1)
    const place = mine ? placeOfToken(config, mine.valueIndex) : null
    const refused = said ? refusal(said, serverLog, events) : null
    const base = place?.slice(0, -2)
    return {
      observations: [...(twice ? (['config'] as const) : []), ...(refused?.observations ?? [])],
      ...(said && networks.length > 1 ? { proof: 'docker says so, and --network stands twice in the arguments.' } : {}),
      facts: { networks: networks.map((n) => n.value ?? '') },
      cites: [...(place ? [citeConfig(config, place)] : []), ...(refused?.cites ?? [])],
      detail: `MCPProxy adds --network itself (${networks[0]?.value ?? 'bridge'}); extra_args name a second one.`,
      remedies:
        place && base && mine?.value && place.at(-2) === 'extra_args'
          ? [
              {
                kind: 'config-edit',
                class: 'network',
                title: 'Use network_mode for the network',
                because: 'network_mode replaces the default instead of adding to it',
                edits: [
                  { path: [...base, 'extra_args'], value: withoutNetwork(config, base) },
                  { path: [...base, 'network_mode'], value: mine.value },
                ],
              },
            ]
          : [{ kind: 'instruction', title: 'Use network_mode, and take --network out of extra_args.' }],
    }
  },
})

function withoutNetwork(config: Parameters<typeof placeOfToken>[0], base: (string | number)[]): string[] {
  const args = base[0] === 'mcpServers' ? (config.server?.isolation?.extra_args ?? []) : config.global.docker_isolation.extra_args
  return args.filter((a, i) => !/^--net(?:work)?(?:=|$)/.test(a) && !/^--net(?:work)?$/.test(args[i - 1] ?? ''))
}
