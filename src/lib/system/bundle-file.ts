/** Puts a capture under its name at once: whoever finds that name finds a whole capture. */
import fs from 'node:fs/promises'
import path from 'node:path'
import { randomBytes } from 'node:crypto'
import { UserError } from '../errors.ts'
import { packArchive } from './archive.ts'
import type { CaptureFile } from './capture-files.ts'
import { whyUnwritable } from './text-output.ts'

export const isArchiveName = (target: string): boolean => /\.(?:tgz|tar\.gz)$/i.test(target)

/** Nothing that exists is overwritten. Throws a UserError. */
export async function refuseExisting(target: string): Promise<void> {
  if (await exists(target)) throw new UserError(`${target} exists already.`, ['Name another place with -o.'])
}

/**
 * `target`: a .tgz, or a folder that does not exist. Only its owner can read it. Returns the bytes that it takes.
 * `stop`: then nothing is left, also not under another name, and its reason is thrown.
 */
export async function writeBundle(target: string, files: readonly CaptureFile[], stop?: AbortSignal): Promise<number> {
  await refuseExisting(target)
  const temporary = path.join(path.dirname(path.resolve(target)), `.${path.basename(target)}.${randomBytes(6).toString('hex')}.part`)
  try {
    const bytes = isArchiveName(target) ? await writeArchive(temporary, files, stop) : await writeFolder(temporary, files, stop)
    await refuseExisting(target)
    stop?.throwIfAborted()
    await fs.rename(temporary, target)
    return bytes
  } catch (error) {
    // Where not even this can be done, nothing was written.
    await fs.rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    if (error instanceof UserError || stop?.aborted) throw error
    const why = whyUnwritable(error)
    if (why === null) throw error
    throw new UserError(`${target} cannot be written: ${why}.`, ['Name another place with -o.'])
  }
}

async function writeArchive(file: string, files: readonly CaptureFile[], stop?: AbortSignal): Promise<number> {
  const bytes = await packArchive(files)
  stop?.throwIfAborted()
  const handle = await fs.open(file, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return bytes.length
}

async function writeFolder(folder: string, files: readonly CaptureFile[], stop?: AbortSignal): Promise<number> {
  await fs.mkdir(folder, { mode: 0o700 })
  let bytes = 0
  for (const file of files) {
    stop?.throwIfAborted()
    const full = path.join(folder, file.name)
    await fs.mkdir(path.dirname(full), { recursive: true, mode: 0o700 })
    await fs.writeFile(full, file.bytes, { flag: 'wx', mode: 0o600 })
    bytes += file.bytes.length
  }
  return bytes
}

const exists = (file: string): Promise<boolean> =>
  fs.lstat(file).then(
    () => true,
    () => false,
  )
