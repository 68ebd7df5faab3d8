/** Whether a log is so large that its search is worth a second thread, found out at once. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { isLocal } from './mounts.ts'

/** In bytes. Of a smaller file most is read before a second thread has begun. */
export const worthSecondThread = 512 * 1024 * 1024
/** How much of its end is looked at, in bytes. */
const endSize = 256 * 1024

/** The last 256 KiB of a file of at least `size` bytes on a disk of this machine. Null: it is none of those, or a link. Throws what looking at it throws. */
export function endOfLarge(file: string, size = worthSecondThread): Buffer | null {
  const named = isLocal(file) ? lstatSync(file) : null
  if (!named?.isFile() || named.size < size) return null
  const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW)
  try {
    const opened = fstatSync(handle)
    if (opened.ino !== named.ino || opened.dev !== named.dev) return null
    const end = Buffer.allocUnsafe(Math.min(endSize, opened.size))
    return end.subarray(0, readSync(handle, end, 0, end.length, opened.size - end.length))
  } finally {
    closeSync(handle)
  }
}
