/** What `GET /containers/ID/logs?timestamps=1` answers, as lines. */
import type { ContainerLine } from './system.ts'

const header = 8
const newline = 0x0a
const timePattern = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?/
const longestTime = 40

/** A line of more than 16 KiB comes in several frames, and each has its time (seen with Docker 20.10 and the driver json-file). */
function withoutTime(piece: Buffer): Buffer {
  const [time = ''] = timePattern.exec(piece.toString('latin1', 0, longestTime)) ?? []
  return piece.subarray(time.length)
}

/** `tty`: then the engine sends the text alone; else frames of 8 bytes (stream, three zeros, length) and text, one stream each. */
export function containerLines(bytes: Buffer, tty: boolean): ContainerLine[] {
  const streams: Record<ContainerLine['stream'], Buffer[]> = { stdout: [], stderr: [] }
  if (tty) streams.stdout.push(bytes)
  else
    for (let at = 0; at + header <= bytes.length;) {
      const length = bytes.readUInt32BE(at + 4)
      const pieces = streams[bytes[at] === 2 ? 'stderr' : 'stdout']
      const piece = bytes.subarray(at + header, at + header + length)
      const goesOn = pieces.length > 0 && pieces.at(-1)?.at(-1) !== newline
      pieces.push(goesOn ? withoutTime(piece) : piece)
      at += header + length
    }
  const lines = (['stdout', 'stderr'] as const).flatMap((stream) =>
    Buffer.concat(streams[stream])
      .toString('utf8')
      .split(/\r?\n/)
      .flatMap((line): ContainerLine[] => {
        const [head, time] = timePattern.exec(line) ?? []
        return head === undefined || time === undefined ? [] : [{ stream, time, text: line.slice(head.length) }]
      }),
  )
  // Of one engine all times are written in one form, but zeros at the end are left out.
  return lines
    .map((line, i) => ({ line, i, key: line.time.replace(/Z$/, '') }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.i - b.i))
    .map(({ line }) => line)
}
