/**
 * A container that looks like the docker command to its caller: standard streams, an exit code, and docker's own words
 * on standard error when the engine refuses. For machines without the docker command.
 */
import { PassThrough, type Duplex, type Readable } from 'node:stream'
import type { CreateRequest } from '../formats/container-create.ts'
import { happensWithin, type Child, type EndedBy } from './child.ts'
import type { Transport } from './docker-transport.ts'
import { callLimit, classifyEngineError } from './engine-error.ts'
import type { ContainerWatch } from './replay-engine.ts'

const callMs = 30_000

export async function startThroughApi(transport: Transport, request: CreateRequest, watch: ContainerWatch): Promise<Child> {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  let exit: ReturnType<Child['exit']> = null
  let id: string | null = null
  const ended = (code: number): void => {
    exit = { code, signal: null }
    stdout.end()
    stderr.end()
  }
  const refuse = (error: unknown): void => {
    const { message } = classifyEngineError(error)
    // "The engine answered HTTP 404: …" is ours; the rest is what the docker command would show.
    const words = message.replace(/^The engine answered HTTP \d+: /, '')
    stderr.write(`docker: Error response from daemon: ${words}\n`)
    ended(/executable file not found|no such file or directory/.test(words) ? 127 : /permission denied/.test(words) ? 126 : 125)
  }
  const exited = (async (): Promise<void> => {
    try {
      const docker = await transport.client(callLimit(callMs))
      const { name, platform, body } = request
      const created = await docker.createContainer({
        ...body,
        ...(name === null ? {} : { name }),
        ...(platform === null ? {} : { platform }),
      })
      id = created.id
      const streams = `stream=1&stdout=1&stderr=1${body.OpenStdin ? '&stdin=1' : ''}`
      const socket = await transport.hijack(`/containers/${created.id}/attach?${streams}`, callLimit(callMs))
      if (body.OpenStdin) stdin.pipe(socket)
      else stdin.resume()
      const read = demultiplex(socket, stdout, stderr)
      await (await transport.client(callLimit(callMs))).getContainer(created.id).start()
      await read
    } catch (error) {
      return refuse(error)
    }
    const died = (): boolean => watch.stories().some((s) => s.id === id && s.diedAt !== null)
    await watch.until(died, callMs)
    ended(watch.stories().find((s) => s.id === id)?.exitCode ?? 0)
  })()
  const within = (ms: number): Promise<boolean> => happensWithin(exited, ms)
  return {
    stdin,
    stdout,
    stderr,
    exit: () => exit,
    exited,
    endsWithin: within,
    async end({ stdinMs, termMs, beforeSignal, beforeKill }): Promise<EndedBy> {
      if (exit !== null) return 'itself'
      stdin.end()
      if (await within(stdinMs)) return 'end of stdin'
      beforeSignal?.()
      if (id !== null) {
        const docker = await transport.client(callLimit(callMs))
        // It may have ended meanwhile; removal follows in any case.
        await docker
          .getContainer(id)
          .kill({ signal: 'SIGTERM' })
          .catch(() => undefined)
      }
      if (await within(termMs)) return 'SIGTERM'
      await beforeKill?.()
      await within(termMs + 5000)
      return 'SIGKILL'
    },
  }
}

/** Frames of `attach` without a terminal: kind, three zeros, length (big endian), content. Fulfilled at the end of the stream. */
function demultiplex(socket: Duplex, stdout: PassThrough, stderr: PassThrough): Promise<void> {
  const header = Buffer.alloc(8)
  let have = 0
  let left = 0
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      let at = 0
      let full = false
      while (at < chunk.length) {
        if (left === 0) {
          const taken = chunk.copy(header, have, at, at + 8 - have)
          have += taken
          at += taken
          if (have < 8) break
          left = header.readUInt32BE(4)
          have = 0
          continue
        }
        const piece = chunk.subarray(at, at + left)
        left -= piece.length
        at += piece.length
        const target = header[0] === 2 ? stderr : stdout
        if (!target.write(piece)) full = true
      }
      if (full) pauseUntilDrained(socket, [stdout, stderr])
    })
    socket
      .on('end', resolve)
      .on('close', resolve)
      .on('error', () => resolve())
  })
}

function pauseUntilDrained(socket: Readable, targets: readonly PassThrough[]): void {
  socket.pause()
  const waiting = targets.filter((t) => t.writableNeedDrain)
  let left = waiting.length
  if (left === 0) return void socket.resume()
  for (const target of waiting)
    target.once('drain', () => {
      left -= 1
      if (left === 0) socket.resume()
    })
}
