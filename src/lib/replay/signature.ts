/** What a failure looks like, so that two of them can be compared: the one that was recorded, and the ones of replays. */
import { finalDockerError, readDockerErrors } from '../formats/docker-error.ts'
import type { LogLine } from '../formats/log-line.ts'
import { readProgramErrors } from '../formats/program-error.ts'

export interface Signature {
  /** `ended`: the process was over before the handshake. `no-answer`: it lived and did not answer. */
  how: 'ended' | 'no-answer'
  /** Of the container or the docker command; null where nobody saw it. */
  exitCode: number | null
  /** What the last error says, numbers and random parts left out; null: nothing was written. */
  says: string | null
  /** The line itself, for people. */
  text: string | null
}

export function signatureOf(how: Signature['how'], exitCode: number | null, stderr: readonly string[]): Signature {
  const lines = stderr.map(asLogLine)
  const docker = finalDockerError(readDockerErrors(lines))
  // The same image is called by its repository in one sentence and with its tag in another.
  const pull = docker !== null && /^(?:image-unknown|registry-|rate-limit|reference-invalid)/.test(docker.kind)
  if (docker) return { how, exitCode, says: `docker ${docker.kind} ${pull ? '' : (docker.subject ?? '')}`.trim(), text: docker.text }
  const program = readProgramErrors(lines).at(-1)
  if (program) return { how, exitCode, says: `program ${program.kind} ${normal(program.subject ?? '')}`.trim(), text: program.text }
  const last = stderr.filter((l) => l.trim() !== '').at(-1) ?? null
  return { how, exitCode, says: last === null ? null : normal(last), text: last }
}

/** What a start says whose image would have to be pulled first, when the registry cannot be asked. */
export const imageNotHere = 'image not here'
const pullFailed = /^docker (?:image-unknown|registry-\w+|rate-limit|reference-invalid|platform-missing)\b/

/** The same end with the same words. A code or a text that one side does not know says nothing against it. */
export function sameFailure(a: Signature, b: Signature): boolean {
  if (a.how !== b.how) return false
  if (a.exitCode !== null && b.exitCode !== null && a.exitCode !== b.exitCode) return false
  // Docker said why it could not pull; a replay pulls nothing and only sees that the image is still missing.
  if ([a, b].some((s) => s.says === imageNotHere)) return [a, b].every((s) => s.says === imageNotHere || pullFailed.test(s.says ?? ''))
  if (a.says === null || b.says === null) return a.says === b.says || (a.exitCode !== null && a.exitCode === b.exitCode)
  return a.says === b.says
}

/** Times, ports, ids and container names differ from run to run. */
const normal = (text: string): string =>
  text
    .replace(/\bmcpproxy[-\w]*/g, 'NAME')
    .replace(/\b[0-9a-f]{8,}\b/gi, 'ID')
    .replace(/\d+(?:[.:,]\d+)*/g, 'N')
    .trim()
    .slice(0, 200)

function asLogLine(text: string): LogLine {
  return { file: '', number: null, at: new Date(0), time: '', level: 'INFO', message: 'stderr', fields: { message: text }, raw: text }
}
