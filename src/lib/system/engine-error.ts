/** What went wrong between us and the engine, told apart by structure: errno, status, what we did ourselves. Never by prose. */
import { timeLimit } from '../stop.ts'
import type { SourceError } from './system.ts'

/** `server-error`: HTTP 5xx, an answer, but not one that helps. */
export type EngineWhy = 'missing' | 'refused' | 'denied' | 'timed-out' | 'not-docker' | 'misconfigured' | 'server-error' | 'failed'

/** The `error` of a failed `Observed` of the live engine. */
export interface EngineError extends SourceError {
  why: EngineWhy
}

/** An error that knows its reason, to travel through promises inside this folder; it never leaves it. */
export interface EngineFailure extends Error {
  why: EngineWhy
  statusCode: number | null
}

export const engineFailure = (why: EngineWhy, message: string, statusCode: number | null = null): EngineFailure =>
  Object.assign(new Error(message), { why, statusCode })

/** For one call; `ms` is what the sentence says. */
export const callLimit = (ms: number): AbortSignal =>
  timeLimit(ms, () => engineFailure('timed-out', `The engine did not answer within ${ms / 1000} s.`))

const kinds: Record<EngineWhy, SourceError['kind']> = {
  missing: 'unreachable',
  refused: 'unreachable',
  denied: 'denied',
  'timed-out': 'timed-out',
  'not-docker': 'failed',
  misconfigured: 'failed',
  'server-error': 'failed',
  failed: 'failed',
}

/** `at`: the engine's address, for the sentence. */
export function classifyEngineError(error: unknown, at = 'the engine'): EngineError {
  const known = error instanceof Error ? (error as Partial<EngineFailure> & { code?: unknown }) : null
  if (known?.why !== undefined) return { kind: kinds[known.why], why: known.why, message: sentence(known.message ?? '') }
  const code = typeof known?.code === 'string' ? known.code : ''
  const as = (why: EngineWhy, message: string, kind = kinds[why]): EngineError => ({ kind, why, message })
  if (code === 'ENOENT') return as('missing', `There is no socket at ${at}.`)
  if (code === 'ECONNREFUSED' || code === 'ENOTSOCK') return as('refused', `Nothing listens at ${at}: the connection was refused.`)
  if (code === 'EACCES' || code === 'EPERM') return as('denied', `The operating system does not let this user connect to ${at}.`)
  if (code === 'ETIMEDOUT') return as('timed-out', `${at} did not accept the connection in time.`)
  if (code === 'ENOTFOUND') return as('misconfigured', `The host name in ${at} is not known.`, 'unreachable')
  if (/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|EAI_AGAIN|EADDRNOTAVAIL)$/.test(code))
    return as('failed', `${at} cannot be reached (${code}).`, 'unreachable')
  // llhttp's codes, e.g. HPE_INVALID_CONSTANT "Parse Error: Expected HTTP/" for an SSH banner.
  if (code.startsWith('HPE_')) return as('not-docker', `What answers at ${at} does not speak HTTP (${code}).`)
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return as('misconfigured', `${at} does not speak TLS as expected (${code}).`)
  if (code.startsWith('ERR_TLS_') || code.startsWith('ERR_OSSL_') || /CERT|SIGNATURE|^CRL_/.test(code)) {
    return as('misconfigured', `The TLS certificates for ${at} do not fit (${code}).`)
  }
  if (/^(ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)$/.test(code))
    return as('failed', `${at} closed the connection before the answer was complete (${code}).`)
  return as('failed', `${at} could not be asked: ${sentence(known?.message ?? String(error))}`)
}

/** Of foreign text one short line. */
const sentence = (text: string): string => {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > 400 ? `${line.slice(0, 400)}…` : line
}

/** Worth a second try: a daemon that is just being restarted. */
export const isRestart = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^(ECONNREFUSED|ENOENT|ECONNRESET|EPIPE)$/.test(String(error.code))

export const statusOf = (error: unknown): number | null =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null
