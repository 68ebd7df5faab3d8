/** Fetching an image, before any clock starts. By the docker command where there is one, because it knows the logins. */
import { dockerError } from '../formats/docker-error.ts'
import { timeLimit } from '../stop.ts'
import { startChild } from './child.ts'
import { jsonValues } from './docker.ts'
import type { Transport } from './docker-transport.ts'
import { classifyEngineError } from './engine-error.ts'
import type { PullOptions, PullResult } from './replay-run.ts'
import { createLineReader } from './json-lines.ts'

export interface PullTools {
  /** Absolute path; null: none here. */
  docker: string | null
  env: Record<string, string>
  transport: Transport
}

const defaultLimitMs = 600_000

/** Rejects only with the reason of the caller's own signal. */
export async function pullImage(reference: string, tools: PullTools, options: PullOptions): Promise<PullResult> {
  const limit = timeLimit(options.limitMs ?? defaultLimitMs)
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal])
  const result = await (tools.docker === null ? throughApi : throughCommand)(reference, tools, { ...options, signal })
  options.signal?.throwIfAborted()
  return limit.aborted && !result.ok
    ? { ok: false, kind: null, message: `The image ${reference} did not arrive within ${(options.limitMs ?? defaultLimitMs) / 1000} s.` }
    : result
}

type Inner = PullOptions & { signal: AbortSignal }

async function throughCommand(reference: string, { docker, env }: PullTools, options: Inner): Promise<PullResult> {
  const platform = options.platform == null ? [] : ['--platform', options.platform]
  // Behind `--` a reference cannot pass for a flag.
  const child = await startChild({ file: docker ?? 'docker', args: ['pull', ...platform, '--', reference], env, cwd: null, hidden: null })
  const errors: string[] = []
  const lines = createLineReader(64 * 1024, ({ bytes }) => options.onProgress?.(bytes.toString('utf8')))
  child.stdout.on('data', (chunk: Buffer) => lines.add(chunk))
  const problems = createLineReader(64 * 1024, ({ bytes }) => void (errors.length < 100 && errors.push(bytes.toString('utf8').trim())))
  child.stderr.on('data', (chunk: Buffer) => problems.add(chunk))
  child.stdin.on('error', () => undefined).end()
  const stop = (): void => void child.end({ stdinMs: 0, termMs: 2000, group: true })
  if (options.signal.aborted) stop()
  options.signal.addEventListener('abort', stop, { once: true })
  await child.exited
  options.signal.removeEventListener('abort', stop)
  lines.end()
  problems.end()
  return child.exit()?.code === 0 ? { ok: true } : failure(errors.filter((e) => e !== ''))
}

async function throughApi(reference: string, { transport }: PullTools, options: Inner): Promise<PullResult> {
  const errors: string[] = []
  try {
    const docker = await transport.client(options.signal)
    const tagged = /[:@][^/]+$/.test(reference) ? reference : `${reference}:latest`
    const stream: AsyncIterable<Buffer | string> = await docker.createImage({
      fromImage: tagged,
      ...(options.platform == null ? {} : { platform: options.platform }),
    })
    let pending = ''
    for await (const chunk of stream) {
      pending += chunk.toString()
      const end = pending.lastIndexOf('\n')
      for (const value of end < 0 ? [] : jsonValues(pending.slice(0, end))) {
        const { status, id, error } = value as { status?: string; id?: string; error?: string }
        if (error !== undefined) errors.push(`Error response from daemon: ${error}`)
        else if (status !== undefined) options.onProgress?.(id === undefined ? status : `${id}: ${status}`)
      }
      pending = pending.slice(end + 1)
    }
  } catch (error) {
    errors.push(`Error response from daemon: ${classifyEngineError(error).message.replace(/^The engine answered HTTP \d+: /, '')}`)
  }
  return errors.length === 0 ? { ok: true } : failure(errors)
}

function failure(lines: readonly string[]): PullResult {
  const known = lines.map((line) => ({ line, error: dockerError(line) })).filter((e) => e.error !== null)
  const telling = known.findLast((e) => e.error?.kind !== 'other') ?? known.at(-1)
  return { ok: false, kind: telling?.error?.kind ?? null, message: telling?.line ?? lines.at(-1) ?? 'The pull failed without a word.' }
}
