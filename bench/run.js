/**
 * `npm run bench [-- --quick] [-- --only 1,2,8] [-- --json FILE] [-- --markdown FILE] [-- --dir DIR]`: see bench/README.md.
 * Ends with 1 when a median is more than 1.5 times over its limit, and not only because others use the machine.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { createLiveSystem } from '../dist/lib/system/live.js'
import { healthyServer } from './healthy.js'
import { installed } from './install.js'
import { parseScript, writeConfig } from './lint.js'
import { writeLog } from './log-generator.js'
import { manyServers } from './many.js'
import { compare, median, peakMemory } from './measure.js'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    only: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'string' },
    dir: { type: 'string' },
  },
})
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const starts = options.quick ? 5 : 15
const rounds = options.quick ? 3 : 7
const logBytes = (options.quick ? 128 : 1024) * 1024 ** 2
const work = fs.mkdtempSync(path.join(options.dir ?? os.tmpdir(), 'doctor-bench-'))
const cache = path.join(work, 'cache')
const env = { XDG_CACHE_HOME: cache, LOCALAPPDATA: cache }
const doctor = (...args) => ({ argv: [process.execPath, path.join(root, 'bin/run.js'), ...args], env, codes: [0, 1, 3] })
const out = path.join(work, 'out')
const toFile = (...args) => ({ ...doctor(...args), out })
const bareNode = { argv: [process.execPath, '-e', '0'] }
const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
const docker = spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0

// A configuration with two isolated servers; main.log knows only one of them.
const logDir = path.join(work, 'logs')
const log = path.join(logDir, 'main.log')
const config = path.join(work, 'mcp_config.json')
fs.mkdirSync(logDir)
const server = (name) => ({ name, protocol: 'stdio', command: 'uvx', args: ['mcp-server-time'], enabled: true })
fs.writeFileSync(config, JSON.stringify({ docker_isolation: { enabled: true }, mcpServers: ['late', 'absent', 's07'].map(server) }))
const place = ['--config', config, '--log-dir', logDir, '--data-dir', work, '--api', 'http://127.0.0.1:9']
const noEngine = ['--docker-host', 'unix:///nonexistent.sock', '--timeout', '600']
const needLog = () => fs.existsSync(log) || writeLog(log, logBytes, { last: 'late' })
const argsOf = (name) => (needLog(), doctor('args', name, ...place, ...noEngine))

function rotations() {
  const plain = path.join(work, 'plain.log')
  return Array.from({ length: options.quick ? 5 : 20 }, (_, i) => {
    const file = path.join(work, `main-2026-11-${String(i + 1).padStart(2, '0')}T00-00-00.000.log.gz`)
    writeLog(plain, 10 * 1000 ** 2, { seed: i + 1 })
    fs.writeFileSync(file, gzipSync(fs.readFileSync(plain), { level: 6 }))
    return file
  })
}

/** A configuration of 5,000 servers. */
function lintConfig() {
  const file = path.join(work, 'many.json')
  if (!fs.existsSync(file)) writeConfig(file, 5000)
  return file
}

/** Both works in one process, in turns: the medians of all rounds of several processes, or of the first rounds only. */
function lintInProcess(processes, count) {
  const all = { lint: [], parse: [] }
  for (let i = 0; i < processes; i++) {
    const output = execFileSync(process.execPath, [path.join(root, 'bench/lint.js'), lintConfig(), String(count)], { encoding: 'utf8' })
    const { lint, parse } = JSON.parse(output)
    all.lint.push(...lint)
    all.parse.push(...parse)
  }
  const ratios = all.lint.map((ms, i) => ms / all.parse[i]).toSorted((x, y) => x - y)
  const ms = [median(all.lint), median(all.parse)]
  return { value: ms[0] / ms[1], low: ratios[ratios.length >> 2], high: ratios[(ratios.length * 3) >> 2], rounds: ratios.length, ms }
}

async function inspects() {
  const ids = []
  const system = createLiveSystem({
    deadline: Date.now() + 3_600_000,
    env: process.env,
    platform: process.platform,
    homedir: os.homedir(),
    uid: process.getuid?.() ?? null,
  })
  try {
    for (let i = 0; i < 50; i++)
      ids.push(execFileSync('docker', ['create', '--label', 'mcpproxy-doctor.bench=1', 'alpine:3.18'], { encoding: 'utf8' }).trim())
    const ours = async () => {
      const left = [...ids]
      const worker = async () => {
        for (let id = left.pop(); id !== undefined; id = left.pop()) {
          const { ok } = await system.engine.inspect(id)
          if (!ok) throw new Error(`inspect ${id} failed`)
        }
      }
      await Promise.all(Array.from({ length: 8 }, worker))
    }
    return await compare([{ run: ours }, { argv: ['docker', 'inspect', ...ids] }], rounds)
  } finally {
    await system.close()
    if (ids.length > 0) spawnSync('docker', ['rm', '-f', ...ids], { stdio: 'ignore' })
  }
}

