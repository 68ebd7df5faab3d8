/** A capture as one .tgz file. It is read into memory and never unpacked to a disk; what no capture would hold is refused. */
import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createDeflateRaw, createGunzip, gzip } from 'node:zlib'
import { promisify } from 'node:util'
import { UserError } from '../errors.ts'
import type { CaptureFile, PackedFile } from './capture-files.ts'

export interface ArchiveLimits {
  /** Bytes of one file. */
  entry: number
  /** Bytes of everything, unpacked, headers too: of a bomb no more is unpacked. */
  total: number
  entries: number
}

const usual: ArchiveLimits = { entry: 32 * 1024 ** 2, total: 256 * 1024 ** 2, entries: 20_000 }
/** Larger ones are kept deflated: of what was made to be large nearly nothing is left then. */
const worthPacking = 1024 ** 2
const mebi = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`

export async function readArchive(file: string, limits: ArchiveLimits = usual): Promise<(CaptureFile | PackedFile)[]> {
  const refuse = (why: string): UserError => new UserError(`${file} is refused as a capture: ${why}.`)
  const { createTarDecoder } = await import('modern-tar')
  const source = createReadStream(file)
  const unzipped = createGunzip()
  source.on('error', (error) => unzipped.destroy(error))
  async function* bounded(): AsyncGenerator<Uint8Array> {
    let total = 0
    let end = Buffer.alloc(0)
    for await (const chunk of source.pipe(unzipped) as AsyncIterable<Buffer>) {
      total += chunk.length
      end = Buffer.concat([end, chunk.subarray(-1024)]).subarray(-1024)
      if (total > limits.total) throw refuse(`unpacked it is larger than ${mebi(limits.total)}`)
      yield chunk
    }
    // Cut off between two entries it would look whole.
    if (end.length < 1024 || end.some((byte) => byte !== 0)) throw refuse('it has no end mark: it was cut off, or is no tar')
  }
  const files: (CaptureFile | PackedFile)[] = []
  const seen = new Set<string>()
  try {
    const entries = ReadableStream.from(bounded()).pipeThrough(createTarDecoder({ strict: true }))
    for await (const { header, body } of entries as AsyncIterable<{
      header: { name: string; type?: string; size: number }
      body: AsyncIterable<Uint8Array>
    }>) {
      const type = header.type ?? 'file'
      if (type !== 'file' && type !== 'directory') throw refuse(`"${header.name}" in it is a ${type}`)
      const name = entryName(header.name, type)
      if (name === null) throw refuse(`the name "${header.name}" in it leads elsewhere`)
      if (type === 'file' && seen.has(name)) throw refuse(`"${name}" is in it twice`)
      if (header.size > limits.entry) throw refuse(`"${name}" in it is larger than ${mebi(limits.entry)}`)
      if (type === 'file') seen.add(name)
      if (files.length >= limits.entries) throw refuse(`it has more than ${limits.entries} files`)
      if (header.size <= worthPacking) {
        const bytes = await buffer(body)
        if (type === 'file') files.push({ name, bytes })
      } else {
        const packed = await pipeline(body, createDeflateRaw({ level: 1 }), (source) => buffer(source))
        if (type === 'file') files.push({ name, packed, size: header.size })
      }
    }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${file} cannot be read as a capture: ${error instanceof Error ? error.message : String(error)}.`, [
      '--from takes a folder with a capture.json, or a .tgz that bundle has written.',
    ])
  } finally {
    source.destroy()
    unzipped.destroy()
  }
  return withoutTopFolder(files)
}

/** Relative, with `/`, without `.`; null: it would lead out of the archive, or means different things on different systems. */
function entryName(name: string, type: string): string | null {
  const plain = type === 'directory' ? name.replace(/\/+$/, '') : name
  if (plain.length > 1024 || /[\0\\]/.test(plain) || /^(?:\/|[A-Za-z]:)/.test(plain)) return null
  const parts = plain.split('/').filter((part) => part !== '.')
  return parts.some((part) => part === '..' || part === '') ? null : parts.join('/')
}

/** `tar czf x.tgz folder` puts everything into that folder. */
function withoutTopFolder<T extends { name: string }>(files: T[]): T[] {
  if (files.some((f) => f.name === 'capture.json')) return files
  const manifests = files.filter((f) => /^[^/]+\/capture\.json$/.test(f.name))
  const top = manifests.length === 1 ? (manifests[0]?.name.split('/')[0] ?? '') : null
  return top === null ? files : files.flatMap((f) => (f.name.startsWith(`${top}/`) ? [{ ...f, name: f.name.slice(top.length + 1) }] : []))
}

/** The same files give the same bytes: no time, no user. A UserError where `readArchive` would refuse them. */
export async function packArchive(files: readonly CaptureFile[], limits: ArchiveLimits = usual): Promise<Buffer> {
  // Headers and padding: a KiB for each, and the end.
  const total = files.reduce((sum, { bytes }) => sum + bytes.length + 1024, 10_240)
  const large = files.find(({ bytes }) => bytes.length > limits.entry)
  const why = large
    ? `"${large.name}" is larger than ${mebi(limits.entry)}`
    : total > limits.total
      ? `unpacked it would be larger than ${mebi(limits.total)}`
      : files.length > limits.entries
        ? `it would have more than ${limits.entries} files`
        : null
  if (why !== null)
    throw new UserError(`This bundle could not be read again: ${why}.`, ['Name fewer servers, or write it to a folder (-o DIR).'])
  const { packTar } = await import('modern-tar')
  const mtime = new Date(0)
  const tar = await packTar(
    files.map(({ name, bytes }) => ({
      header: { name, size: bytes.length, type: 'file' as const, mode: 0o600, mtime },
      body: new Uint8Array(bytes),
    })),
  )
  return promisify(gzip)(tar)
}
