/**
 * Runs a CommonJS file with V8's compiled code from an earlier run. Node compiles functions when they are first called;
 * what a run has compiled is taken at its end, and spares the next runs that work. Node's own module.enableCompileCache
 * takes it before anything has run, and is not in Node 20.
 *
 * The cache is code that will be run, and V8 hardly looks at it. So it lies in a folder that nobody else can write to,
 * its name holds checksums of all that it depends on, and it begins with a checksum of itself. Whatever is not as it should be
 * counts as no cache: the result of the program is the same without.
 */
'use strict'

const { isAscii } = require('node:buffer')
const fs = require('node:fs')
const Module = require('node:module')
const os = require('node:os')
const path = require('node:path')
const vm = require('node:vm')

const hashLength = 8
const largest = 64 * 1024 * 1024
/** Files of other versions that stay: people switch between versions of Node. */
const kept = 6
const ours = /^[0-9a-f]{24}\.(?:code|[0-9a-f]+\.tmp)$/

/**
 * `file`: absolute; it exports `partOf(argv)`, which names the part of it that a run needs. `off`: without a cache.
 * Returns what the file exports.
 */
function runCached(file, { argv, off, env }) {
  const content = fs.readFileSync(file)
  const cache = off ? null : attempt(() => locate(content, env))
  const { data: cachedData, parts = [] } = (cache && attempt(() => read(cache))) ?? {}
  const script = new vm.Script(Module.wrap(content.toString(isAscii(content) ? 'latin1' : 'utf8')), {
    filename: file,
    ...(cachedData ? { cachedData } : {}),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  const loaded = new Module(file, module)
  loaded.filename = file
  loaded.paths = module.paths
  script.runInThisContext()(loaded.exports, Module.createRequire(file), loaded, file, path.dirname(file))
  if (cache)
    process.once('exit', () =>
      attempt(() => keep(cache, script, cachedData && !script.cachedDataRejected ? parts : [], loaded.exports.partOf(argv))),
    )
  return loaded.exports
}

/** The functions of this run are added to those of earlier runs, once for each part. A run that failed has not seen its part. */
function keep(cache, script, parts, part) {
  if (parts.includes(part) || ![0, 1, 3].includes(process.exitCode ?? 0)) return
  write(cache, { data: script.createCachedData(), parts: [...parts, part] })
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
const checksum = (...parts) => {
  const { crc32 } = require('node:zlib')
  return parts
    .reduce((sum, part) => crc32(part, sum), 0)
    .toString(16)
    .padStart(hashLength, '0')
}

function locate(content, env) {
  const settings = [process.versions.node, process.versions.v8, process.platform, process.arch, process.execArgv, env.NODE_OPTIONS]
  return {
    folder: cacheFolder(env),
    name: `${checksum(JSON.stringify(settings))}${checksum(content)}${content.length.toString(16).padStart(hashLength, '0')}.code`,
  }
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
    if (!stats.isFile() || stats.size <= hashLength || stats.size > largest) throw new Error('no cache')
    demandPrivate(stats)
    const content = fs.readFileSync(handle)
    if (checksum(name, content.subarray(hashLength)) !== content.toString('latin1', 0, hashLength)) throw new Error('damaged')
    const end = content.lastIndexOf('\n')
    return { data: content.subarray(hashLength, end), parts: JSON.parse(content.toString('utf8', end)) }
  } finally {
    fs.closeSync(handle)
  }
}

function write({ folder, name }, { data, parts }) {
  fs.mkdirSync(path.dirname(folder), { recursive: true })
  attempt(() => fs.mkdirSync(folder, { mode: 0o700 }))
  demandFolder(folder)
  const temporary = path.join(folder, `${name.slice(0, -'.code'.length)}.${require('node:crypto').randomBytes(8).toString('hex')}.tmp`)
  try {
    const content = Buffer.concat([data, Buffer.from(`\n${JSON.stringify(parts)}`)])
    fs.writeFileSync(temporary, Buffer.concat([Buffer.from(checksum(name, content)), content]), { flag: 'wx', mode: 0o600 })
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
