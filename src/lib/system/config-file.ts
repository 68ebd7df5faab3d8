/**
 * The configuration file as something that is written: always as a whole, by a temporary file beside it and a rename, so that
 * at every moment the file holds the old bytes or the new ones. Backups lie beside the file (beside the link, where it is one).
 */
import { constants } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { UserError, codeOf } from '../errors.ts'

export interface ConfigFile {
  /** As it was named; may be a symbolic link. */
  path: string
  /** The file itself. */
  target: string
  bytes: Buffer
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
}

/** Somebody else wrote the file since it was read. */
export class ConfigChanged extends Error {
  constructor(file: string) {
    super(`${file} was changed by another program in the meantime`)
    this.name = 'ConfigChanged'
  }
}

const largest = 32 * 1024 * 1024
const kept = 10
const infix = '.doctor-'

export async function readConfigFile(file: string): Promise<ConfigFile> {
  try {
    const target = await fs.realpath(file)
    const stat = await fs.stat(target)
    if (!stat.isFile()) throw new UserError(`${target} is not a regular file.`)
    if (stat.size > largest) throw new UserError(`${target} is larger than ${largest / 1024 ** 2} MiB.`)
    const bytes = await fs.readFile(target)
    return { path: path.resolve(file), target, bytes, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid }
  } catch (error) {
    throw explained(error, file, 'read')
  }
}

/** Without symbolic links; the path itself where there is no such file. */
export const realPath = (file: string): Promise<string> => fs.realpath(file).catch(() => path.resolve(file))

/**
 * Puts `bytes` in place of what `file` was read as; mode and owner stay.
 * @throws ConfigChanged when the file no longer holds the bytes that were read; UserError when it cannot be written. Both times
 * nothing was changed.
 */
export async function replaceConfigFile(file: ConfigFile, bytes: Buffer): Promise<ConfigFile> {
  try {
    await writeWhole(file.target, bytes, file.mode, file, path.basename(file.target), async () => {
      const now = await fs.readFile(file.target).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') throw new ConfigChanged(file.target)
        throw error
      })
      if (!now.equals(file.bytes)) throw new ConfigChanged(file.target)
    })
  } catch (error) {
    throw explained(error, file.target, 'written')
  }
  return { ...file, bytes }
}

/** Writes the bytes that were read into a backup, readable for its owner alone; older ones than the last ten go. */
export async function backUp(file: ConfigFile, now: Date): Promise<{ backup: string; removed: string[] }> {
  const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  const existing = await listBackups(file.path)
  const newest = existing[0] === undefined ? null : partsOf(existing[0])
  // The newest has the last name, also within one second and when the clock was set back.
  const name = newest === null || newest.stamp < stamp ? stamp : `${newest.stamp}-${newest.number + 1}`
  const backup = `${file.path}${infix}${name}`
  try {
    // As a new file of ours it would not be the owner's any more, and neither would the configuration itself.
    await writeWhole(backup, file.bytes, 0o600, file, path.basename(file.path))
  } catch (error) {
    throw explained(error, backup, 'written')
  }
  const removed = existing.slice(kept - 1)
  for (const old of removed) await removeBackup(old)
  return { backup, removed }
}

/** Absolute paths, the newest first. */
export async function listBackups(file: string): Promise<string[]> {
  const folder = path.dirname(path.resolve(file))
  const start = `${path.basename(file)}${infix}`
  const names = await fs.readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw explained(error, folder, 'read')
  })
  return names
    .filter((n) => n.startsWith(start) && /^\d{8}-\d{6}(-\d+)?$/.test(n.slice(start.length)))
    .sort((x, y) => {
      const [a, b] = [partsOf(x), partsOf(y)]
      return a.stamp === b.stamp ? b.number - a.number : a.stamp < b.stamp ? 1 : -1
    })
    .map((n) => path.join(folder, n))
}

/** `….doctor-20261124-101500-2`; the first of a second has no number. */
function partsOf(backup: string): { stamp: string; number: number } {
  const [, stamp = '', number = '1'] = /(\d{8}-\d{6})(?:-(\d+))?$/.exec(backup) ?? []
  return { stamp, number: Number(number) }
}

export const readBackup = (backup: string): Promise<Buffer> =>
  fs.readFile(backup).catch((error: unknown) => {
    throw explained(error, backup, 'read')
  })

export async function removeBackup(backup: string): Promise<void> {
  await fs.rm(backup, { force: true })
}

/** The file is complete under its name, or not there: written beside it, forced to the disk, and renamed. */
async function writeWhole(
  file: string,
  bytes: Buffer,
  mode: number,
  owner: ConfigFile,
  /** Temporary files are named after it, so that the next run finds those of a killed one. */
  base: string,
  check: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const folder = path.dirname(file)
  const prefix = `.${base}.doctor-tmp-`
  await sweep(folder, prefix)
  const temporary = path.join(folder, `${prefix}${process.pid}`)
  try {
    // Nobody else may read it while it is written: it holds secrets.
    const handle = await fs.open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      await handle.writeFile(bytes)
      await keepOwner(handle, owner, mode)
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await check()
    await fs.rename(temporary, file)
  } catch (error) {
    await fs.rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
}

/** Only root may give a file away; a group matters only where it may do more than everybody. */
async function keepOwner(handle: fs.FileHandle, { uid, gid, target }: ConfigFile, mode: number): Promise<void> {
  if (process.platform === 'win32') return
  const made = await handle.stat()
  if (made.uid === uid && (made.gid === gid || (mode & 0o070) === 0 || ((mode >> 3) & 7) === (mode & 7))) {
    if (made.gid !== gid) await handle.chown(uid, gid).catch(() => undefined)
    return
  }
  try {
    await handle.chown(uid, gid)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error
    throw new UserError(
      `${target} belongs to ${made.uid === uid ? `group ${gid}` : `another user (uid ${uid})`}, which a new file of yours would not.`,
      ['Run mcpproxy-doctor as the user that MCPProxy runs as.', 'Nothing was changed.'],
    )
  }
}

/** The rename itself is on the disk only with its folder; not every file system lets a folder be synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, constants.O_RDONLY).catch(() => null)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

/** Temporary files of doctors that were killed. */
async function sweep(folder: string, prefix: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : NaN
    if (Number.isSafeInteger(pid) && (pid === process.pid || !isAlive(pid))) await fs.rm(path.join(folder, name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

const causes: Record<string, [string, string?]> = {
  ENOENT: ['there is no such file'],
  ENOTDIR: ['there is no such file'],
  EACCES: ['permission denied', 'A new file is written beside it and renamed: the folder must be writable for you.'],
  EPERM: ['the operating system does not allow it', 'Run mcpproxy-doctor as the user that MCPProxy runs as.'],
  EROFS: ['the file system is read-only', 'Change the file where it is mounted from.'],
  ENOSPC: ['the disk is full', 'Make room, then try again.'],
  EDQUOT: ['your disk quota is used up', 'Make room, then try again.'],
  EBUSY: ['it is mounted by itself, so it cannot be replaced by a new file', 'Change the file where it is mounted from.'],
  ELOOP: ['too many symbolic links'],
  EIO: ['input/output error'],
}

function explained(error: unknown, file: string, done: 'read' | 'written'): unknown {
  const [why, what] = causes[codeOf(error)] ?? []
  if (why === undefined) return error
  return new UserError(`${file} cannot be ${done}: ${why}.`, [
    ...(what !== undefined && done === 'written' ? [what] : []),
    ...(done === 'written' ? ['Nothing was changed.'] : []),
  ])
}
