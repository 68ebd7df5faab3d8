/** The beginning and the end of a stream of bytes, exactly, in bounded memory. */

export interface ByteRecord {
  /** Bytes in all. */
  total: number
  head: Buffer
  /** What follows the head, as far as it was kept; `total - tail.length` is its offset. */
  tail: Buffer
}

export interface ByteRecorder {
  add(chunk: Buffer): void
  total(): number
  take(): ByteRecord
}

export function byteRecord(headLimit: number, tailLimit: number): ByteRecorder {
  const head: Buffer[] = []
  let headLength = 0
  let tail: Buffer[] = []
  let tailLength = 0
  let total = 0
  const shrink = (): void => {
    const whole = Buffer.concat(tail)
    tail = [Buffer.from(whole.subarray(Math.max(0, whole.length - tailLimit)))]
    tailLength = tail[0]?.length ?? 0
  }
  return {
    add(chunk) {
      total += chunk.length
      const first = chunk.subarray(0, headLimit - headLength)
      if (first.length > 0) {
        // A copy: a slice would keep the whole chunk alive.
        head.push(Buffer.from(first))
        headLength += first.length
      }
      const rest = chunk.subarray(first.length)
      if (rest.length === 0) return
      tail.push(Buffer.from(rest.subarray(Math.max(0, rest.length - tailLimit))))
      tailLength += tail.at(-1)?.length ?? 0
      if (tailLength > 4 * tailLimit || tail.length > 1000) shrink()
    },
    total: () => total,
    take() {
      shrink()
      return { total, head: Buffer.concat(head), tail: tail[0] ?? Buffer.alloc(0) }
    },
  }
}

/** The lines of what was kept, blank ones left out; a gap in the middle parts two lines. */
export function linesOf({ head, tail, total }: ByteRecord): string[] {
  const gap = total > head.length + tail.length ? '\n' : ''
  return `${head.toString('utf8')}${gap}${tail.toString('utf8')}`.split(/\r?\n/).filter((line) => line.trim() !== '')
}