/**
 * `skip`: why it cannot be measured here. `quick`: also with --quick; the logs are too small then to be worth more than
 * the start of the program.
 */
const rows = [
  {
    row: '1',
    quick: true,
    what: '--version',
    against: 'node -e 0',
    limit: 1.3,
    aim: 1.2,
    measure: () => compare([doctor('--version'), bareNode], starts),
  },
  {
    row: '2',
    quick: true,
    what: '--help, second run on',
    against: 'node -e 0',
    limit: 3,
    aim: 2,
    measure: () => compare([doctor('--help'), bareNode], starts),
  },
  {
    row: '3',
    quick: true,
    what: '--help, first run ever',
    against: 'node -e 0',
    limit: 4,
    measure: () => compare([{ ...doctor('--help'), before: () => fs.rmSync(cache, { recursive: true, force: true }) }, bareNode], starts),
  },
  {
    row: '4',
    quick: true,
    what: 'container SERVER, second run on',
    against: 'node -e 0',
    limit: 3.7,
    aim: 2.8,
    skip: docker ? null : 'no engine',
    measure: () => {
      fs.rmSync(log, { force: true })
      return compare([doctor('container', 'late', ...place), bareNode], starts)
    },
  },
  {
    row: '5',
    quick: true,
    what: 'check SERVER, healthy, live, no replay',
    against: 'docker ps; curl',
    limit: 4,
    aim: 2.5,
    skip:
      docker && has('curl') && spawnSync('docker', ['image', 'inspect', 'node:20'], { stdio: 'ignore' }).status === 0
        ? null
        : 'no engine with node:20, or no curl',
    measure: async () => {
      const { place: healthy, socket, end } = await healthyServer(root, path.join(work, 'healthy'))
      try {
        const ours = { ...doctor('check', 'good', '--no-replay', ...healthy), codes: [0] }
        return await compare([ours, { shell: `docker ps && curl -sf --unix-socket '${socket}' http://localhost/api/v1/servers` }], starts)
      } finally {
        end()
      }
    },
  },
  {
    row: '6',
    quick: true,
    what: 'check --from a capture',
    against: 'node -e 0',
    limit: 4.5,
    aim: 3,
    measure: () => compare([doctor('check', '--from', path.join(root, 'demo')), bareNode], starts),
  },
  {
    row: '7',
    what: 'args SERVER, hit near the end of main.log, less row 2',
    against: 'node -e 0',
    limit: 0.6,
    measure: () => compare([argsOf('late'), doctor('--help'), bareNode], starts, ([args, help, bare]) => (args - help) / bare),
  },
  {
    row: '8',
    what: 'args SERVER, no hit (whole file)',
    against: 'grep, grep, tail -1',
    limit: 0.45,
    aim: 0.3,
    measure: () => {
      const ours = argsOf('absent')
      const shell = `LC_ALL=C grep -aF docker_run_args '${log}' | grep -F '"absent"' | tail -1`
      return compare([ours, { shell }], rounds)
    },
  },
  {
    row: '9',
    what: 'the same',
    against: 'cat >/dev/null',
    limit: 1.8,
    aim: 1.4,
    // Two processors against one: what else the machine does moves this row more than others.
    measure: () => compare([argsOf('absent'), { argv: ['cat', log] }], 2 * starts),
  },
  {
    row: '10',
    what: 'logs SERVER --all, 5 % of the lines, to a file',
    against: 'grep -aF',
    limit: 1.5,
    aim: 1,
    measure: () => {
      needLog()
      return compare(
        [toFile('logs', 's07', '--all', ...place, ...noEngine), { shell: `LC_ALL=C grep -aF '"s07"' '${log}' >'${out}'` }],
        rounds,
      )
    },
  },
  {
    row: '11',
    what: 'logs --grep in any case, all servers, to a file',
    against: 'grep -ai',
    limit: 2,
    aim: 0.8,
    measure: () => {
      needLog()
      // One line in eighteen; in the log it stands in small letters.
      const text = 'Latency_MS": 8'
      return compare(
        [toFile('logs', '--grep', text, ...place, ...noEngine), { shell: `LC_ALL=C grep -ai '${text}' '${log}' >'${out}'` }],
        rounds,
      )
    },
  },
  {
    row: '12',
    what: `${options.quick ? 5 : 20} gz rotations of 10 MB`,
    against: 'zcat, grep',
    limit: 0.7,
    aim: 0.45,
    measure: () => {
      const files = rotations()
      const ours = { argv: [process.execPath, path.join(root, 'bench/read-rotations.js'), 's07', ...files] }
      return compare([ours, { shell: `zcat ${files.map((file) => `'${file}'`).join(' ')} | LC_ALL=C grep -acF '"s07"'` }], rounds)
    },
  },
  {
    row: '13',
    quick: true,
    what: '50 inspects',
    against: 'docker inspect with 50 ids',
    limit: 0.6,
    aim: 0.3,
    skip: docker ? null : 'no engine',
    measure: inspects,
  },
  {
    row: '14',
    what: 'peak memory over main.log',
    against: 'MiB',
    limit: 80,
    measure: async () => ({ value: peakMemory(argsOf('absent').argv.slice(1), env, [0, 1, 3]) }),
  },
  {
    row: '15',
    what: 'install from the packed file into an empty folder',
    against: 'npm install of the six libraries',
    limit: 0.2,
    measure: () => {
      const { ours, theirs } = installed(root, path.join(work, 'install'))
      return compare([ours, theirs], options.quick ? 1 : 5)
    },
  },
  {
    row: '16',
    quick: true,
    what: 'check --all, 200 servers in one configuration and log',
    against: '200 × one of them, less row 2',
    limit: 0.2,
    measure: () => {
      const place = manyServers(path.join(work, 'many'), 200)
      const of = (...what) => doctor('check', ...what, '--json', ...place, ...noEngine)
      // What one costs beside the start of the program.
      const sides = [of('--all'), of('server-000'), doctor('--help')]
      return compare(sides, rounds, ([all, one, start]) => all / (200 * Math.max(one - start, 1)))
    },
  },
  {
    row: '17',
    what: 'lint of 5,000 servers, the work alone',
    against: 'JSON.parse, one walk',
    limit: 10,
    measure: async () => lintInProcess(1, options.quick ? 9 : 25),
  },
  {
    row: '18',
    what: 'the same, first time in a process',
    against: 'the same, likewise',
    limit: 15,
    aim: 10,
    measure: async () => lintInProcess(starts, 1),
  },
  {
    row: '19',
    what: 'lint FILE, 5,000 servers',
    against: 'node: read, JSON.parse, one walk',
    limit: 10,
    aim: 6,
    measure: () => compare([doctor('lint', lintConfig()), { argv: [process.execPath, '-e', parseScript, lintConfig()] }], starts),
  },
  {
    row: '20',
    what: 'peak memory of it',
    against: 'MiB',
    limit: 300,
    measure: async () => ({ value: peakMemory(doctor('lint', lintConfig()).argv.slice(1), env, [0, 1]) }),
  },
]

