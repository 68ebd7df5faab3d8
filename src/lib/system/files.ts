/** Files of this machine. Nothing here waits for a FIFO, a device or a dead network mount. */
import { constants, readSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf } from '../errors.ts'
import * as fs from './async-fs.ts'
import { followFile } from './file-follower.ts'
import { gunzipped, unpackedChunks } from './unpack.ts'
import { notObserved, observed, type Files, type HostPath, type Observed, type OpenFile, type SourceError } from './system.ts'

const largestUnpacked = 256 * 1024 * 1024
const limitMs = 10_000

export interface LiveFiles extends Files {
  /** Closes what callers left open. */
  close(): Promise<void>
}

export function createFiles(options: { maxUnpacked?: number } = {}): LiveFiles {
  const open = new Set<fs.FileHandle>()
  return {
    stat: (path) => attempt<HostPath>(path, async () => describe(await fs.diskOf(path).stat(path)), { type: 'missing' }),
    read: (path, limit) =>
      attempt<Buffer | null>(
        path,
        async () => {
          const handle = await openRegular(path)
          try {
            return await fs.readUpTo(handle, limit)
          } finally {
            await handle.close()
          }
        },
        null,
      ),
    open: (path) =>
      attempt<OpenFile | null>(
        path,
        async () => {
          const handle = await openRegular(path)
          try {
            const { size, mtimeMs, dev, ino } = await handle.stat()
            if (path.endsWith('.gz')) return inMemory(path, mtimeMs, await unpack(handle, options.maxUnpacked ?? largestUnpacked))
            const disk = fs.diskOf(path)
            const leadsTo = (await disk.lstat(path)).isSymbolicLink() ? { leadsTo: await disk.realpath(path) } : {}
            open.add(handle)
            const local = size >= worthAsking && disk === fs.quickDisk
            const shared = local ? { shared: { descriptor: handle.fd, dev, ino } } : {}
            return { ...positioned(path, handle, size, mtimeMs, open, local), ...leadsTo, ...shared }
          } finally {
            if (!open.has(handle)) await handle.close()
          }
        },
        null,
      ),
    unpack: (path) =>
      attempt<AsyncIterable<Buffer> | null>(
        path,
        async () => {
          const handle = await openRegular(path)
          open.add(handle)
          const done = async (): Promise<void> => {
            if (open.delete(handle)) await handle.close()
          }
          return unpackedChunks(handle, path, done)
        },
        null,
      ),
    follow: (path) =>
      followFile(path, {
        // Not there, or not readable: both may change while somebody waits.
        open: () => openRegular(path).catch(() => null),
        asFile: (handle, size) => positioned(path, handle, size, 0, new Set([handle]), false),
      }),
    list: (path) => attempt<string[] | null>(path, () => fs.diskOf(path).readdir(path), null),
    close: async () => {
      await Promise.all([...open].map((handle) => handle.close().catch(() => {})))
      open.clear()
    },
  }
}

/** `missing` is the answer when there is nothing at that path (a link to nothing included). */
async function attempt<T>(path: string, work: () => Promise<T>, missing: T): Promise<Observed<T>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Observed<T>>((resolve) => {
    timer = setTimeout(
      () => resolve(notObserved('timed-out', `${path}: the file system did not answer within ${limitMs / 1000} s.`)),
      limitMs,
    )
  })
  const now = work().then(
    (value): Observed<T> => observed(value),
    (error: unknown): Observed<T> => {
      const code = codeOf(error)
      // ENOTDIR: a part of the path is a file, so there is nothing below it.
      if (code === 'ENOENT' || code === 'ENOTDIR') return observed(missing)
      return notObserved(kindOf(code), `${path}: ${sentences[code] ?? (error instanceof Error ? error.message : String(error))}`)
    },
  )
  try {
    return await Promise.race([now, late])
  } finally {
    clearTimeout(timer)
  }
}

const kindOf = (code: string): SourceError['kind'] =>
  code === 'EACCES' || code === 'EPERM' || code === 'EFOREIGNLINK' ? 'denied' : 'failed'
const sentences: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'input/output error',
  ESTALE: 'stale network mount',
  // A socket, or a FIFO without a reader.
  ENXIO: 'not a regular file',
  ERR_INVALID_ARG_VALUE: 'not a usable path',
}

const describe = (stats: Stats): HostPath => ({
  type: typeOf(stats),
  mode: stats.mode & 0o7777,
  uid: stats.uid,
  gid: stats.gid,
  size: stats.size,
  mtimeMs: stats.mtimeMs,
})

