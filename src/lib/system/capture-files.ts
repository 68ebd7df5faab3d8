/** The files of a capture, in a folder or in memory. Names are relative, with `/`. */
import { constants } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import * as fs from './async-fs.ts'

export interface CaptureFile {
  name: string
  bytes: Buffer
}

/** A large one, deflated: all of them at once take little room, whatever is in them. */
export interface PackedFile {
  name: string
  packed: Buffer
  /** Of the content. */
  size: number
}

export interface CaptureFiles {
  /** Null: there is no such file. */
  read(name: string): Promise<Buffer | null>
  /** Null: there is no such folder. */
  list(folder: string): Promise<string[] | null>
  /** At any place of the file; null: there is no such file. */
  open(name: string): Promise<{ size: number; read(offset: number, length: number): Promise<Buffer>; close(): Promise<void> } | null>
}

/** Links that lead out of the folder are no part of the capture: it may come from somebody who wants another file shown. */
export function folderFiles(root: string): CaptureFiles {
  const disk = fs.diskOf(path.resolve(root))
  let real: Promise<string> | undefined
  const inside = async (name: string): Promise<string | null> => {
    try {
      const [base, full] = await Promise.all([(real ??= disk.realpath(root)), disk.realpath(path.join(root, name))])
      return full === base || full.startsWith(base + path.sep) ? full : null
    } catch {
      return null
    }
  }
  const openRegular = async (name: string): Promise<fs.FileHandle | null> => {
    const full = await inside(name)
    if (full === null) return null
    try {
      // Opening a FIFO would wait for a writer.
      return (await disk.stat(full)).isFile() ? await disk.open(full, constants.O_RDONLY) : null
    } catch {
      return null
    }
  }
  return {
    async read(name) {
      const handle = await openRegular(name)
      if (handle === null) return null
      try {
        return await fs.readUpTo(handle, Infinity)
      } finally {
        await handle.close()
      }
    },
    async list(folder) {
      const full = await inside(folder)
      if (full === null) return null
      try {
        return await disk.readdir(full)
      } catch {
        return null
      }
    },
    async open(name) {
      const handle = await openRegular(name)
      if (handle === null) return null
      const { size } = await handle.stat()
      return {
        size,
        read: async (offset, length) => {
          const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)))
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset)
          return buffer.subarray(0, bytesRead)
        },
        close: () => handle.close(),
      }
    },
  }
}

export function memoryFiles(files: readonly (CaptureFile | PackedFile)[]): CaptureFiles {
  const byName = new Map(files.map((f) => [f.name, f]))
  const contentOf = async (name: string): Promise<Buffer | null> => {
    const file = byName.get(name)
    return file === undefined ? null : 'bytes' in file ? file.bytes : inflated(file)
  }
  return {
    read: contentOf,
    list(folder) {
      const prefix = `${folder}/`
      const names = new Set([...byName.keys()].flatMap((n) => (n.startsWith(prefix) ? [n.slice(prefix.length).split('/')[0] ?? ''] : [])))
      return Promise.resolve(names.size > 0 ? [...names] : null)
    },
    async open(name) {
      const bytes = await contentOf(name)
      return bytes === null
        ? null
        : {
            size: bytes.length,
            read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
            close: () => Promise.resolve(),
          }
    },
  }
}

/** Into the room that it needs, and no more. */
async function inflated({ packed, size }: PackedFile): Promise<Buffer> {
  const { createInflateRaw } = await import('node:zlib')
  const content = Buffer.allocUnsafe(size)
  let have = 0
  for await (const chunk of Readable.from([packed]).pipe(createInflateRaw()) as AsyncIterable<Buffer>) have += chunk.copy(content, have)
  return content.subarray(0, have)
}
