/** `working_dir` is checked on the host even for isolated servers, and one bad one refuses the whole file. */
import { citeConfig, citeHost, citeLog } from './cite.ts'
import { failure, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'working-dir-missing',
  severity: 'error',
  title: 'working_dir does not exist on the host, so MCPProxy refuses the file or the server',
  needs: ['config'],
  uses: ['hostPaths', 'mainLog', 'serverLog'],
  detect({ config }, { hostPaths, mainLog, serverLog }) {
    const { server } = config
    if (!server || server.working_dir === '' || server.command === '') return null
    const missing = hostPaths?.[server.working_dir]?.type === 'missing'
    const told =
      mainLog?.general.find((l) => l.raw.includes('directory does not exist')) ??
      [...(mainLog?.lines ?? [])].reverse().find((l) => /[Ii]nvalid working directory/.test(l.raw)) ??
      failure(serverLog)?.lines.find((l) => /working directory does not exist|[Ii]nvalid working directory/.test(l.raw))
    if (!missing && !told) return null
    return {
      observations: [...(missing ? (['config', 'hostPaths'] as const) : []), ...(told ? (['mainLog'] as const) : [])],
      ...(missing ? { proof: 'The host has no such folder, and MCPProxy checks that it exists.' } : {}),
      facts: { working_dir: server.working_dir },
      cites: [
        citeConfig(config, serverPath(server, 'working_dir')),
        ...(missing ? [citeHost(server.working_dir, 'does not exist')] : []),
        ...(told ? [citeLog(told)] : []),
      ],
      detail:
        'working_dir is the folder on the host in which MCPProxy starts the process, also that of the docker command. The folder inside the container is isolation.working_dir.',
      remedies: [{ kind: 'instruction', title: `Create ${server.working_dir}, or correct the path.` }],
    }
  },
})
