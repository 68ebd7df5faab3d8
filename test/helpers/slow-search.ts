import type { Wanted } from '../../src/lib/formats/byte-search.ts'

/** Lines with these texts, newest first, as the reader of logs must answer, found the slow way. */
export function expected(content: Buffer, needles: readonly Wanted[]): { texts: string[]; offsets: number[] } {
  const found: { text: string; offset: number }[] = []
  for (let start = 0; start < content.length;) {
    const stop = content.indexOf(10, start)
    const line = content.subarray(start, stop < 0 ? content.length : stop)
    if (needles.some((texts) => [texts].flat().every((text) => line.includes(text))))
      found.unshift({ text: line.toString('utf8'), offset: start })
    start = stop < 0 ? content.length : stop + 1
  }
  return { texts: found.map((f) => f.text), offsets: found.map((f) => f.offset) }
}
