/** A fixed --name (or --cidfile) is still held by another container or a leftover file. */
import { flagValue } from '../formats/docker-run.ts'
import { citeConfig, citeEngine } from './cite.ts'
import { configFlag, dockerFailure, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'container-name-taken',
  severity: 'error',
  title: 'The fixed container name is taken by another container, or the --cidfile by a leftover file',
  only: 'failed',
  needs: ['config'],
  uses: ['serverLog', 'events', 'containers'],
  detect({ config }, { serverLog, events, containers }) {
    const said = dockerFailure(serverLog, 'name-taken', 'cidfile')
    const name = said?.kind === 'name-taken' ? said.subject : config.expected ? flagValue(config.expected.run, 'name') : null
    const holder = containers?.find((c) => c.names.includes(name ?? '') || (said?.detail != null && c.id.startsWith(said.detail)))
    if (!said) return null
    const flag = configFlag(config, said.kind === 'cidfile' ? 'cidfile' : 'name')
    const { observations, cites } = refusal(said, serverLog, events)
    const pair = flag
      ? flag.flag.index === flag.flag.valueIndex
        ? [flag.place]
        : [flag.place, [...flag.place.slice(0, -1), Number(flag.place.at(-1)) - 1]]
      : []
    return {
      observations: [...observations, ...(flag ? (['config'] as const) : []), ...(holder ? (['containers'] as const) : [])],
      ...(said && (flag || holder) ? { proof: 'The engine names the container that holds it.' } : {}),
      facts: { name, holder: holder?.id.slice(0, 12) ?? said.detail?.slice(0, 12) ?? null, state: holder?.status ?? null },
      cites: [
        ...(flag ? [citeConfig(config, flag.place)] : []),
        ...cites,
        ...(holder ? [citeEngine('container', `${holder.names[0] ?? ''}: ${holder.image}, ${holder.status}`)] : []),
      ],
      detail: 'Names are unique on an engine: a second start, a probe, or a container that was left behind holds it.',
      remedies:
        pair.length > 0
          ? [
              {
                kind: 'config-edit',
                class: 'safe',
                title: said.kind === 'cidfile' ? 'Remove --cidfile' : 'Remove --name',
                because: 'docker then chooses a free name at each start',
                edits: pair.map((path) => ({ path, value: undefined })),
              },
            ]
          : [{ kind: 'instruction', title: 'Remove the container that holds the name, after a look at it.' }],
    }
  },
})
