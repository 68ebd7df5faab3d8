/**
 * Runs the shipped file with V8's compiled code from earlier runs. Node compiles functions when they are first called;
 * what a run has compiled is taken at its end, and spares the next runs that work. Node's own module.enableCompileCache
 * takes it before anything has run, and is not in Node 20.
 *
 * The file is made of chunks in groups (scripts/bundle.js), each group read and compiled alone, so that a run pays for what it needs only.
 *
 * The cache is code that will be run, and V8 hardly looks at it. So it lies in a folder that nobody else can write to,
 * its name holds checksums of all that it depends on, and so does what is in it. Whatever is not as it should be
 * counts as no cache: the result of the program is the same without.
 */
'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const vm = require('node:vm')

const largest = 64 * 1024 * 1024
/** Files that stay: one for each command, and people switch between versions of Node. */
const kept = 30
const ours = /^[0-9a-f]{16}\.(?:code|[0-9a-f]+\.tmp)$/

/**
 * `file`: absolute; its chunk `./stdin.js` exports what is returned. `off`: without a cache. Each part of the program that a run may
 * need has a cache of its own, so that no run unpacks what another needed.
 */
function runCached(file, { argv, off, env }) {
  const handle = fs.openSync(file, 'r')
  const places = firstLine(handle)
  const { size, commands, groups, chunks } = JSON.parse(places.slice(2))
  const start = places.length
  // Somebody changed the file, so that nothing is where it was: it runs as Node runs any file.
  if (fs.fstatSync(handle).size - start !== size) {
    fs.closeSync(handle)
    return require(file)
  }
  const cache = off ? null : attempt(() => locate(places, partOf(argv, commands), env))
  const known = cache && attempt(() => read(cache))
  const modules = {}
  const scripts = []
  const compiled = []
  let news = false

  const compile = (group) => {
    const [at, length, sum, line] = groups[group]
    const bytes = readAt(handle, start + at, length)
    // A change that left all at its place: what was compiled before is not the same, and nothing is kept.
    const changed = checksum(bytes) !== sum
    const cachedData = cache && !changed ? known?.[group]?.() : undefined
    // Both as it is: to put anything around it would copy it once more.
    const source = bytes.toString(changed ? 'utf8' : 'latin1')
    const script = new vm.Script(source, { filename: file, lineOffset: line, ...(cachedData ? { cachedData } : {}) })
    if (!cachedData || script.cachedDataRejected) news = true
    if (!changed) scripts[group] = script
    return script.runInThisContext()
  }
  const load = (id) => {
    const group = chunks[id]
    // Only Node's own modules are left outside.
    if (group === undefined) return require(id)
    if (!modules[id]) {
      modules[id] = { exports: {} }
      const functions = (compiled[group] ??= compile(group))
      functions[id](modules[id].exports, load, modules[id], file, path.dirname(file))
    }
    return modules[id].exports
  }

  const keep = () => {
    // A run that failed has not seen its part.
    if (!news || ![0, 1, 3].includes(process.exitCode ?? 0)) return
    write(
      cache,
      groups.map((_, i) => scripts[i]?.createCachedData() ?? known?.[i]?.()),
    )
  }
  if (cache) process.once('exit', () => attempt(keep))
  return load('./stdin.js')
}

/** Commands by their name, and with a capture: live and recorded systems are different code. */
function partOf(argv, commands) {
  if (!commands.includes(argv[0]) || argv.includes('--help') || argv.includes('-h')) return 'help'
  return argv[0] + (argv.some((word) => word.startsWith('--from')) ? ' --from' : '')
}

function firstLine(handle) {
  for (let length = 16_384; ; length *= 4) {
    const bytes = readAt(handle, 0, length)
    const end = bytes.indexOf('\n') + 1
    if (end > 0) return bytes.toString('latin1', 0, end)
    if (bytes.length < length) throw new Error('The shipped file does not say where its parts are.')
  }
}

/** What there is of it. */
function readAt(handle, at, length) {
  const bytes = Buffer.allocUnsafeSlow(length)
  let have = 0
  for (let n = -1; n !== 0 && have < length; have += n) n = fs.readSync(handle, bytes, have, length - have, at + have)
  return have < length ? bytes.subarray(0, have) : bytes
}

