/** Files that the user asked to be written. */
import fs from 'node:fs/promises'
import { UserError } from '../errors.ts'

export async function writeTextFile(file: string, text: string): Promise<void> {
  try {
    await fs.writeFile(file, text)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = {
      ENOENT: 'its folder does not exist',
      EACCES: 'this user may not write there',
      EISDIR: 'it is a folder',
      ENOSPC: 'the disk is full',
      EROFS: 'the disk is read-only',
    }[code]
    throw new UserError(`${file} could not be written: ${why ?? code}.`, ['Name another file.'])
  }
}
