/** A variable that the server needs is not in its env. */
import { citeConfig, citeLog } from './cite.ts'
import { effectiveRun, passedVariables, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'env-missing',
  severity: 'error',
  title: 'A variable that the server needs is not in its env',
  needs: ['config', 'serverLog'],
  uses: ['setup', 'image'],
  detect({ config, serverLog }, { setup, image }) {
    const said = programSaid(serverLog, 'env-missing')
    const { server } = config
    if (!said?.subject || !server) return null
    const run = effectiveRun(config, setup)?.run
    const passed = run ? passedVariables(run, image) : { set: new Set(Object.keys(server.env)), byNameOnly: new Set<string>() }
    if (passed.set.has(said.subject) && server.env[said.subject] !== '') return null
    return {
      observations: ['serverLog', 'config'],
      facts: { variable: said.subject, given: Object.keys(server.env) },
      title: `The server needs ${said.subject}, and nothing passes it`,
      cites: [citeConfig(config, serverPath(server, 'env')), citeLog(said.line)],
      detail: `The server asks for ${said.subject}; it is not among the variables that it gets${Object.keys(server.env).length > 0 ? ` (${Object.keys(server.env).join(', ')})` : ''}.`,
      remedies: [
        {
          kind: 'instruction',
          title: `Put ${said.subject} into env of the server; "\${keyring:NAME}" or "\${env:NAME}" keeps the value out of the file.`,
          trial: {
            title: `With a placeholder for ${said.subject}`,
            edits: [{ path: serverPath(server, 'env'), value: { ...server.env, [said.subject]: 'placeholder' } }],
          },
        },
      ],
    }
  },
})
