/** The working folder in the container is a file, or an empty folder that docker made. */
import { citeConfig, citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { dockerFailure, failure, isIsolated, isMounted, placeOfToken, programSaid, refusal, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'working-dir-not-mounted',
  severity: 'warning',
  title: 'The working folder is one of the host (or no folder at all); the container gets an empty one of that name',
  needs: ['config'],
  uses: ['serverLog', 'events', 'hostPaths', 'status'],
  detect({ config }, { serverLog, events, hostPaths, status }) {
    const { expected, server } = config
    if (!expected || !server) return null
    const said = dockerFailure(serverLog, 'working-dir')
    const flag = expected.run.flags.filter((f) => f.name === 'workdir').at(-1)
    const folder = flag?.value ?? null
    const refused = said ? refusal(said, serverLog, events) : null
    if (said) {
      const place = flag ? placeOfToken(config, flag.valueIndex) : null
      return {
        observations: [...(refused?.observations ?? []), ...(place ? (['config'] as const) : [])],
        severity: 'error',
        proof: 'The engine refuses to make a folder where a file is.',
        title: 'The working folder in the container is a file',
        facts: { folder },
        cites: [...(place ? [citeConfig(config, place)] : []), ...(refused?.cites ?? [])],
        detail: `${said.subject ?? folder ?? 'It'} is no folder in the image.`,
        remedies: [{ kind: 'instruction', title: 'Name a folder of the container in isolation.working_dir.' }],
      }
    }
    if (!isIsolated(config)) return null
    const host =
      folder !== null && folder.startsWith('/') && hostPaths?.[folder]?.type === 'directory' && !isMounted(expected.run.mounts, folder)
    const outer = server.working_dir !== '' && folder === null && !isMounted(expected.run.mounts, server.working_dir)
    const text = programSaid(serverLog, 'script-missing', 'file-missing', 'module-missing')
    const relative = server.args.find((a) => /^(?:\.{1,2}\/)?[\w.-]+(?:\/[\w.-]+)*\.(?:py|js|mjs|cjs|ts|json|sh|rb|php)$/.test(a))
    if (!host && !outer) return null
    const failed =
      failure(serverLog) !== null && text !== null && relative !== undefined && (text.subject ?? '').endsWith(relative.replace(/^\.\//, ''))
    if (!failed && (isConnected(serverLog, status) || failure(serverLog))) {
      // It works, or fails for another reason: worth a hint where arguments are relative.
      if (!relative) return null
    }
    return {
      observations: ['config', ...(failed ? (['serverLog'] as const) : [])],
      severity: failed ? 'error' : 'warning',
      facts: { folder: folder ?? server.working_dir, relative: relative ?? null },
      cites: [
        citeConfig(config, folder !== null ? serverPath(server, 'isolation', 'working_dir') : serverPath(server, 'working_dir')),
        ...(failed && text ? [citeLog(text.line)] : []),
      ],
      detail: outer
        ? 'working_dir is the folder on the host in which the docker command is started; in the container it does not exist.'
        : 'isolation.working_dir names a folder of the container, and nothing is mounted there: docker makes an empty one.',
      remedies: [
        {
          kind: 'config-edit',
          class: 'safe',
          title: 'Mount the folder read-only and make it the working folder',
          because: 'nothing of the host is in the container unless it is mounted',
          edits: [
            {
              path: serverPath(server, 'isolation', 'extra_args'),
              value: [...(server.isolation?.extra_args ?? []), '-v', `${folder ?? server.working_dir}:${folder ?? server.working_dir}:ro`],
            },
            ...(folder === null ? [{ path: serverPath(server, 'isolation', 'working_dir'), value: server.working_dir }] : []),
          ],
        },
      ],
    }
  },
})
