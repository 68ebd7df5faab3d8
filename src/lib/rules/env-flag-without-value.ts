/** -e passes nothing: the name is not set where docker runs, or the value stands in place of the name. */
import { citeConfig, citeLog } from './cite.ts'
import { failure, placeOfToken, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'env-flag-without-value',
  severity: 'error',
  title: '-e passes nothing: the name has no value where docker runs, or a value stands in place of the name',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'environment'],
  detect({ config }, { serverLog, environment }) {
    const { server, expected } = config
    if (!server || !expected) return null
    const bare = expected.run.flags.filter((f) => f.name === 'env' && f.value !== null && !f.value.includes('='))
    if (bare.length === 0) return null
    const attempt = failure(serverLog)
    const missing = programSaid(serverLog, 'env-missing')
    const own = (name: string): boolean => Object.hasOwn(server.env, name) && expected.kind === 'own'
    const invalid = bare.find(
      (f) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(f.value ?? '') || /^(?:gh[pousr]_|sk-|xox|glpat-|AKIA)/.test(f.value ?? ''),
    )
    const unset = bare.find(
      (f) =>
        !own(f.value ?? '') &&
        (missing?.subject === f.value || (missing === null && attempt === null)) &&
        !(environment?.env[f.value ?? ''] !== undefined),
    )
    const culprit = missing?.subject
      ? (unset ?? invalid)
      : attempt && attempt.outcome !== 'exited'
        ? undefined
        : (invalid ?? (attempt ? undefined : unset))
    if (!culprit || (attempt && !missing && !invalid)) return null
    if (
      attempt &&
      !missing &&
      attempt.stderr.length > 0 &&
      !/auth|token|credential|key|denied/i.test(attempt.stderr.map((l) => l.raw).join(' '))
    )
      return null
    const place = placeOfToken(config, culprit.valueIndex)
    const isValue = culprit === invalid
    return {
      observations: ['config', ...(missing ? (['serverLog'] as const) : [])],
      facts: { name: isValue ? null : culprit.value },
      cites: [...(place ? [citeConfig(config, place)] : []), ...(missing ? [citeLog(missing.line)] : [])],
      detail: isValue
        ? 'What follows -e is taken for the name of a variable; this is a value.'
        : `-e ${culprit.value ?? ''} passes the variable on only if it exists in the environment of the docker command, and that is the one of MCPProxy${Object.hasOwn(server.env, culprit.value ?? '') ? '; env of an isolated server goes in by itself' : ''}.`,
      remedies: [
        {
          kind: 'instruction',
          title: isValue
            ? 'Write -e NAME=… or, better, put NAME into env of the server.'
            : `Put ${culprit.value ?? 'it'} into env of the server.`,
        },
      ],
    }
  },
})
