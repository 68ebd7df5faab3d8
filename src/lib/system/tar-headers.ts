/** The entries of a tar stream without their content: ustar, GNU long names and pax records, in bounded memory. */
import { engineFailure } from './engine-error.ts'

export interface TarEntry {
  /** As in the archive, e.g. `usr/bin/bash`, `./bin/sh` or `usr/bin/`. */
  path: string
  type: 'file' | 'link' | 'symlink' | 'directory' | 'other'
  mode: number
  /** Of links. */
  target: string
}

const block = 512
/** A name or a pax record larger than this is an attack or no tar. */
const largestMeta = 1024 * 1024
const types: Record<string, TarEntry['type']> = { '0': 'file', '\0': 'file', '7': 'file', '1': 'link', '2': 'symlink', '5': 'directory' }

interface Header {
  entry: TarEntry
  flag: string
  size: number
}

/** Throws an EngineFailure when the stream is no tar or ends before its end mark: a partial list must not look whole. */
export async function* tarEntries(source: AsyncIterable<Buffer>, maxBytes = Number.POSITIVE_INFINITY): AsyncGenerator<TarEntry> {
  let total = 0
  let skip = 0
  let pieces: Buffer[] = []
  let have = 0
  let want = block
  let meta: Header | null = null
  let records: Record<string, string> = {}
  for await (const chunk of source) {
    total += chunk.length
    if (total > maxBytes)
      throw engineFailure('timed-out', `The image is larger than ${Math.round(maxBytes / 1024 ** 2)} MiB, reading it was given up.`)
    let at = 0
    while (at < chunk.length) {
      if (skip > 0) {
        const jump = Math.min(skip, chunk.length - at)
        skip -= jump
        at += jump
        continue
      }
      const piece = chunk.subarray(at, at + want - have)
      pieces.push(piece)
      have += piece.length
      at += piece.length
      if (have < want) continue
      const data = pieces.length === 1 ? piece : Buffer.concat(pieces)
      pieces = []
      have = 0
      want = block
      if (meta !== null) {
        records = { ...records, ...metaRecords(meta, data) }
        meta = null
        continue
      }
      const header = readHeader(data)
      if (header === null) return
      if ('LKxg'.includes(header.flag)) {
        if (header.size > largestMeta) throw engineFailure('failed', 'The export of the container is not a readable tar (oversized name).')
        meta = header
        want = padded(header.size)
        if (want === 0) {
          meta = null
          want = block
        }
        continue
      }
      skip = padded(records['size'] === undefined ? header.size : Number(records['size']))
      if (!Number.isSafeInteger(skip)) throw engineFailure('failed', 'The export of the container is not a readable tar (size).')
      yield { ...header.entry, path: records['path'] ?? header.entry.path, target: records['linkpath'] ?? header.entry.target }
      records = {}
    }
  }
  throw engineFailure('failed', 'The export of the container ended too early.')
}

const padded = (size: number): number => Math.ceil(size / block) * block

/** Null: the block of zeros that ends an archive. */
function readHeader(data: Buffer): Header | null {
  const checksum = number(data, 148, 8)
  let sum = 8 * 0x20
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += data[i] ?? 0
  if (sum === 8 * 0x20) return null
  if (sum !== checksum) throw engineFailure('failed', 'The export of the container is not a readable tar (checksum).')
  const flag = data.toString('latin1', 156, 157)
  // GNU archives ("ustar  ") have times where POSIX has the prefix.
  const prefix = data.toString('latin1', 257, 263) === 'ustar\0' ? text(data, 345, 155) : ''
  const name = text(data, 0, 100)
  return {
    flag,
    size: number(data, 124, 12),
    entry: {
      path: prefix === '' ? name : `${prefix}/${name}`,
      type: types[flag] ?? 'other',
      mode: number(data, 100, 8) & 0o7777,
      target: text(data, 157, 100),
    },
  }
}

function text(data: Buffer, from: number, length: number): string {
  const end = data.indexOf(0, from)
  return data.toString('utf8', from, end === -1 || end > from + length ? from + length : end)
}

/** Octal digits, or base 256 with the first bit set (sizes from 8 GiB on). */
function number(data: Buffer, from: number, length: number): number {
  if (((data[from] ?? 0) & 0x80) !== 0) {
    let value = (data[from] ?? 0) & 0x7f
    for (let i = from + 1; i < from + length; i++) value = value * 256 + (data[i] ?? 0)
    return value
  }
  const digits = text(data, from, length).trim()
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function metaRecords(header: Header, data: Buffer): Record<string, string> {
  const content = data.subarray(0, header.size)
  if (header.flag === 'L') return { path: text(content, 0, content.length) }
  if (header.flag === 'K') return { linkpath: text(content, 0, content.length) }
  if (header.flag === 'g') return {}
  // pax: "30 path=usr/share/a long name\n", the number counts its own line in bytes.
  const records: Record<string, string> = {}
  let at = 0
  while (at < content.length) {
    const space = content.indexOf(0x20, at)
    const length = space === -1 ? Number.NaN : Number(content.toString('latin1', at, space))
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > content.length)
      throw engineFailure('failed', 'The export of the container is not a readable tar (pax).')
    const record = content.toString('utf8', space + 1, at + length - 1)
    const equals = record.indexOf('=')
    const key = record.slice(0, Math.max(0, equals))
    if (key === 'path' || key === 'linkpath' || key === 'size') records[key] = record.slice(equals + 1)
    at += length
  }
  return records
}
