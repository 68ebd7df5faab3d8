/** Counts the lines about SERVER in rotated logs, oldest first: `node bench/read-rotations.js SERVER FILE…`. */
import { familyLines } from '../dist/lib/evidence/collect-log-lines.js'
import { createFiles } from '../dist/lib/system/files.js'

const [server, ...paths] = process.argv.slice(2)
const filter = { server, level: null, grep: null, since: null, until: null }
const note = (text) => {
  throw new Error(text)
}
let count = 0
for await (const batch of familyLines(createFiles(), paths, { filter, ofOne: false, note })) count += batch.count
console.log(count)
