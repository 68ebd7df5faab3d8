/**
 * Runs the shipped file with V8's compiled code from earlier runs. Node compiles functions when they are first called;
 * what a run has compiled is taken at its end, and spares the next runs that work. Node's own module.enableCompileCache
 * takes it before anything has run, and is not in Node 20.
 *
 * The file is made of chunks in groups (scripts/bundle.js), each group read and compiled alone, so that a run pays for what it needs only.
 *
 * The cache is code that will be run, and V8 hardly looks at it. So it lies in a folder that nobody else can write to, its first
 * line says what it is of (by the hash and the time of the shipped file: who edits it and sets its time back runs the old code), and it holds each
 * piece of code twice, which must be the same. (To compare bytes takes a tenth of what a checksum takes, and needs no part of Node.) Whatever is not as it should be
 * counts as no cache: the result of the program is the same without.
 */
'use strict'

const { isAscii } = require('node:buffer')
const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')

const largest = 64 * 1024 * 1024
const windowSize = 64 * 1024
/** Files that stay, of one to four MB: one for each command, and people switch between versions of Node. */
const kept = 20
const ours = /^[0-9a-f]{16}\.(?:code|[0-9a-f]+\.tmp)$/

/**
 * `file`: absolute. Returns what loads a chunk by its id. `off`: without a cache. Each part of the program that a run may
 * need has a cache of its own, so that no run unpacks what another needed.
 */
function runCached(file, { argv, off, env }) {
  const handle = fs.openSync(file, 'r')
  const line = firstLine(handle)
  const { hash, size, commands, groups, chunks } = JSON.parse(line.slice(2))
  const start = line.length
  const stats = fs.fstatSync(handle)
  // Somebody changed the file, so that nothing is where it was: it runs as Node runs any file.
  if (stats.size - start !== size) {
    fs.closeSync(handle)
    return require(file)
  }
  const cache = off ? null : attempt(() => locate(hash, stats.mtimeMs, partOf(argv, commands), env))
  const known = cache && attempt(() => read(cache))
  const modules = {}
  const scripts = []
  const compiled = []
  let news = false

  const compile = (group) => {
    const [at, length, line] = groups[group]
    const bytes = readAt(handle, start + at, room(length))
    // As it is: to put anything around it would copy it once more.
    const source = bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8')
    const cachedData = attempt(() => known?.[group]?.(room))
    const script = new vm.Script(source, { filename: file, lineOffset: line, ...(cachedData ? { cachedData } : {}) })
    if (!cachedData || script.cachedDataRejected) news = true
    scripts[group] = script
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
      groups.map((_, i) => (scripts[i] ? scripts[i].createCachedData() : attempt(() => known?.[i]?.(Buffer.allocUnsafeSlow)))),
    )
  }
  if (cache) process.once('exit', () => attempt(keep))
  return load
}

/** Commands by their name, and with a capture: live and recorded systems are different code. */
function partOf(argv, commands) {
  if (!commands.includes(argv[0]) || argv.includes('--help') || argv.includes('-h')) return 'help'
  return argv[0] + (argv.some((word) => word.startsWith('--from')) ? ' --from' : '')
}

function firstLine(handle) {
  for (let length = 16_384; ; length *= 4) {
    const bytes = readAt(handle, 0, Buffer.allocUnsafeSlow(length))
    const end = bytes.indexOf('\n') + 1
    if (end > 0) return bytes.toString('latin1', 0, end)
    if (bytes.length < length) throw new Error('It does not say where its parts are.')
  }
}

/** Memory for what is of no use any more when the next is read. The first touch of each page of new memory costs more than to read into it. */
function room(length) {
  if (reused.length < length) reused = Buffer.allocUnsafeSlow(Math.max(length, usualRoom))
  return reused.subarray(0, length)
}
const usualRoom = 512 * 1024
let reused = Buffer.alloc(0)

