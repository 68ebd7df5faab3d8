/**
 * Standard output and standard error without Node's streams, which cost some milliseconds to load, where what is there needs none of
 * them; and a file of which all is written, or it is said that it was not.
 */
import { fstatSync, statSync, writeSync, type Stats } from 'node:fs'
import { UserError, codeOf } from '../errors.ts'

/** Less than any pipe takes at once, so that nobody waits for its reader here, deaf to signals. */
const fitsIntoPipes = 16 * 1024

/** What an output is stays the same. */
const files = new Map<number, boolean>()

/**
 * Node's own stream for files passes over what a disk that is nearly full did not take. False: it is no file, and nothing was
 * written. Throws a UserError where the disk is full.
 */
export function writeToFile(fd: number, data: string | Uint8Array): boolean {
  const isFile = files.get(fd) ?? fstatSync(fd).isFile()
  files.set(fd, isFile)
  if (!isFile) return false
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at)
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
    throw new UserError('The result cannot be written to standard output: the disk is full.', ['Make room, or write it elsewhere.'])
  }
  return true
}

/** What goes to Node's stream, and what was written to once: a pipe may be full by then. */
const streaming = new Set<number>()

/** Writes what a pipe, a socket or /dev/null takes at once, the first time. Returns what is left for Node's stream; null: nothing, or nobody reads any more. */
export function writeAtOnce(fd: number, text: string): Uint8Array | null {
  const bytes = Buffer.from(text)
  if (streaming.has(fd) || bytes.length > fitsIntoPipes || process.platform === 'win32' || !needsNoStream(fstatSync(fd)))
    return left(fd, bytes)
  streaming.add(fd)
  let at = 0
  try {
    while (at < bytes.length) at += writeSync(fd, bytes, at)
    return null
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EPIPE' || code === 'ECONNRESET') return null
    if (code === 'EAGAIN') return left(fd, bytes.subarray(at))
    throw error
  }
}

function left(fd: number, bytes: Uint8Array): Uint8Array {
  streaming.add(fd)
  return bytes
}

/** Whether it is one, and how wide (0 where it does not say). */
export function terminalAt(stream: 'stdout' | 'stderr'): { isTerminal: boolean; columns?: number } {
  if (process.platform !== 'win32') {
    const stats = fstatSync(stream === 'stdout' ? 1 : 2)
    if (stats.isFile() || needsNoStream(stats)) return { isTerminal: false }
  }
  const { isTTY, columns } = process[stream]
  return { isTerminal: isTTY, columns }
}

const needsNoStream = (stats: Stats): boolean =>
  stats.isFIFO() || stats.isSocket() || (stats.isCharacterDevice() && stats.rdev === statSync('/dev/null').rdev)