const typeOf = (stats: Stats): 'file' | 'directory' | 'socket' | 'fifo' | 'other' =>
  stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : stats.isSocket() ? 'socket' : stats.isFIFO() ? 'fifo' : 'other'

/** Looks before it opens (opening a device can do something), and again after, in case the path was exchanged. */
async function openRegular(path: string, again = true): Promise<fs.FileHandle> {
  const disk = fs.diskOf(path)
  refuseOthers(await disk.stat(path))
  // Without O_NONBLOCK opening a FIFO waits for a writer. Windows has neither.
  const handle = await disk.open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0))
  let same: boolean
  try {
    const opened = await handle.stat()
    refuseOthers(opened)
    same = await isAllowed(disk, path, opened)
    if (!same && !again) throw new Error('it was exchanged while it was opened')
  } catch (error) {
    await handle.close()
    throw error
  }
  if (same) return handle
  // A log that was rotated just then.
  await handle.close()
  return openRegular(path, false)
}

/**
 * Who runs this with more rights (root, say) than those whose logs are looked at must not be led by a link of theirs to a file that
 * only he may read: a bundle would hold it. As Linux does it where everybody may write (fs.protected_symlinks). Windows has no owners.
 * Of the file and of its folder, and of what was opened, so that nothing is won by exchanging them meanwhile. False: the path
 * names another file by now.
 */
async function isAllowed(disk: fs.Disk, path: string, opened: Stats): Promise<boolean> {
  const uid = process.getuid?.()
  if (uid === undefined) return true
  const [folder, named] = await Promise.all([disk.lstat(dirname(path)), disk.lstat(path)])
  for (const link of [folder, named])
    if (link.isSymbolicLink() && link.uid !== uid && link.uid !== 0 && opened.uid !== link.uid)
      throw Object.assign(new Error('a link of another user to a file that is not theirs'), { code: 'EFOREIGNLINK' })
  return named.isSymbolicLink() || (named.ino === opened.ino && named.dev === opened.dev)
}

function refuseOthers(stats: Stats): void {
  if (!stats.isFile()) throw new Error(`not a regular file (${typeOf(stats) === 'other' ? 'device' : typeOf(stats)})`)
}

/** Smaller files are read at once anyway. */
const worthAsking = 1024 * 1024

function positioned(
  path: string,
  handle: fs.FileHandle,
  size: number,
  mtimeMs: number,
  open: Set<fs.FileHandle>,
  atOnce: boolean,
): OpenFile {
  return {
    path,
    size,
    mtimeMs,
    ...(atOnce
      ? {
          readNow: (offset: number, length: number, into: Buffer): Buffer => {
            const wanted = Math.max(0, Math.min(length, size - offset, into.length))
            let have = 0
            while (have < wanted) {
              const bytesRead = readSync(handle.fd, into, have, wanted - have, offset + have)
              if (bytesRead === 0) break
              have += bytesRead
            }
            return into.subarray(0, have)
          },
        }
      : {}),
    read: async (offset, length, into) => {
      // A log grows while it is read; what came after opening belongs to the next look.
      const wanted = Math.max(0, Math.min(length, size - offset))
      const buffer = into !== undefined && into.length >= wanted ? into : Buffer.allocUnsafe(wanted)
      let have = 0
      while (have < wanted) {
        const { bytesRead } = await handle.read(buffer, have, wanted - have, offset + have)
        if (bytesRead === 0) break
        have += bytesRead
      }
      return buffer.subarray(0, have)
    },
    close: async () => {
      if (!open.delete(handle)) return
      await handle.close()
    },
  }
}

async function unpack(handle: fs.FileHandle, maxUnpacked: number): Promise<Buffer> {
  const packed = await fs.readUpTo(handle, maxUnpacked + 1)
  const tooLarge = `larger than ${Math.round(maxUnpacked / 1024 ** 2)} MiB`
  if (packed.length > maxUnpacked) throw new Error(tooLarge)
  if (packed.length === 0) return packed
  try {
    return await gunzipped(packed, maxUnpacked)
  } catch (error) {
    throw new Error(
      codeOf(error) === 'ERR_BUFFER_TOO_LARGE'
        ? `unpacked ${tooLarge}`
        : `cannot be unpacked (${error instanceof Error ? error.message : String(error)})`,
      { cause: error },
    )
  }
}

const inMemory = (path: string, mtimeMs: number, content: Buffer): OpenFile => ({
  path,
  size: content.length,
  mtimeMs,
  read: (offset, length) => Promise.resolve(content.subarray(offset, offset + length)),
  close: () => Promise.resolve(),
})
