/** Results for programs to read, as files: the whole text under its name, or what was there before. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { UserError, codeOf } from '../errors.ts'

const reasons: Record<string, string> = {
  EACCES: 'this is not allowed',
  EPERM: 'this is not allowed',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'the name is too long',
}

/** Why nothing can be written there; null: the error is of another kind. */
export const whyUnwritable = (error: unknown): string | null => reasons[codeOf(error)] ?? null

/** A UserError when it cannot be written. */
export async function writeTextFile(file: string, text: string): Promise<void> {
  try {
    await writeWhole(file, text)
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${whyUnwritable(error) ?? (codeOf(error) || String(error))}.`, ['Name another file.'])
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const known = await fs.lstat(file).catch(() => null)
  // A pipe, a device, a link or a file of another user is written to as it is.
  if (known !== null && (!known.isFile() || known.uid !== (process.getuid?.() ?? known.uid))) return fs.writeFile(file, text)
  if (known !== null) await fs.access(file, constants.W_OK)
  const temporary = path.join(
    path.dirname(path.resolve(file)),
    `.${path.basename(file).slice(0, 200)}.${randomBytes(6).toString('hex')}.part`,
  )
  try {
    await fs.writeFile(temporary, text, { flag: 'wx' })
    if (known !== null) await fs.chmod(temporary, known.mode & 0o777)
    await fs.rename(temporary, file)
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined)
    // A folder in which nothing new may be made, but this file may be changed.
    if (known !== null && /^E(?:ACCES|PERM)$/.test(codeOf(error))) return fs.writeFile(file, text)
    throw error
  }
}