/** The cache only saves time: a full disk, a read-only home or a foreign file must not be noticed. */
function attempt(work) {
  try {
    return work()
  } catch {
    return undefined
  }
}

/**
 * Against accidents, a new version among them: whoever means harm cannot write to the folder. A cryptographic hash of the
 * program and its cache would take some milliseconds of every start.
 */
const checksum = (bytes) => require('node:zlib').crc32(bytes)
const hex = (text) => checksum(text).toString(16).padStart(8, '0')

/** `places`: with the checksums of all chunks. */
function locate(places, part, env) {
  const settings = [part, process.versions.node, process.versions.v8, process.platform, process.arch, process.execArgv, env.NODE_OPTIONS]
  return { folder: cacheFolder(env), name: `${hex(JSON.stringify(settings))}${hex(places)}.code` }
}

/** As the XDG Base Directory Specification has it, where a relative path does not count; on macOS and Windows as usual there. */
function cacheFolder(env) {
  const named = process.platform === 'win32' ? env.LOCALAPPDATA : env.XDG_CACHE_HOME
  const usual = { darwin: 'Library/Caches', win32: 'AppData/Local' }[process.platform] ?? '.cache'
  const base = named && path.isAbsolute(named) ? named : path.join(os.homedir(), usual)
  return path.join(base, 'mcpproxy-doctor', 'code')
}

/** Throws unless only we can write to it. Windows has no such modes: there the folders of a profile are private. */
function demandPrivate(stats) {
  if (!process.getuid) return
  if (stats.uid !== process.getuid() || (stats.mode & 0o077) !== 0) throw new Error('not private')
}

function demandFolder(folder) {
  const stats = fs.lstatSync(folder)
  if (!stats.isDirectory()) throw new Error('no folder')
  demandPrivate(stats)
}

function read({ folder, name }) {
  demandFolder(folder)
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants
  const handle = fs.openSync(path.join(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = fs.fstatSync(handle)
    if (!stats.isFile() || stats.size > largest) throw new Error('no cache')
    demandPrivate(stats)
    const content = fs.readFileSync(handle)
    const start = content.indexOf('\n') + 1
    const [sum, ...rest] = content.toString('latin1', 0, start).split(' ')
    if (start === 0 || sum !== hex(name + rest.join(' '))) throw new Error('damaged')
    return JSON.parse(rest.join(' ')).map(([at, length, sum]) => () => {
      const bytes = content.subarray(start + at, start + at + length)
      return length > 0 && checksum(bytes) === sum ? bytes : undefined
    })
  } finally {
    fs.closeSync(handle)
  }
}

/** A line that says where it is, and the code of each group. */
function write({ folder, name }, data) {
  let at = 0
  const places = []
  const pieces = []
  for (const bytes of data.map((piece) => piece ?? Buffer.alloc(0))) {
    places.push([at, bytes.length, checksum(bytes)])
    // V8 copies what does not begin at such a place.
    const padding = Buffer.alloc(-bytes.length & 7)
    pieces.push(bytes, padding)
    at += bytes.length + padding.length
  }
  const said = JSON.stringify(places)
  // With the sum before it the line is as long as a multiple of eight.
  const head = `${said}${' '.repeat(-(said.length + 10) & 7)}\n`
  const content = Buffer.concat([Buffer.from(`${hex(name + head)} ${head}`), ...pieces])
  fs.mkdirSync(path.dirname(folder), { recursive: true })
  attempt(() => fs.mkdirSync(folder, { mode: 0o700 }))
  demandFolder(folder)
  const temporary = path.join(folder, `${name.slice(0, -'.code'.length)}.${require('node:crypto').randomBytes(8).toString('hex')}.tmp`)
  try {
    fs.writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 })
    // Whole or not at all, also when several processes end at once.
    fs.renameSync(temporary, path.join(folder, name))
  } catch (error) {
    attempt(() => fs.unlinkSync(temporary))
    throw error
  }
  prune(folder)
}

/** Removes what older versions, and processes that were killed while writing, left behind. */
function prune(folder) {
  const files = fs
    .readdirSync(folder)
    .filter((name) => ours.test(name))
    .map((name) => ({ file: path.join(folder, name), time: fs.lstatSync(path.join(folder, name)).mtimeMs }))
    .sort((a, b) => b.time - a.time)
  for (const { file } of files.slice(kept)) fs.unlinkSync(file)
}

module.exports = { runCached }
