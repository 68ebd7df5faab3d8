/** main.log, or the copy of the configuration, holds secret values in clear text. */
import { mark, secretVariables } from '../evidence/secrets.ts'
import { citeHost, citeLog } from './cite.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'secrets-in-log',
  severity: 'info',
  title: 'main.log holds secret values of this server in clear text',
  needs: ['setup'],
  uses: ['mainLog', 'hostPaths', 'config'],
  detect({ setup }, { mainLog, hostPaths, config }) {
    const names = setup ? secretVariables(setup.run) : []
    const copy = config ? `${config.document.path}.bak` : null
    const file = copy === null ? undefined : hostPaths?.[copy]
    const readable = file?.type === 'file' && (file.mode & 0o044) !== 0 && config?.server != null && hasSecrets(config.server.env)
    if (names.length === 0 && !readable) return null
    return {
      observations: [...(names.length > 0 ? (['setup'] as const) : []), ...(readable ? (['hostPaths'] as const) : [])],
      proof: names.length > 0 ? 'The line is there.' : 'Others may read the copy.',
      ...(names.length > 0 ? {} : { title: 'Others may read the copy of the configuration, which holds its secrets' }),
      facts: { variables: names, line: setup?.line.number ?? null, copy: readable ? copy : null },
      cites: [
        ...(setup && names.length > 0 ? [citeLog(setup.line, `docker_run_args: ${names.map((n) => `-e ${n}=${mark}`).join(' ')}`)] : []),
        ...(readable && copy !== null && file ? [citeHost(copy, `mode ${(file.mode & 0o777).toString(8)}`)] : []),
      ],
      detail:
        names.length > 0
          ? `At every start MCPProxy writes the whole docker command, with the ${names.length === 1 ? 'value' : 'values'} of ${names.join(', ')}. main.log${(mainLog?.files.length ?? 1) > 1 ? ' and its older files are' : ' is'} as secret as the configuration; the reports and captures of this program leave the values out.`
          : 'MCPProxy keeps a copy of the file before it changes it.',
      remedies: [
        {
          kind: 'instruction',
          title:
            names.length > 0
              ? 'Do not pass main.log on as it is, and replace the secrets of one that was passed on.'
              : `Let only its owner read it (chmod 600 ${copy ?? ''}).`,
        },
      ],
    }
  },
})

const hasSecrets = (env: Record<string, string>): boolean =>
  Object.entries(env).some(([name, value]) => /key|token|secret|passw|credential/i.test(name) && value !== '' && !value.startsWith('${'))
