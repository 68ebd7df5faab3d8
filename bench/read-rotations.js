/** Counts the lines that hold NEEDLE in rotated logs, newest first: `node bench/read-rotations.js NEEDLE FILE…`. */
import { createFiles } from '../dist/lib/system/files.js'
import { linesBackward } from '../dist/lib/system/log-reader.js'

const [needle, ...paths] = process.argv.slice(2)
const files = createFiles()
let count = 0
for (const path of paths) {
  const opened = await files.open(path)
  if (!opened.ok || !opened.value) throw new Error(`${path}: ${opened.error?.message ?? 'is not there'}`)
  const lines = linesBackward(opened.value, { needles: [needle], maxBytes: Infinity, deadline: Infinity })
  for await (const line of lines) if (line.text !== '') count++
  await opened.value.close()
}
console.log(count)
