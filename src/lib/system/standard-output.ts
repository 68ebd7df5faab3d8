/** Standard output that is a file: all of it is written, or it is said that it was not. */
import { fstatSync, writeSync } from 'node:fs'
import { UserError } from '../errors.ts'

/**
 * Node's own stream for files passes over what a disk that is nearly full did not take. False: it is no file, and nothing was
 * written. Throws a UserError where the disk is full.
 */
export function writeToFile(fd: number, data: string | Uint8Array): boolean {
  if (!fstatSync(fd).isFile()) return false
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
    throw new UserError('The result cannot be written to standard output: the disk is full.', ['Make room, or write it elsewhere.'])
  }
  return true
}
