/** docker run refuses a flag or its value. */
import { nearest } from '../errors.ts'
import type { DockerError } from '../formats/docker-error.ts'
import { runFlagNames, type RunFlag } from '../formats/docker-run.ts'
import type { ConfigEvidence, ServerLog } from '../evidence/evidence.ts'
import { valueAt } from '../formats/mcp-config.ts'
import { citeConfig, citeLog } from './cite.ts'
import { dockerFailure, failure, placeOfToken, programSaid, refusal, story } from './helpers.ts'
import { defineRule, type Detection } from './rule.ts'

export default defineRule({
  code: 'docker-flag-invalid',
  severity: 'error',
  title: 'docker run refuses a flag or its value',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events'],
  detect({ config }, { serverLog, events }) {
    const one = gluedFlag(config, serverLog)
    if (one) return one
    // A container that ran: docker had nothing against its flags, and the words are the program's.
    const ran = story(events)?.startedAt != null
    const failed = ran
      ? null
      : dockerFailure(serverLog, 'flag-unknown', 'flag-value', 'user-unknown', 'device', 'port-taken', 'container-missing', 'other')
    const culprit = failed ? culpritOf(config, failed) : undefined
    // A sentence that is not known here, and that names nothing of the arguments, can be about anything.
    const unclear = failed !== null && ['container-missing', 'other'].includes(failed.kind) && (!culprit || culprit.name === 'network')
    const said = unclear ? null : failed
    const isUser = said?.kind === 'user-unknown'
    const isPort = said?.kind === 'port-taken'
    const problem = config.expected?.run.problems[0]
    if (!said && !(problem && !serverLog?.failed)) return null
    const index = problem?.index ?? culprit?.valueIndex
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
          : said?.kind === 'device'
            ? `This engine has no ${said.subject ?? 'such device'} to give: the device, its driver or its runtime is not installed.`
            : said?.kind === 'port-taken'
              ? `Port ${said.subject ?? ''} of this machine is taken, by a program or by a container that lives on. A server that speaks over stdio needs no published port.`
              : `${said?.text.replace(/^docker: /, '') ?? `${problem?.text ?? 'A flag'}: docker run has no such flag, or its value is missing`}.${near && !isUser && near !== name ? ` Did you mean --${near}?` : ''}`,
      remedies: [
        {
          kind: 'instruction',
          title: isUser
            ? 'Use a numeric user, or one that the image has.'
            : isPort
              ? 'Take -p out, or publish another port. docker ps --filter publish=PORT names a container that has it.'
              : 'Correct or remove the flag.',
        },
      ],
    }
  },
})

/** The flag of the configuration that docker's sentence is about. */
function culpritOf(config: ConfigEvidence, said: DockerError): RunFlag | undefined {
  const flags = (config.expected?.run.flags ?? []).filter((f) => placeOfToken(config, f.valueIndex) !== null)
  if (said.kind === 'user-unknown') return flags.findLast((f) => f.name === 'user')
  if (said.kind === 'port-taken')
    return flags.find((f) => f.name === 'publish' && (f.value ?? '').split(/[:/]/).includes(said.subject ?? ''))
  if (said.kind === 'device') return flags.find((f) => ['gpus', 'device', 'runtime'].includes(f.name))
  // A value is named, or its flag, or a part of a value: Duplicate mount point: /data
  return (
    flags.find((f) => said.detail !== null && f.value === said.detail) ??
    flags.find((f) => hasWord(said.subject ?? said.text, `--${f.name}`)) ??
    flags.findLast(
      (f) => f.value !== null && [f.value, ...f.value.split(/[:=,]/)].some((part) => part.length > 3 && hasWord(said.text, part)),
    )
  )
}

const hasWord = (text: string, word: string): boolean => {
  const at = text.indexOf(word)
  return at >= 0 && !/[A-Za-z0-9-]/.test(text[at + word.length] ?? '')
}

/** `"-v /a:/b"` in one word: pflag takes the blank for a part of the value, or the whole for the name of a flag. */
function gluedFlag(config: ConfigEvidence, log: ServerLog | undefined): Detection | null {
  const { expected } = config
  const flag = expected?.run.flags.find(
    (f) =>
      f.index === f.valueIndex && /^-(?:\w|-[\w-]+)\s+\S/.test(expected.runArgs[f.index] ?? '') && placeOfToken(config, f.index) !== null,
  )
  const place = flag ? placeOfToken(config, flag.index) : null
  if (!expected || !flag || !place) return null
  const word = expected.runArgs[flag.index] ?? ''
  const [name = '', ...rest] = word.split(/\s+/)
  const value = rest.join(' ')
  const said = dockerFailure(log, 'flag-unknown', 'flag-value', 'mount-name', 'mount-spec', 'memory-limit', 'cpu-limit', 'network-unknown')
  // -e in one word with NAME=VALUE: the name begins with a blank, and no server reads that.
  const missing = flag.name === 'env' ? programSaid(log, 'env-missing') : null
  const agrees =
    said && (said.text.includes(value.split(':')[0] ?? value) || said.text.includes(name))
      ? said
      : missing !== null && missing.subject === value.split('=')[0]
        ? missing
        : null
  if (failure(log) && !agrees) return null
  const list = place.slice(0, -1)
  const at = Number(place.at(-1))
  const before = valueAt(config.document, list)?.children?.map((c) => String(c.value)) ?? []
  return {
    observations: ['config', ...(agrees ? (['serverLog'] as const) : [])],
    ...(agrees ? { proof: 'What was refused or missed is the value that stands in one word with its flag.' } : {}),
    facts: { word: name },
    cites: [citeConfig(config, place), ...(agrees ? [citeLog(agrees.line)] : [])],
    title: `${name} and its value are one word`,
    detail: 'No shell splits the words of a list: the flag is one, its value the next.',
    remedies: [
      {
        kind: 'config-edit',
        class: 'safe',
        title: 'Make them two words',
        because: 'docker then reads the value without the blank',
        edits: [{ path: list, value: [...before.slice(0, at), name, value, ...before.slice(at + 1)] }],
      },
    ],
  }
}
