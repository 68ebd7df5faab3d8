/** Whole processes, timed in turns: only what ran beside each other is compared. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Both sides start without these: they cost time at every start, more for one side than for the other. */
const unset = { NODE_EXTRA_CA_CERTS: undefined, NODE_OPTIONS: undefined, NODE_COMPILE_CACHE: undefined }

/** Milliseconds. A side is `{ argv }` (`out`: a file for its output), `{ shell }` for a pipe of yardsticks, or `{ run }`; `before` is not timed. */
async function once({ argv, shell, run, before, out = null, env = {}, codes = [0] }) {
  const extra = before?.() ?? {}
  const start = performance.now()
  if (run) await run()
  else {
    const [program, ...args] = argv ?? ['sh', '-c', shell]
    const file = out === null ? null : fs.openSync(out, 'w')
    const options = { env: { ...process.env, ...unset, ...env, ...extra }, stdio: ['ignore', file ?? 'ignore', 'pipe'] }
    const { status, stderr, error } = spawnSync(program, args, options)
    if (file !== null) fs.closeSync(file)
    if (error) throw error
    if (!codes.includes(status)) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`)
  }
  return performance.now() - start
}

/**
 * Milliseconds of processor time of the children so far, in steps of a clock tick (10 ms); null where /proc does not tell.
 * "… state ppid … utime stime cutime cstime …" behind the name in brackets (man 5 proc_pid_stat).
 */
function childTime() {
  try {
    const stat = fs.readFileSync('/proc/self/stat', 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[13]) + Number(fields[14])) * 10
  } catch {
    return null
  }
}

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const quartile = (numbers, part) => numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * part)]

/**
 * `rounds` times all sides in turn, after one round that does not count. `figure` makes a ratio of the times of a round (by
 * default the first over the second). Returns the median of the ratios, their quartiles, the median times, and the same ratio of
 * the processor time of all rounds together, which depends less on what else runs; null: not known.
 */
export async function compare(sides, rounds, figure = ([ours, theirs]) => ours / theirs) {
  for (const side of sides) await once(side)
  const times = []
  const used = sides.map(() => 0)
  for (let i = 0; i < rounds; i++) {
    const round = []
    for (const [s, side] of sides.entries()) {
      const before = childTime()
      round.push(await once(side))
      used[s] += (childTime() ?? NaN) - (before ?? NaN)
    }
    times.push(round)
  }
  const ratios = times.map(figure)
  const cpu = sides.some((side) => side.run) ? NaN : figure(used.map((ms) => ms / rounds))
  return {
    value: median(ratios),
    low: quartile(ratios, 0.25),
    high: quartile(ratios, 0.75),
    rounds,
    ms: sides.map((_, i) => median(times.map((round) => round[i]))),
    cpu: Number.isFinite(cpu) ? cpu : null,
  }
}

/** MiB that a Node process held at most. */
export function peakMemory(args, env = {}, codes = [0]) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-peak-'))
  try {
    const hook = path.join(folder, 'peak.cjs')
    const result = path.join(folder, 'peak')
    const code = `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(result)}, String(process.resourceUsage().maxRSS)))`
    fs.writeFileSync(hook, code)
    const options = { env: { ...process.env, ...unset, ...env }, stdio: ['ignore', 'ignore', 'pipe'] }
    const { status, stderr } = spawnSync(process.execPath, ['--require', hook, ...args], options)
    if (!codes.includes(status)) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
    return Number(fs.readFileSync(result, 'utf8')) / 1024
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
