/** Where a capture holds what lay where on the machine. */
import path from 'node:path'

/** A name that stays inside the capture, normalized; null: it would leave it. */
export function relativeName(name: string): string | null {
  const plain = path.posix.normalize(name.replaceAll('\\', '/')).replace(/\/$/, '')
  return plain === '..' || plain.startsWith('../') || plain.startsWith('/') || plain.includes('\0') ? null : plain
}

/** `<home>/x` → `home/x`, `/x` → `root/x`, `C:\x` → `root/C/x`; null: the capture cannot hold it. `root`: of the capture itself. */
export function captureName(name: string, home: string, root: string): string | null {
  const [plain, base, own] = [name, home, root].map((n) => n.replaceAll('\\', '/')) as [string, string, string]
  const below = (folder: string): string | null =>
    plain === folder ? '' : plain.startsWith(`${folder.replace(/\/$/, '')}/`) ? plain.slice(folder.replace(/\/$/, '').length + 1) : null
  // Before there was `root/`, what lay elsewhere was shown by its place in the capture.
  const inOwn = below(own)
  if (inOwn !== null) return relativeName(inOwn)
  const inHome = below(base)
  const part = inHome === null ? plain.replace(/^([A-Za-z]):/, '/$1').replace(/^\/+/, '') : inHome
  const inside = relativeName(part)
  return inside === null ? null : path.posix.join(inHome === null ? 'root' : 'home', inside)
}

/** The other way; what lies neither in `home/` nor in `root/` is shown by its place in the capture. */
export function machinePath(name: string, home: string, windows: boolean, root: string): string {
  if (name.startsWith('home/')) return path.posix.join(home, name.slice('home/'.length))
  if (!name.startsWith('root/')) return path.join(root, name)
  const rest = name.slice('root/'.length)
  return windows ? rest.replace(/^([A-Za-z])\//, '$1:/') : `/${rest}`
}

export const imageFile = (reference: string): string => `docker/images/${reference.replaceAll(/[^\w.-]+/g, '_')}.json`

export const apiFile = (path: string): string => `api/${path.replace(/^\/api\/v1\//, '').replaceAll(/[^\w.-]+/g, '_')}.json`
