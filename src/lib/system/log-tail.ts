/** What is written to a log from now on. */
import { observed, type Files, type Observed } from './system.ts'

export interface LogTail {
  /** The whole lines since the last call, the oldest first; an error when the log could not be read. */
  poll(): Promise<Observed<string[]>>
}

const most = 64 * 1024 * 1024

/** Begins at the present end of the file; a file that comes later is read from its beginning. */
export async function tailLog(files: Files, path: string): Promise<LogTail> {
  const stat = await files.stat(path)
  let offset = stat.ok && stat.value.type !== 'missing' ? stat.value.size : 0
  let rest: Buffer = Buffer.alloc(0)
  return {
    async poll() {
      const opened = await files.open(path)
      if (!opened.ok) return opened
      const file = opened.value
      if (file === null) return observed([])
      try {
        const parts: Buffer[] = [rest]
        if (file.size < offset) {
          parts.push(await endOfRotated(files, path, offset))
          offset = 0
        }
        const chunk = await file.read(offset, Math.min(most, file.size - offset))
        offset += chunk.length
        const block = Buffer.concat([...parts, chunk])
        const end = block.lastIndexOf(0x0a) + 1
        rest = Buffer.from(block.subarray(end))
        return observed(
          end === 0
            ? []
            : block
                .subarray(0, end - 1)
                .toString('utf8')
                .split('\n'),
        )
      } finally {
        await file.close()
      }
    },
  }
}

/** lumberjack renames the full file to `main-2025-10-14T09-30-00.123.log` and begins a new one. */
async function endOfRotated(files: Files, path: string, offset: number): Promise<Buffer> {
  const at = path.lastIndexOf('/')
  const stem = `${path.slice(at + 1).replace(/\.log$/, '')}-`
  const names = await files.list(path.slice(0, at))
  const newest = names.ok
    ? names.value
        ?.filter((n) => n.startsWith(stem) && /\.log(\.gz)?$/.test(n))
        .sort()
        .at(-1)
    : undefined
  const opened = newest === undefined ? null : await files.open(`${path.slice(0, at)}/${newest}`)
  if (!opened?.ok || opened.value === null) return Buffer.alloc(0)
  try {
    return await opened.value.read(offset, Math.min(most, Math.max(0, opened.value.size - offset)))
  } finally {
    await opened.value.close()
  }
}