const number = (value) => (value === undefined ? '–' : value.toFixed(2))
const machine = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  system: `${os.platform()} ${os.arch()}`,
  cpu: `${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown'}`,
  memory: `${Math.round(os.totalmem() / 1024 ** 3)} GiB`,
  load: os.loadavg().map((load) => Number(load.toFixed(1))),
  logMiB: logBytes / 1024 ** 2,
}
const results = []
const lines = []
const say = (line) => {
  console.log(line)
  lines.push(line)
}
try {
  say(`${machine.date}, Node ${machine.node}, ${machine.system}, ${machine.cpu}, ${machine.memory}, load ${machine.load.join(' ')}\n`)
  say('| # | what | against | limit | aim | median | quartiles | cpu | ms |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  const only = options.only?.split(',')
  for (const { row, quick, what, against, limit, aim, skip, measure } of rows) {
    if (only ? !only.includes(row) : options.quick && !quick) continue
    const result = skip ? null : await measure()
    results.push({ row, what, against, limit, aim: aim ?? null, ...(result ?? { skipped: skip }) })
    const said = result
      ? `${number(result.value)} | ${number(result.low)}–${number(result.high)} | ${number(result.cpu ?? undefined)} | ${result.ms?.map(Math.round).join(' / ') ?? '–'}`
      : `${skip} | – | – | –`
    say(`| ${row} | ${what} | ${against} | ${limit} | ${aim ?? '–'} | ${said} |`)
  }
} finally {
  fs.rmSync(work, { recursive: true, force: true })
}
if (options.json) fs.writeFileSync(options.json, `${JSON.stringify({ machine, load: os.loadavg(), results }, null, 2)}\n`)
if (options.markdown) fs.writeFileSync(options.markdown, `${lines.join('\n')}\n`)
const bad = results.filter(({ value, cpu, limit }) => Math.min(value, cpu ?? value) > limit * 1.5)
for (const { row, value, limit } of bad) console.error(`row ${row}: ${number(value)} is more than 1.5 times over ${limit}`)
if (bad.length > 0) process.exitCode = 1
