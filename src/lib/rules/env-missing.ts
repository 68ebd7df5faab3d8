/** A variable that the server needs is not in its env, or is empty there. */
import { citeConfig, citeLog } from './cite.ts'
import { flagsNamed } from '../formats/docker-run.ts'
import { effectiveRun, passedVariables, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'env-missing',
  severity: 'error',
  title: 'A variable that the server needs is not in its env',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup', 'image'],
  detect({ config, serverLog }, { setup, image }) {
    const said = programSaid(serverLog, 'env-missing')
    const { server } = config
    if (!said?.subject || !server) return null
    const run = effectiveRun(config, setup)?.run
    const passed = run ? passedVariables(run, image) : { set: new Set(Object.keys(server.env)), byNameOnly: new Set<string>() }
    const name = said.subject
    const flag = run ? flagsNamed(run, 'env').findLast((f) => f.value?.split('=')[0] === name) : undefined
    const empty = flag ? flag.value === `${name}=` : server.env[name] === ''
    if (passed.set.has(name) && !empty) return null
    const inEnv = server.env[name] === ''
    return {
      observations: ['serverLog', 'config'],
      facts: { variable: name, given: Object.keys(server.env), empty },
      title: empty ? `The server needs ${name}, which is set, but empty` : `The server needs ${name}, and nothing passes it`,
      cites: [citeConfig(config, inEnv ? serverPath(server, 'env', name) : serverPath(server, 'env')), citeLog(said.line)],
      detail: empty
        ? `The server asks for ${name}; it gets it with an empty value${inEnv ? '' : ', from a flag of docker'}.`
        : `The server asks for ${name}; it is not among the variables that it gets${Object.keys(server.env).length > 0 ? ` (${Object.keys(server.env).join(', ')})` : ''}.`,
      remedies: [
        {
          kind: 'instruction',
          title: `${empty ? `Give ${name} a value in` : `Put ${name} into`} env of the server; "\${keyring:NAME}" or "\${env:NAME}" keeps the value out of the file.`,
          trial: {
            title: `With a placeholder for ${name}`,
            edits: [{ path: serverPath(server, 'env'), value: { ...server.env, [name]: 'placeholder' } }],
          },
        },
      ],
    }
  },
})
