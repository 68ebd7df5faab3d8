#!/usr/bin/env node
// Kills `fix --apply` at random moments (SIGKILL) and looks whether the configuration is whole and can be taken back.
//
//   npm run build && npx tsc -p tsconfig.test.json && node scripts/kill-fixes.mjs [TIMES] [AT-ONCE]
import { anyMoment, killFix } from '../dist-test/test/helpers/kill-fix.js'

const times = Number(process.argv[2] ?? 1000)
const atOnce = Number(process.argv[3] ?? 4)
const count = { old: 0, new: 0, unkilled: 0, left: 0, bad: 0 }
let next = 0

async function worker() {
  while (next < times) {
    const n = ++next
    const moment = anyMoment(Math.random)
    try {
      const { held, killed, left } = await killFix(moment)
      count[held]++
      if (!killed) count.unkilled++
      if (left > 0) count.left++
    } catch (error) {
      count.bad++
      console.error(`${n}: ${JSON.stringify(moment)}: ${error.message}`)
    }
    if (n % 50 === 0) console.log(`${n}: ${JSON.stringify(count)}`)
  }
}

await Promise.all(Array.from({ length: atOnce }, worker))
console.log(
  `${times} runs: ${count.bad} damaged or lost; ${count.old} with the old and ${count.new} with the new bytes; ` +
    `${count.left} left a temporary file, ${count.unkilled} were done before the signal.`,
)
process.exitCode = count.bad > 0 ? 1 : 0
