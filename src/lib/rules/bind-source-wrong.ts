/** The host side of a mount is missing or of the wrong kind; docker makes an empty folder, or refuses. */
import { citeConfig, citeHost, citeLog } from './cite.ts'
import { dockerFailure, failure, placeOfToken, programSaid, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'bind-source-wrong',
  severity: 'error',
  title: 'The host side of a mount is missing or of the wrong kind',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'hostPaths'],
  detect({ config }, { serverLog, events, hostPaths }) {
    const { expected } = config
    if (!expected) return null
    const said = dockerFailure(serverLog, 'mount-source', 'mount-kind')
    if (!said && hostPaths === undefined) return null
    const binds = expected.run.mounts.filter((m) => m.type === 'bind' && m.source.startsWith('/'))
    const text = programSaid(serverLog, 'is-directory', 'file-missing', 'script-missing', 'module-missing')
    const under = (target: string, path: string | null): boolean =>
      path !== null && (path === target || path.startsWith(`${target.replace(/\/$/, '')}/`))
    const looksLikeFile = (p: string): boolean => /\.[A-Za-z0-9]{1,5}$/.test(p.split('/').at(-1) ?? '')
    const suspect = binds.find((m) => {
      const host = hostPaths?.[m.source]
      if (said?.subject === m.source) return true
      if (host?.type === 'missing')
        return text === null ? failure(serverLog) === null : text.kind === 'is-directory' || under(m.target, text.subject)
      // docker made a folder of a file that was not there.
      if (host?.type === 'directory' && looksLikeFile(m.source) && text?.kind === 'is-directory') return true
      // An empty folder that docker made: what the server wants lies below it and is not there.
      return (
        host?.type === 'directory' &&
        !Object.entries(hostPaths ?? {}).some(([path, seen]) => path.startsWith(`${m.source}/`) && seen.type !== 'missing') &&
        text !== null &&
        text.kind !== 'is-directory' &&
        text.subject !== null &&
        under(m.target, text.subject) &&
        text.subject !== m.target
      )
    })
    if (!said && !suspect) return null
    const place = suspect ? placeOfToken(config, suspect.index) : null
    const host = suspect ? hostPaths?.[suspect.source] : undefined
    const refused = said ? refusal(said, serverLog, events) : null
    return {
      observations: [
        ...(suspect ? (['config'] as const) : []),
        ...(refused?.observations ?? (text ? (['serverLog'] as const) : [])),
        ...(host && (host.type === 'missing' || looksLikeFile(suspect?.source ?? '')) ? (['hostPaths'] as const) : []),
      ],
      ...(said && suspect ? { proof: 'docker names the path, and it stands in the configuration.' } : {}),
      // A folder that is there may be the empty one that docker made, or one without this file.
      ...(!said && host?.type === 'directory' && text?.kind !== 'is-directory' ? { rank: 'suspected' as const } : {}),
      facts: {
        source: suspect?.source ?? said?.subject ?? null,
        target: suspect?.target ?? said?.detail ?? null,
        host: host?.type ?? null,
      },
      cites: [
        ...(place ? [citeConfig(config, place)] : []),
        ...(refused?.cites ?? (text ? [citeLog(text.line)] : [])),
        ...(suspect && host ? [citeHost(suspect.source, host.type === 'missing' ? 'does not exist' : `is a ${host.type}`)] : []),
      ],
      detail:
        said?.kind === 'mount-kind'
          ? 'A file cannot be mounted onto a folder, nor a folder onto a file.'
          : '-v makes an empty folder where the host has nothing, also of the name of a file; --mount refuses instead.',
      remedies: [
        {
          kind: 'instruction',
          title: `Create what is to be mounted, or correct the path. An empty folder that docker made there has to go first.`,
        },
      ],
    }
  },
})
