/**
 * The part of `node:fs/promises` that every look needs, made of the functions with callbacks: those are there at the start of every
 * process, while the module with promises brings streams, watchers and readline with it.
 */
import fs from 'node:fs'
import { promisify } from 'node:util'

const chunkSize = 64 * 1024

export const lstat = promisify(fs.lstat)
export const stat = promisify(fs.stat)
export const statfs = promisify(fs.statfs)
export const readdir: (path: string) => Promise<string[]> = promisify(fs.readdir)
export const realpath: (path: string) => Promise<string> = promisify(fs.realpath.native)
export const readlink: (path: string) => Promise<string> = promisify(fs.readlink)

const opened = promisify(fs.open)
const closed = promisify(fs.close)
const fstat = promisify(fs.fstat)
const read = promisify(fs.read)

/** An open file, as `FileHandle` of Node; whoever has it closes it. */
export interface FileHandle {
  readonly fd: number
  stat(): Promise<fs.Stats>
  /** `position` null: where the last reading ended. */
  read(buffer: Buffer, offset: number, length: number, position: number | null): Promise<{ bytesRead: number }>
  close(): Promise<void>
}

export async function open(path: string, flags: number): Promise<FileHandle> {
  const fd = await opened(path, flags)
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
  return {
    fd,
    stat: () => kept(fstat(fd)),
    read: (buffer, offset, length, position) => kept(read(fd, buffer, offset, length, position)),
    close: async () => {
      await Promise.allSettled(pending)
      await closed(fd)
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