/** Fills this memory, or as much of it as there is to read. */
function readAt(handle, at, bytes) {
  const { length } = bytes
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

/** What it must be of is in `of`; the name is as much of that as fits. */
function locate(hash, time, part, env) {
  const { node, v8 } = process.versions
  const settings = JSON.stringify([part, time, node, v8, process.platform, process.arch, process.execArgv, env.NODE_OPTIONS])
  return { folder: cacheFolder(env), name: `${hash.slice(0, 8)}${shortHash(settings)}.code`, of: `${hash} ${settings}` }
}

/** FNV-1a, 32 bits. */
function shortHash(text) {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** As the XDG Base Directory Specification has it, where a relative path does not count; on macOS and Windows as usual there. */
function cacheFolder(env) {
  const named = process.platform === 'win32' ? env.LOCALAPPDATA : env.XDG_CACHE_HOME
  const usual = { darwin: 'Library/Caches', win32: 'AppData/Local' }[process.platform] ?? '.cache'
  const base = named && path.isAbsolute(named) ? named : path.join(require('node:os').homedir(), usual)
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

/** By group a function that gives its code, if that is whole. The file stays open: what is needed of it is read when it is needed. */
function read({ folder, name, of }) {
  demandFolder(folder)
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants
  const handle = fs.openSync(path.join(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = fs.fstatSync(handle)
    if (!stats.isFile() || stats.size > largest) throw new Error('no cache')
    demandPrivate(stats)
    const line = firstLine(handle)
    const said = JSON.parse(Buffer.from(line, 'latin1').toString('utf8'))
    if (said.of !== of) throw new Error('of something else')
    return said.groups.map((group) => group && ((memory) => codeIn(handle, line.length + group.at, memory(group.code))))
  } catch (error) {
    fs.closeSync(handle)
    throw error
  }
}

// V8 copies code that does not begin at a multiple of eight.
const rounded = (length) => length + (-length & 7)
/** What is damaged is neither run nor handed on as if it were whole. */
function codeIn(handle, at, memory) {
  const { length } = memory
  const bytes = readAt(handle, at, memory)
  return length > 0 && bytes.length === length && isAt(handle, at + rounded(length), bytes) ? bytes : undefined
}

/** Whether these bytes stand there. In pieces: to read it all to a place of its own would take longer than to compare it. */
function isAt(handle, at, bytes) {
  const window = Buffer.allocUnsafeSlow(windowSize)
  for (let i = 0; i < bytes.length; i += windowSize) {
    const length = Math.min(windowSize, bytes.length - i)
    if (fs.readSync(handle, window, 0, length, at + i) !== length) return false
    if (bytes.compare(window, 0, length, i, i + length) !== 0) return false
  }
  return true
}

/** A line that says where it is, and the code of each group twice. */
function write({ folder, name, of }, codes) {
  let at = 0
  const groups = []
  const pieces = []
  for (const code of codes) {
    groups.push(code ? { at, code: code.length } : null)
    if (!code) continue
    for (const bytes of [code, code]) pieces.push(bytes, Buffer.alloc(-bytes.length & 7))
    at += 2 * rounded(code.length)
  }
  const said = JSON.stringify({ of, groups })
  // With its end the line is as long as a multiple of eight.
  pieces.unshift(Buffer.from(`${said}${' '.repeat(-(Buffer.byteLength(said) + 1) & 7)}\n`))
  fs.mkdirSync(path.dirname(folder), { recursive: true })
  attempt(() => fs.mkdirSync(folder, { mode: 0o700 }))
  demandFolder(folder)
  // Nobody else writes there, and a name that is taken is not written over: no need to load what makes names that cannot be guessed.
  const unique = `${process.pid.toString(16)}${Math.random().toString(16).slice(2)}`
  const temporary = path.join(folder, `${name.slice(0, -'.code'.length)}.${unique}.tmp`)
  try {
    writeAll(temporary, pieces)
    // Whole or not at all, also when several processes end at once.
    fs.renameSync(temporary, path.join(folder, name))
  } catch (error) {
    attempt(() => fs.unlinkSync(temporary))
    throw error
  }
  prune(folder)
}

/** A new file, private from the beginning; not put together in memory first. */
function writeAll(file, pieces) {
  const handle = fs.openSync(file, 'wx', 0o600)
  try {
    const length = pieces.reduce((sum, bytes) => sum + bytes.length, 0)
    if (fs.writevSync(handle, pieces) !== length) throw new Error('not written as a whole')
  } finally {
    fs.closeSync(handle)
  }
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
