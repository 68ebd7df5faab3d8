/** docker run refuses a flag or its value. */
import { nearest } from '../errors.ts'
import { runFlagNames } from '../formats/docker-run.ts'
import { citeConfig } from './cite.ts'
import { dockerFailure, isConnected, placeOfToken, refusal } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'docker-flag-invalid',
  severity: 'error',
  title: 'docker run refuses a flag or its value',
  needs: ['config'],
  uses: ['serverLog', 'events', 'status'],
  detect({ config }, { serverLog, events, status }) {
    if (isConnected(serverLog, status)) return null
    const said = dockerFailure(serverLog, 'flag-unknown', 'flag-value', 'user-unknown')
    const isUser = said?.kind === 'user-unknown'
    const problem = config.expected?.run.problems[0]
    if (!said && !(problem && !serverLog?.failed)) return null
    const run = config.expected?.run
    const index =
      problem?.index ??
      run?.flags.find((f) => (said?.kind === 'user-unknown' ? f.name === 'user' : said?.detail != null && f.value === said.detail))
        ?.valueIndex ??
      run?.flags.find((f) => said?.subject?.includes(`--${f.name}`))?.valueIndex
    const place = index === undefined ? null : placeOfToken(config, index)
    const name = (said?.subject ?? problem?.text ?? '').replace(/^--/, '').split('=')[0] ?? ''
    const near = nearest(name, runFlagNames)
    const refused = said ? refusal(said, serverLog, events) : null
    return {
      observations: [...(place || problem ? (['config'] as const) : []), ...(refused?.observations ?? [])],
      ...(said && place ? { proof: 'docker names the flag, and it stands in the configuration.' } : {}),
      facts: { flag: said?.subject ?? problem?.text ?? null, value: said?.detail ?? null },
      cites: [...(place ? [citeConfig(config, place)] : []), ...(refused?.cites ?? [])],
      detail:
        said?.kind === 'user-unknown'
          ? `The image knows no user "${said.subject ?? ''}".`
          : `${said?.text.replace(/^docker: /, '') ?? `${problem?.text ?? 'A flag'}: docker run has no such flag, or its value is missing`}.${near && !isUser && near !== name ? ` Did you mean --${near}?` : ''}`,
      remedies: [{ kind: 'instruction', title: isUser ? 'Use a numeric user, or one that the image has.' : 'Correct or remove the flag.' }],
    }
  },
})
