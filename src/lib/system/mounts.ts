/**
 * Which paths lead to a disk of this machine, by way of nothing but such disks. Nothing else is touched to find that out: a network mount that is
 * dead never answers. (A disk that fails may not either, but then this program does not start.) Linux only; elsewhere no path is known to.
 */
import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'

/** File systems of disks and memory of this machine, as `/proc/self/mountinfo` names them. */
const localTypes = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'zfs', 'f2fs', 'tmpfs', 'devtmpfs', 'ramfs', 'overlay'])
/** As many as Linux follows. */
const mostLinks = 40
/** What was found holds so long, in milliseconds: disks come and go. */
const knownMs = 1000

/** File systems by where they are mounted. */
export type Mounts = ReadonlyMap<string, string>

/** `text`: that of `/proc/self/mountinfo` (proc_pid_mountinfo(5)). Where several are mounted in one place, a foreign one counts. */
export function parseMounts(text: string): Mounts {
  const mounts = new Map<string, string>()
  for (const line of text.split('\n')) {
    const point = line.split(' ', 5)[4]
    const type = /^[^ ]+/.exec(line.slice(line.indexOf(' - ') + 3))?.[0]
    if (point === undefined || type === undefined) continue
    const place = point.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
    const before = mounts.get(place)
    // What mounts others when they are asked for stays beneath them.
    if (before === undefined || before === 'autofs' || localTypes.has(before)) mounts.set(place, type)
  }
  return mounts
}

/** `name`: absolute. True also for what is missing on such a disk. */
export function createDisks(mounts: Mounts): (name: string) => boolean {
  const known = new Map<string, string | null>()
  let links = 0
  /** Where a name in a folder leads to, with no link in it; null: to another disk. The folder is on one of ours. */
  const step = (folder: string, name: string): string | null => {
    const full = folder === '/' ? `/${name}` : `${folder}/${name}`
    const before = known.get(full)
    if (before !== undefined) return before
    const type = mounts.get(full)
    let found: string | null = full
    if (type !== undefined && !localTypes.has(type)) found = null
    else {
      const target = linkAt(full)
      if (target !== null) found = ++links > mostLinks ? null : walk(folder, target)
    }
    known.set(full, found)
    return found
  }
  const walk = (from: string, name: string): string | null => {
    let at: string | null = name.startsWith('/') ? '/' : from
    for (const part of name.split('/')) {
      if (part === '..') at = path.posix.dirname(at)
      else if (part !== '' && part !== '.') at = step(at, part)
      if (at === null) return null
    }
    return at
  }
  return (name) => {
    links = 0
    return name.startsWith('/') && localTypes.has(mounts.get('/') ?? '') && walk('/', name) !== null
  }
}

function linkAt(name: string): string | null {
  try {
    return lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(name) : null
  } catch {
    // Neither is it to be had for whoever asks for more.
    return null
  }
}

let disks: { isLocal: (name: string) => boolean; until: number } | undefined

/** Whether an absolute path leads to a disk of this machine. */
export function isLocal(name: string): boolean {
  if (process.platform !== 'linux') return false
  if (disks === undefined || Date.now() >= disks.until) disks = { isLocal: createDisks(readMounts()), until: Date.now() + knownMs }
  return disks.isLocal(name)
}

function readMounts(): Mounts {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  } catch {
    return new Map()
  }
}
