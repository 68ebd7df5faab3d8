/** Which programs an image has on its PATH, read from the export of a container that was created and never started. */
import path from 'node:path'
import { engineFailure } from './engine-error.ts'
import { tarEntries, type TarEntry } from './tar-headers.ts'

/** What Docker gives a container whose image sets none. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const mostEntries = 500_000

/** The folders of the PATH of an image (its inspect answer). */
export function searchPath(image: unknown): string[] {
  const config = typeof image === 'object' && image !== null && 'Config' in image ? image.Config : null
  const env: unknown = typeof config === 'object' && config !== null && 'Env' in config ? config.Env : null
  const set = Array.isArray(env) ? env.findLast((e): e is string => typeof e === 'string' && e.startsWith('PATH=')) : undefined
  const folders = (set === undefined ? defaultPath : set.slice(5)).split(':')
  return [...new Set(folders.filter((f) => f.startsWith('/')).map(absolute))]
}

/**
 * Absolute paths as they are in the archive: where /bin is a link to usr/bin, a shell is /usr/bin/sh.
 * An engine writes the archive in the order of names; as long as that holds, and every folder was met, reading stops
 * behind the last one. A folder that the image lacks costs reading to the end: a program that was missed would be a wrong finding.
 */
export async function programPaths(source: AsyncIterable<Buffer>, folders: readonly string[], maxBytes: number): Promise<string[]> {
  const links = new Map<string, string>()
  const programs = new Map<string, string[]>()
  const met = new Set<string>()
  let ordered = true
  let previous: string[] = []
  let count = 0
  for await (const entry of tarEntries(source, maxBytes)) {
    const full = absolute(entry.path)
    const parts = full.split('/')
    ordered &&= compare(previous, parts) <= 0
    previous = parts
    if (
      ordered &&
      passed(
        parts,
        folders.map((f) => resolve(f, links)),
        met,
      )
    )
      break
    if (entry.type === 'directory') met.add(full)
    if (!isProgram(entry)) continue
    if (++count > mostEntries) throw engineFailure('failed', `The image has more than ${mostEntries} programs.`)
    if (entry.type === 'symlink') links.set(full, entry.target)
    const folder = path.posix.dirname(full)
    met.add(folder)
    const list = programs.get(folder)
    if (list === undefined) programs.set(folder, [full])
    else list.push(full)
  }
  return [...new Set(folders.flatMap((f) => programs.get(resolve(f, links)) ?? []))].sort()
}

const isProgram = ({ type, mode }: TarEntry): boolean =>
  type === 'symlink' || ((type === 'file' || type === 'link') && (mode & 0o111) !== 0)
const absolute = (name: string): string => path.posix.normalize(`/${name}`).replace(/(?<=.)\/$/, '')

/** Component by component, as a walk through folders orders them. */
function compare(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x = '', y = ''] = [a[i], b[i]]
    if (x !== y) return x < y ? -1 : 1
  }
  return a.length - b.length
}

const passed = (parts: readonly string[], folders: readonly string[], met: ReadonlySet<string>): boolean =>
  folders.every((f) => {
    const folder = f.split('/')
    return met.has(f) && compare(parts, folder) > 0 && !folder.every((name, i) => parts[i] === name)
  })

/** Follows the links of the image along a path; a loop ends it. */
function resolve(folder: string, links: ReadonlyMap<string, string>): string {
  let rest = folder.split('/').filter((p) => p !== '')
  let done = ''
  for (let hops = 0; rest.length > 0;) {
    const [next = '', ...others] = rest
    const here = `${done}/${next}`
    const target = links.get(here)
    if (target === undefined || ++hops > 40) {
      done = here
      rest = others
      continue
    }
    const joined = path.posix.resolve(done === '' ? '/' : done, target)
    rest = [...joined.split('/').filter((p) => p !== ''), ...others]
    done = ''
  }
  return done === '' ? '/' : done
}
