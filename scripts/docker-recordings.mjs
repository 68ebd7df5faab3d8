/**
 * Writes test/fixtures/docker-recordings.json from a folder of recorded runs of `docker run`: `node scripts/docker-recordings.mjs FOLDER`.
 * Of each recording, with its variants for other releases of docker, it keeps what a user's capture would hold of it: the
 * arguments, standard error, how the handshake went, the engine's events, and what the images are made of.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Which folder holds the recordings?')
const text = (...names) => (existsSync(join(folder, ...names)) ? readFileSync(join(folder, ...names), 'utf8') : null)
const json = (...names) => JSON.parse(text(...names) ?? 'null')

/** `[milliseconds since the first one, type, action, id, attributes]`; labels and what the arguments tell anyway are left out. */
function events(...names) {
  const list = json(...names, 'events.json')
  if (!list || list.length === 0) return []
  const ids = new Map()
  const begin = list[0].timeNano
  return list.map((e) => {
    const { ID: id, Attributes: all } = e.Actor
    if (!ids.has(id)) ids.set(id, ids.size)
    const attributes = Object.fromEntries(
      Object.entries(all ?? {}).filter(
        ([key]) => !/^com\.mcpproxy\.|^(?:image|name|driver|propagation|read\/write)$/.test(key) || e.Type !== 'container',
      ),
    )
    const named = e.Type === 'container' ? { name: all.name, image: all.image } : {}
    if (attributes.container) attributes.container = String(ids.get(attributes.container) ?? '')
    return [Math.round((e.timeNano - begin) / 1e6), e.Type, e.Action, ids.get(id), { ...attributes, ...named }]
  })
}

const shape = (list) => JSON.stringify(list.map(([, type, action, id, attributes]) => [type, action, id, attributes]))
const lines = (...names) =>
  (text(...names, 'stderr.txt') ?? '')
    .split('\n')
    .map((l) => l.replaceAll('\r', '').trim())
    .filter((l) => l !== '')

const images = {}
const recordings = []
for (const name of readdirSync(folder).sort()) {
  const run = json(name, 'run.json')
  if (name.startsWith('_') || !run) continue
  const inspect = json(name, 'inspect.json')?.[0]
  if (inspect) {
    const { Entrypoint, Env, WorkingDir, User, Image } = inspect.Config
    const own = (Env ?? []).filter((e) => /^(?:PATH|NODE_VERSION|YARN_VERSION|PYTHON_VERSION|NODE_ENV)=/.test(e))
    const given = run.argv.includes('--entrypoint') || run.argv.includes('--workdir') || run.argv.includes('--user')
    if (!given) images[Image] ??= { Id: inspect.Image, Config: { Entrypoint, Env: own, WorkingDir, User } }
  }
  const variants = []
  for (const variant of [null, 'client-20.10', 'engine-28.5']) {
    const at = variant === null ? [name] : [name, variant]
    const told = json(...at, 'run.json')
    if (!told) continue
    const seen = events(...at)
    const same = variant !== null && (told.events === undefined || variant === 'client-20.10' || shape(seen) === shape(variants[0].events))
    variants.push({
      variant,
      client: told.client,
      engine: told.engine,
      handshake: told.handshake,
      exitCode: told.exitCode,
      durationMs: told.durationMs,
      ...(told.handshakeMs === undefined ? {} : { handshakeMs: told.handshakeMs }),
      ...(told.gaveUpAfterMs === undefined ? {} : { gaveUpAfterMs: told.gaveUpAfterMs }),
      stderr: lines(...at),
      ...(same ? {} : { events: seen }),
    })
  }
  recordings.push({ recording: name, argv: run.argv, ...(run.env ? { env: run.env } : {}), variants })
}
const kept =
  'Architecture OSType OperatingSystem NCPU MemTotal LoggingDriver CgroupVersion SecurityOptions Warnings MemoryLimit PidsLimit CpuCfsQuota'
const info = (name) => {
  const all = json('_info', name)
  return { ...Object.fromEntries(kept.split(' ').map((key) => [key, all[key]])), Plugins: { Log: all.Plugins.Log } }
}
const engines = { '20.10': info('root-20.10.json'), 28.5: info('root-28.5.json') }
const line = (value) => JSON.stringify(value)
writeFileSync(
  fileURLToPath(new URL('../test/fixtures/docker-recordings.json', import.meta.url)),
  `{\n"engines": ${line(engines)},\n"images": ${line(images)},\n"recordings": [\n${recordings.map(line).join(',\n')}\n]\n}\n`,
)
