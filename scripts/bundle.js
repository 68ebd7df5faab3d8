/**
 * Makes the one file that is shipped, bundle/mcpproxy-doctor.cjs, from src/ and all that it imports, and
 * THIRD-PARTY-NOTICES with the licences of what came in.
 *
 * CommonJS, because only `vm.Script` takes cached code on Node 20 (bin/code-cache.js).
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8')
const pjson = { ...JSON.parse(read('package.json')), scripts: undefined, devDependencies: undefined, files: undefined }
if (pjson.oclif.hooks) throw new Error('src/lib/shipped.ts and src/lib/direct.ts know no hooks of oclif yet: give them some.')

/**
 * What dockerode and oclif load at the top, and this program never uses: sessions of BuildKit (their module, gRPC, protobufjs), sending
 * a folder to be built (tar-fs, dockerignore), running TypeScript, ssh2 and docker-modem's own way to send, with https:
 * that is src/lib/system/docker-transport.ts, which reaches ssh:// hosts by the `ssh` program.
 */
const unused = ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs', 'tar-fs', '@balena/dockerignore', 'ssh2', 'typescript']
const leaveOut = {
  name: 'leave-out',
  setup({ onResolve, onLoad }) {
    const filter = new RegExp(`^(?:${unused.join('|')})$`)
    onResolve({ filter }, ({ path }) => ({ path, namespace: 'left-out' }))
    onResolve({ filter: /^\.\/(?:http|ssh|session)$/ }, ({ path, importer }) => {
      const [, owner] = /[\\/](docker-modem|dockerode)[\\/]/.exec(importer) ?? []
      return owner ? { path: `${owner}/${path}`, namespace: 'left-out' } : null
    })
    onLoad({ filter: /./, namespace: 'left-out' }, ({ path }) => ({
      contents: `
        const refuse = () => { throw new Error(${JSON.stringify(`${path} is not part of mcpproxy-doctor.`)}) }
        module.exports = new Proxy(refuse, { get: () => refuse })`,
    }))
  },
}

/**
 * oclif loads all of itself at the start, most of it for what this program has not: plugins to install, tsconfig, prompts.
 * Its files are what TypeScript makes of imports, so that each of them can be put off until it is used: `const x_1 = require("x")`
 * becomes a function, and every `x_1` a call of it. What is exported and what runs stay the same.
 */
const lazy = {
  name: 'lazy-oclif',
  setup({ onResolve, onLoad }) {
    const core = (file) => path.join(root, 'node_modules/@oclif/core/lib', file)
    const files = {
      Args: 'args',
      Flags: 'flags',
      Errors: 'errors/index',
      Command: 'command',
      Config: 'config/index',
      Plugin: 'config/index',
      run: 'main',
    }
    // oclif asks only whether this is Linux on Windows; the rest of wsl-utils starts programs there.
    onResolve({ filter: /^wsl-utils$/ }, ({ importer }) => (importer.includes('@oclif') ? { path: 'wsl', namespace: 'wsl' } : null))
    onLoad({ filter: /./, namespace: 'wsl' }, () => ({
      resolveDir: root,
      contents: `
        export { default as isWsl } from 'is-wsl'
        export const powerShellPath = async () => (await import('wsl-utils')).powerShellPath()`,
    }))
    // It looks at terminals, colours and the environment as it loads, and says nothing without DEBUG.
    onResolve({ filter: /^debug$/ }, () => ({ path: 'debug', namespace: 'debug' }))
    onLoad({ filter: /./, namespace: 'debug' }, () => ({
      resolveDir: root,
      contents: `
        const silent = () => Object.assign(() => {}, { enabled: false, extend: silent })
        module.exports = process.env.DEBUG ? require('./node_modules/debug') : silent`,
    }))
    // Its index.js loads everything and has the version of Node checked; bin/run.js does that.
    onResolve({ filter: /^@oclif\/core$/ }, () => ({ path: 'core', namespace: 'oclif', sideEffects: false }))
    onLoad({ filter: /./, namespace: 'oclif' }, () => ({
      resolveDir: root,
      contents: Object.entries(files)
        .map(
          ([name, file]) =>
            `export ${/^(?:Args|Flags|Errors)$/.test(name) ? '* as' : '{'} ${name}${/^(?:Args|Flags|Errors)$/.test(name) ? '' : ' }'} from ${JSON.stringify(core(`${file}.js`))}`,
        )
        .join('\n'),
    }))
    // Each start reads a theme that hardly anybody has: at once that takes a fraction of what it does with promises.
    onLoad({ filter: /@oclif[\\/]core[\\/]lib[\\/]util[\\/]fs\.js$/ }, ({ path: file }) => {
      const code = fs.readFileSync(file, 'utf8')
      const read = 'await (0, promises_1.readFile)(path'
      if (!code.includes(read)) throw new Error(`${file} is not what it was.`)
      return { contents: putOff(code.replace(read, '(0, node_fs_1.readFileSync)(path'), madeByTypeScript) }
    })
    // It listens to standard output as it loads, as bin/run.js does when there is one.
    onLoad({ filter: /@oclif[\\/]core[\\/]lib[\\/]command\.js$/ }, ({ path: file }) => {
      const code = fs.readFileSync(file, 'utf8')
      const listens = /^process\.stdout\.on\('error', [^]*?^\}\);$/m
      if (!listens.test(code)) throw new Error(`${file} is not what it was.`)
      return { contents: putOff(code.replace(listens, ''), madeByTypeScript) }
    })
    onLoad({ filter: /@oclif[\\/]core[\\/]lib[\\/].*\.js$/ }, ({ path: file }) => ({
      contents: putOff(fs.readFileSync(file, 'utf8'), madeByTypeScript),
    }))
  },
}

