/** A host path with ~, a variable, relative, in Windows form or with too many colons: nothing expands it. */
import { citeConfig } from './cite.ts'
import { dockerFailure, placeOfToken, programSaid, refusal } from './helpers.ts'
import { citeLog } from './cite.ts'
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { valueAt, type ConfigPath } from '../formats/mcp-config.ts'
import type { Remedy } from '../remedies/remedy.ts'
import type { HostPath } from '../system/system.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'path-not-absolute',
  severity: 'error',
  title: 'A host path is written in a form that nothing expands',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'hostPaths', 'environment'],
  detect({ config }, { serverLog, events, hostPaths, environment }, { platform }) {
    const { expected, server } = config
    if (!expected || !server) return null
    const refusedMount = dockerFailure(serverLog, 'mount-name', 'mount-spec')
    const said = refusedMount?.subject?.startsWith(' ') ? null : refusedMount
    const windows = platform === 'win32'
    const odd = expected.run.mounts.find(
      (m) =>
        m.type !== 'tmpfs' &&
        // A blank in front: flag and value are one word, which is another mistake.
        m.source === m.source.trimStart() &&
        (/^~|^\$|^%\w+%|\$\{(?!env:|keyring:)/.test(m.source) ||
          /^\.{1,2}(?:\/|$)/.test(m.source) ||
          (!windows && /^[A-Za-z]:[\\/]/.test(m.source)) ||
          (m.flag === 'volume' && colons(m.source, m.target, m.options)) ||
          (m.type === 'bind' && m.source !== '' && !/^[/\\]/.test(m.source) && !/^[A-Za-z]:[\\/]/.test(m.source))),
    )
    const text = programSaid(serverLog, 'script-missing', 'file-missing', 'read-only')
    const argument = expected.command.findIndex(
      (w) =>
        /^~\/|^\$HOME\/|^\$\{HOME\}\/|^%\w+%/.test(w) &&
        (text === null ||
          text.subject === null ||
          w.includes(text.subject) ||
          text.subject.includes(w.replace(/^~\//, '').replace(/^\$\{?HOME\}?\//, ''))),
    )
    if (!said && !odd && argument < 0) return null
    // A word that docker refuses for the failed attempt, or one that only may be wrong.
    const failedOtherwise = serverLog?.failed && !said && !(text && (argument >= 0 || odd))
    if (failedOtherwise) return null
    const place = odd
      ? placeOfToken(config, odd.index)
      : argument >= 0
        ? placeOfToken(config, expected.runArgs.length + argument)
        : placeFor(config, said?.subject ?? null)
    const refused = said ? refusal(said, serverLog, events) : null
    const value = odd?.source ?? (argument >= 0 ? (expected.command[argument] ?? '') : (said?.subject ?? ''))
    return {
      observations: [
        ...(odd || argument >= 0 ? (['config'] as const) : []),
        ...(refused?.observations ?? (text && serverLog?.failed ? (['serverLog'] as const) : [])),
      ],
      ...(said && place ? { proof: 'docker refuses the mount, and it is written so in the configuration.' } : {}),
      facts: { path: value },
      cites: [
        ...(place ? [citeConfig(config, place)] : []),
        ...(refused?.cites ?? (text && serverLog?.failed ? [citeLog(text.line)] : [])),
      ],
      detail: `Between the file and docker there is no shell: ~, $HOME and relative paths stay as they are, and docker takes a word that does not begin with / for the name of a volume.`,
      remedies: [
        ...expanded(config, place, value, hostPaths, environment?.env['HOME']),
        { kind: 'instruction', title: `Write the absolute path on the host instead of ${value || 'it'}.` },
      ],
    }
  },
  hint(config) {
    const { server, expected } = config
    const folder = server?.isolation?.working_dir ?? ''
    // A path of the container: without / in front docker refuses it, with whatever engine.
    if (!server || expected?.kind !== 'isolated' || folder === '' || folder.startsWith('/') || /^[A-Za-z]:[\\/]/.test(folder)) return null
    return {
      observations: ['config'],
      severity: 'error',
      facts: { path: folder },
      title: 'isolation.working_dir is no absolute path',
      cites: [citeConfig(config, ['mcpServers', server.index, 'isolation', 'working_dir'])],
      detail: `isolation.working_dir is a folder of the container, and docker refuses "${folder}", which does not begin with /.`,
      remedies: [{ kind: 'instruction', title: 'Write the absolute path in the container.' }],
    }
  },
})

/** `host:container:ro` has at most three parts. */
const colons = (source: string, target: string, options: string): boolean =>
  options.includes(':') || (source !== '' && target === '') || (target !== '' && !target.startsWith('/') && !/^[A-Za-z]:/.test(target))

function placeFor(config: Parameters<typeof placeOfToken>[0], text: string | null) {
  const index = text === null ? -1 : (config.expected?.runArgs.findIndex((a) => a.includes(text)) ?? -1)
  return index < 0 ? null : placeOfToken(config, index)
}

/** `~/x` and `$HOME/x` in a mount, written out; only where the host has it. */
function expanded(
  config: ConfigEvidence,
  place: ConfigPath | null,
  value: string,
  hostPaths: Record<string, HostPath> | undefined,
  home: string | undefined,
): Remedy[] {
  const start = /^(?:~|\$HOME|\$\{HOME\})(?=\/)/.exec(value)?.[0]
  const token: unknown = place ? valueAt(config.document, place)?.value : undefined
  if (!place || start === undefined || !home?.startsWith('/') || typeof token !== 'string' || !token.includes(value)) return []
  const path = home.replace(/\/+$/, '') + value.slice(start.length)
  const host = hostPaths?.[path]
  if (!host || host.type === 'missing') return []
  return [
    {
      kind: 'config-edit',
      class: 'safe',
      title: `Write ${path} instead of ${value}`,
      because: 'nothing between the file and docker expands it',
      edits: [{ path: place, value: token.replace(value, path) }],
    },
  ]
}
