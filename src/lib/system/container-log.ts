/** What `GET /containers/ID/logs?timestamps=1` answers, as lines. */
import type { ContainerLine } from './system.ts'

const header = 8

/** `tty`: then the engine sends the text alone; else frames of 8 bytes (stream, three zeros, length) and text, one stream each. */
export function containerLines(bytes: Buffer, tty: boolean): ContainerLine[] {
  const streams: Record<ContainerLine['stream'], Buffer[]> = { stdout: [], stderr: [] }
  if (tty) streams.stdout.push(bytes)
  else
    for (let at = 0; at + header <= bytes.length;) {
      const length = bytes.readUInt32BE(at + 4)
      streams[bytes[at] === 2 ? 'stderr' : 'stdout'].push(bytes.subarray(at + header, at + header + length))
      at += header + length
    }
  const lines = (['stdout', 'stderr'] as const).flatMap((stream) =>
    Buffer.concat(streams[stream])
      .toString('utf8')
      .split(/\r?\n/)
      .flatMap((line): ContainerLine[] => {
        const [, time, text] = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?([^]*)$/.exec(line) ?? []
        return time === undefined || text === undefined ? [] : [{ stream, time, text }]
      }),
  )
  // Of one engine all times are written in one form, but zeros at the end are left out.
  return lines
    .map((line, i) => ({ line, i, key: line.time.replace(/Z$/, '') }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.i - b.i))
    .map(({ line }) => line)
}
