/**
 * The part of `node:fs/promises` that every look needs, made of the functions with callbacks: those are there at the start of every
 * process, while the module with promises brings streams, watchers and readline with it.
 */
import fs from 'node:fs'
import { promisify } from 'node:util'
import { isLocal } from './mounts.ts'

const chunkSize = 64 * 1024

export const lstat = promisify(fs.lstat)
export const stat = promisify(fs.stat)
export const readdir: (path: string) => Promise<string[]> = promisify(fs.readdir)
export const realpath: (path: string) => Promise<string> = promisify(fs.realpath.native)
export const readlink: (path: string) => Promise<string> = promisify(fs.readlink)

const opened = promisify(fs.open)
const closed = promisify(fs.close)
const fstat = promisify(fs.fstat)
const read = promisify(fs.read)

/** A clock that nobody sets, in milliseconds. (Node's `performance` is loaded when it is first used, which takes one.) */
export const clock = (): number => {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}

/** So long others may have to wait for their turn (signals, timers), in milliseconds. */
const longestStretch = 20
let turned = 0

/** Lets others have their turn. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  turned = clock()
}

/** Whether others have waited long enough. */
export const isTurnDue = (): boolean => clock() - turned > longestStretch

/** What is done at once instead of by Node's threads, with the same promises. */
const atOnce =
  <Args extends unknown[], T>(work: (...args: Args) => T) =>
  async (...args: Args): Promise<T> => {
    if (isTurnDue()) await turn()
    return work(...args)
  }

/** Where a path is: how it is asked. */
export interface Disk {
  lstat: (path: string) => Promise<fs.Stats>
  stat: (path: string) => Promise<fs.Stats>
  readdir: (path: string) => Promise<string[]>
  realpath: (path: string) => Promise<string>
  open: (path: string, flags: number) => Promise<FileHandle>
}

/** Anything that may keep a question waiting, a network mount for one. */
export const anyDisk: Disk = { lstat, stat, readdir, realpath, open: async (path, flags) => handleOf(await opened(path, flags), 0) }

/**
 * One that answers. To wait for Node's threads takes longer than the answer, and several times as long while another thread begins
 * (second-reader.ts): it was an eighth of the time of a search.
 */
export const quickDisk: Disk = {
  lstat: atOnce((path: string) => fs.lstatSync(path)),
  stat: atOnce((path: string) => fs.statSync(path)),
  readdir: atOnce((path: string) => fs.readdirSync(path)),
  realpath: atOnce((path: string) => fs.realpathSync.native(path)),
  open: atOnce((path: string, flags: number) => handleOf(fs.openSync(path, flags), mostAtOnce)),
}

/** In bytes, of each file. */
const mostAtOnce = 1024 * 1024

/** The disk that an absolute path leads to. */
export const diskOf = (path: string): Disk => (isLocal(path) ? quickDisk : anyDisk)

/** An open file, as `FileHandle` of Node; whoever has it closes it. */
export interface FileHandle {
  readonly fd: number
  stat(): Promise<fs.Stats>
  /** `position` null: where the last reading ended. */
  read(buffer: Buffer, offset: number, length: number, position: number | null): Promise<{ bytesRead: number }>
  close(): Promise<void>
}

/** `left`: so many bytes are read at once, and then nothing else has to wait either. */
function handleOf(fd: number, left: number): FileHandle {
  const isQuick = left > 0
  // The number of a closed file is that of the next one that is opened: nothing may still read by it.
  const pending = new Set<Promise<unknown>>()
  const kept = async <T>(work: Promise<T>): Promise<T> => {
    pending.add(work)
    try {
      return await work
    } finally {
      pending.delete(work)
    }
  }
  const readNow = atOnce((buffer: Buffer, offset: number, length: number, position: number | null) => ({
    bytesRead: fs.readSync(fd, buffer, offset, length, position),
  }))
  return {
    fd,
    stat: () => (isQuick ? atOnce(() => fs.fstatSync(fd))() : kept(fstat(fd))),
    read: (buffer, offset, length, position) => {
      if (length > left) return kept(read(fd, buffer, offset, length, position))
      left -= length
      return readNow(buffer, offset, length, position)
    },
    close: async () => {
      await Promise.allSettled(pending)
      await (isQuick ? atOnce(fs.closeSync)(fd) : closed(fd))
    },
  }
}

/** In chunks and not by size: files of /proc say that they are empty. */
export async function readUpTo(handle: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let have = 0
  while (have < limit) {
    const chunk = Buffer.allocUnsafe(Math.min(limit - have, have < chunkSize ? chunkSize : 16 * chunkSize))
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null)
    if (bytesRead === 0) break
    chunks.push(chunk.subarray(0, bytesRead))
    have += bytesRead
  }
  return Buffer.concat(chunks, have)
}
