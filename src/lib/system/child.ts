/** A child process with pipes that is ended politely, and in any case. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'

export interface ChildSpec {
  file: string
  args: readonly string[]
  env: Record<string, string>
  cwd: string | null
  /** What the child can read from descriptor 3, and nobody else from anywhere; null: it has no such descriptor. */
  hidden: string | null
}

export type EndedBy = 'itself' | 'end of stdin' | 'SIGTERM' | 'SIGKILL'

export interface Child {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  exit(): { code: number | null; signal: NodeJS.Signals | null } | null
  /** When it has ended and its pipes are read to the end, or nobody closes them. */
  exited: Promise<void>
  /** False: it still lives after these milliseconds. */
  endsWithin(ms: number): Promise<boolean>
  /** End of stdin, SIGTERM, SIGKILL, each after its time; `beforeKill` comes between the last two. */
  end(limits: EndLimits): Promise<EndedBy>
}

export interface EndLimits {
  /** Milliseconds after the end of stdin. */
  stdinMs: number
  termMs: number
  /** Called before the first signal. */
  beforeSignal?: () => void
  /** A way that reaches further than a signal to the child. */
  beforeKill?: () => Promise<void>
  /** Signals go to all processes that the child started and that stayed in its group. */
  group: boolean
}

/** How long output may take after the end of the process; a forked grandchild could hold the pipes for ever. */
const drainMs = 500
const lastMs = 5000

/** Rejects when it cannot be started. Its own process group, so that Ctrl-C in a terminal reaches us alone. */
export async function startChild(spec: ChildSpec): Promise<Child> {
  const file = spec.hidden === null ? null : await namelessFile(spec.hidden)
  try {
    return await spawned(spec, file?.fd ?? null)
  } finally {
    await file?.close()
  }
}

/** Node's own pipes are sockets, which no program can open again under `/dev/fd`; a file that has lost its name can be. */
async function namelessFile(content: string): Promise<fs.FileHandle> {
  const name = path.join(os.tmpdir(), `doctor-${randomBytes(8).toString('hex')}`)
  const file = await fs.open(name, 'wx+', 0o600)
  await fs.unlink(name)
  // At a position: the offset, which some systems share with those who open it again, stays at the start.
  const bytes = Buffer.from(content)
  await file.write(bytes, 0, bytes.length, 0)
  return file
}

function spawned(spec: ChildSpec, third: number | null): Promise<Child> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(spec.file, [...spec.args], {
      env: spec.env,
      ...(spec.cwd === null ? {} : { cwd: spec.cwd }),
      stdio: ['pipe', 'pipe', 'pipe', ...(third === null ? [] : [third])],
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    child.on('error', reject)
    child.on('spawn', () => {
      const { stdin, stdout, stderr, pid } = child
      if (stdin === null || stdout === null || stderr === null || pid === undefined) return reject(new Error('The child has no pipes.'))
      resolve(running(child, pid, stdin, stdout, stderr))
    })
  })
}

function running(child: ChildProcess, pid: number, stdin: Writable, stdout: Readable, stderr: Readable): Child {
  let exit: ReturnType<Child['exit']> = null
  const exited = new Promise<void>((done) => {
    let late: NodeJS.Timeout | undefined
    child.on('close', () => {
      clearTimeout(late)
      done()
    })
    child.on('exit', (code, signal) => {
      exit = { code, signal }
      late = setTimeout(() => {
        stdout.destroy()
        stderr.destroy()
        done()
      }, drainMs)
    })
  })
  const within = (ms: number): Promise<boolean> => happensWithin(exited, ms)
  const signal = (name: 'SIGTERM' | 'SIGKILL', group: boolean): void => {
    try {
      if (group && process.platform !== 'win32') process.kill(-pid, name)
      else child.kill(name)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
  return {
    stdin,
    stdout,
    stderr,
    exit: () => exit,
    exited,
    endsWithin: within,
    async end({ stdinMs, termMs, beforeSignal, beforeKill, group }) {
      if (exit !== null) {
        await exited
        // What it left in its group.
        if (group) signal('SIGKILL', true)
        return 'itself'
      }
      stdin.end()
      if (await within(stdinMs)) {
        if (group) signal('SIGKILL', true)
        return 'end of stdin'
      }
      beforeSignal?.()
      signal('SIGTERM', group)
      const obeyed = await within(termMs)
      if (obeyed && !group) return 'SIGTERM'
      await beforeKill?.()
      if (!obeyed && beforeKill !== undefined && (await within(termMs))) return 'SIGKILL'
      signal('SIGKILL', group)
      // A process that the kernel holds (a dead network disk) survives even that for a while.
      await within(lastMs)
      return obeyed ? 'SIGTERM' : 'SIGKILL'
    },
  }
}

/** Is it fulfilled in so many milliseconds? The timer keeps nobody waiting longer. */
export async function happensWithin(event: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((done) => (timer = setTimeout(() => done(false), ms)))
  try {
    return await Promise.race([event.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