const madeByTypeScript = /^(?:const|var) (\w+) = ((?:__importDefault|__importStar)?\(?require\("[^"]+"\)\)?);$/gm
/**
 * What esbuild makes of imports of other chunks, and of parts of Node that take a millisecond or more and that few commands need. Each is
 * loaded when something of it is used: no module here does anything as it loads that another relies on.
 */
const putOffHere =
  /\bvar (import_\w+)=((?:__toESM\(|\{default:)?require\("(?:node:(?!(?:buffer|events|fs|path|process|url|util)")[\w/]+|\.\/chunk-\w+\.js)"\)[)}]?);/g

/** `import fs from 'node:fs'` needs no copy of all that is in there. */
function defaultsOnly(code) {
  return code.replace(/(?<=\bvar (import_\w+)=)__toESM\((require\("node:[\w/]+"\))\)(?=;)/g, (whole, name, required) =>
    new RegExp(`(?<![\\w$])${name}(?!\\w)(?!\\.default\\b|=__toESM)`).test(code) ? whole : `{default:${required}}`,
  )
}

/** Between chunks there is nothing but what was written as `export`: it is handed over as it is, where esbuild makes two copies more. */
const handedOver = (code) =>
  code
    .replace(/\bmodule\.exports=__toCommonJS\((\w+)\)/, 'module.exports=__defProp($1,"__esModule",{value:true})')
    .replace(/\b__toESM\((require\("\.\/[\w-]+\.js"\))\)/g, '$1')

function putOff(code, pattern) {
  const names = []
  const text = code.replace(pattern, (_, name, value) => {
    names.push(name)
    return `let ${name}$;const ${name}=()=>(${name}$??=${value});`
  })
  return names.reduce((text, name) => text.replace(new RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.)${name}(?=[.)])`, 'g'), `(${name}())`), text)
}

const ids = fs
  .readdirSync(path.join(root, 'src/commands'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
const contents = `
  import { shipped } from './src/lib/direct.ts'
  import { start } from './src/lib/start.ts'

  const pjson = ${JSON.stringify(pjson)}
  const commands = {${ids.map((id) => `${JSON.stringify(id)}: () => import('./src/commands/${id}.ts')`)}}

  export const main = (argv, root, used) =>
    start(argv, shipped({ root, used, pjson, commands, manifest: () => import('./oclif.manifest.json') }))
`

const { metafile, outputFiles } = await build({
  absWorkingDir: root,
  stdin: { contents, resolveDir: root, sourcefile: 'bundle.js' },
  // What bin/run.js may run before all that.
  entryPoints: { early: 'src/lib/early.ts' },
  outdir: 'bundle',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // Only for this format esbuild makes chunks.
  format: 'esm',
  splitting: true,
  // Its main file is UMD, in which a bundler cannot see what it requires.
  // Node's own streams are what readable-stream is made from.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js', 'readable-stream': 'node:stream' },
  legalComments: 'none',
  // A quarter less to read and to hash at every start; names stay, for the stacks in bug reports.
  minifyWhitespace: true,
  lineLimit: 200,
  metafile: true,
  write: false,
  logLevel: 'warning',
  plugins: [leaveOut, lazy],
})

/**
 * Chunks are functions in one file: what a command does not need is not compiled. They stand in groups, because each compilation
 * has its price too: the small ones together that have the same users, each of the others alone. The first line says where the groups are, so
 * that bin/code-cache.js can read and compile each alone: [place after that line, length, lines before].
 */
const byUse = new Map()
const groups = []
const users = usersOf(metafile.outputs)
for (const { path: name, text } of outputFiles) {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    supported: { 'dynamic-import': false },
    minifyWhitespace: true,
    lineLimit: 200,
    logLevel: 'warning',
  })
  // esbuild leaves other characters in regular expressions only. Without them V8 needs half the memory, and no decoding.
  const ascii = putOff(defaultsOnly(handedOver(code)), putOffHere).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const chunk = { id: `./${path.basename(name)}`, body: `(exports,require,module,__filename,__dirname){${ascii}}` }
  const together = ascii.length < 20_000 ? users.get(chunk.id) : chunk.id
  if (!byUse.has(together)) {
    byUse.set(together, [])
    groups.push(byUse.get(together))
  }
  byUse.get(together).push(chunk)
}
const index = { commands: ids, groups: [], chunks: {} }
let file = "'use strict'\nconst chunks=Object.assign(\n"
for (const [i, group] of groups.entries()) {
  const text = `({${group.map(({ id, body }) => JSON.stringify(id) + body).join(',\n')}})`
  index.groups.push([file.length, text.length, file.split('\n').length])
  for (const { id } of group) index.chunks[id] = i
  file += `${text},\n`
}
file += `)
const loaded={}
const load=(id)=>{
  if(!Object.hasOwn(chunks,id))return require(id)
  if(!loaded[id]){loaded[id]={exports:{}};chunks[id](loaded[id].exports,load,loaded[id],__filename,__dirname)}
  return loaded[id].exports
}
module.exports=load
`
const hash = createHash('sha256').update(file).digest('hex').slice(0, 32)
fs.mkdirSync(path.join(root, 'bundle'), { recursive: true })
fs.writeFileSync(path.join(root, 'bundle/mcpproxy-doctor.cjs'), `//${JSON.stringify({ hash, size: file.length, ...index })}\n${file}`)

fs.writeFileSync(path.join(root, 'THIRD-PARTY-NOTICES'), notices(Object.keys(metafile.inputs)))

/** For each chunk who may need it: what comes before the start, every start, one command alone (its file), `check` beside others, or `others`. */
function usersOf(outputs) {
  const idOf = (file) => `./${path.basename(file)}`
  const imports = new Map(Object.entries(outputs).map(([file, output]) => [idOf(file), output.imports]))
  const reach = (id, lazily, seen = new Set()) => {
    if (!imports.has(id) || seen.has(id)) return seen
    seen.add(id)
    for (const { path: file, kind } of imports.get(id)) if (lazily || kind !== 'dynamic-import') reach(idOf(file), lazily, seen)
    return seen
  }
  const early = reach('./early.js', false)
  const start = reach('./stdin.js', false)
  const commands = Object.entries(outputs)
    .filter(([, { entryPoint }]) => entryPoint?.startsWith('src/commands/'))
    .map(([file, { entryPoint }]) => ({ command: entryPoint, reached: reach(idOf(file), true) }))
  const userOf = (id) => {
    if (early.has(id)) return 'early'
    if (start.has(id)) return 'start'
    const users = commands.filter(({ reached }) => reached.has(id)).map(({ command }) => command)
    return users.length === 1 ? users[0] : users.includes('src/commands/check.ts') ? 'check' : 'others'
  }
  return new Map([...imports.keys()].map((id) => [id, userOf(id)]))
}

/** Name, version and licence text of every package that one of these files is from. */
function notices(files) {
  const folders = new Set(files.flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []))
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license, licenses } = JSON.parse(read(`${folder}/package.json`))
    const kind = license ?? licenses?.map((one) => one.type).join(' or ')
    const texts = fs.readdirSync(path.join(root, folder)).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
    if (kind === undefined) throw new Error(`${folder} names no licence.`)
    const text = texts.map((file) => read(`${folder}/${file}`).trim()).join('\n\n')
    return `${name} ${version} (${kind})\n\n${text === '' ? `It has no file with the text of its licence, ${kind}.` : text}\n`
  })
  const line = `${'-'.repeat(80)}\n\n`
  return `mcpproxy-doctor contains the following packages.\n\n${line}${parts.join(`\n${line}`)}`
}
